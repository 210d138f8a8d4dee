/**
 * Upstream's control plane as it is run for real: etcd with fsync, kube-apiserver with TLS, RBAC and the default
 * admission; where controllers are asked for, also kube-controller-manager, kube-scheduler and KWOK's nodes.
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Program, startProgram } from '../../conformance/peers/processes.ts'
import { accountsKey, etcdFlags, serverFlags } from '../../conformance/peers/upstream-flags.ts'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import type { KubeconfigEntry } from '../../src/client/kubeconfig.ts'
import { type CertificateAuthority, createCertificateAuthority } from '../../src/server/auth/certificate-authority.ts'
import { openConnection } from '../connection.ts'
import type { Programs } from '../prepare.ts'
import { writeAccess } from './access.ts'
import { addKwokNodes } from './kwok.ts'
import { freePorts, removeFolder, temporaryFolder, untilReady } from './places.ts'
import { figuresOf } from './process-figures.ts'
import type { Access, RunningSide, Side, SideWish } from './side.ts'

export interface Tuning {
  /** Client limits and workers raised as far as they help. */
  readonly raised: boolean
  /** Go's collector: the growth of the heap in percent before it runs. */
  readonly collectorPercent: number
}

/** As shipped, and the ways to set it up that were found to be faster. */
export const TUNINGS = {
  default: { raised: false, collectorPercent: 100 },
  tuned: { raised: true, collectorPercent: 100 },
  'tuned, GOGC=400': { raised: true, collectorPercent: 400 },
} as const satisfies Readonly<Record<string, Tuning>>

export type TuningName = keyof typeof TUNINGS

export function anchor(name: TuningName, programs: Programs): Side {
  return {
    name: `kube-apiserver (${name})`,
    chosen: 'HTTP/2.0',
    async start(wish) {
      const directory = temporaryFolder()
      const [port = 0, etcdPort = 0, etcdPeerPort = 0, managerPort = 0, schedulerPort = 0] = await freePorts(5)
      const ports = { port, etcdPort, etcdPeerPort, managerPort, schedulerPort }
      const authority = await createCertificateAuthority('bench', { clock: systemClock, random: systemRandom })
      const server = `https://127.0.0.1:${port}`
      const user = async (commonName: string, organizations: readonly string[]) => {
        const pair = await authority.issueClient({ commonName, organizations })
        return writeAccess({ folder: directory, name: commonName, server, authority: authority.certificate, pair })
      }
      await writeKeys(directory, authority)
      for (const component of ['kube-controller-manager', 'kube-scheduler']) await user(`system:${component}`, [])
      const access = await user('bench', ['system:masters'])
      const shared = { directory, ...ports, serviceCidr: SERVICE_RANGE }
      return launch({ ...shared, access, user, tuning: TUNINGS[name], programs, wish })
    },
  }
}

interface Launch {
  readonly directory: string
  readonly port: number
  readonly etcdPort: number
  readonly etcdPeerPort: number
  readonly managerPort: number
  readonly schedulerPort: number
  readonly serviceCidr: string
  readonly access: Access
  readonly user: RunningSide['user']
  readonly tuning: Tuning
  readonly programs: Programs
  readonly wish: SideWish
}

async function launch(parts: Launch): Promise<RunningSide> {
  const { directory, port, access, user, programs, wish } = parts
  const startedAt = performance.now()
  const running: Program[] = []
  const start = (program: string, flags: readonly string[], logName: string) => {
    const environment = { GOGC: String(parts.tuning.collectorPercent) }
    const options = { environment, processors: wish.processors }
    running.push(startProgram(program, flags, join(directory, `${logName}.log`), options))
  }
  const stop = async (signal: NodeJS.Signals) => {
    for (const program of running.toReversed()) await program.stop(signal)
  }
  try {
    start(programs.upstream('etcd'), [...etcdFlags(parts), QUOTA], 'etcd')
    start(programs.upstream('kube-apiserver'), [...serverFlags(parts), ...benchFlags(parts)], 'kube-apiserver')
    if (hasComponents(wish)) {
      start(programs.upstream('kube-controller-manager'), managerFlags(parts), 'kube-controller-manager')
      start(programs.upstream('kube-scheduler'), schedulerFlags(parts), 'kube-scheduler')
    }
    await untilReady(port, running)
    const readyMs = performance.now() - startedAt
    if (!hasComponents(wish)) await addAccount(access.credentials)
    if (wish.nodes !== undefined && wish.nodes > 0) {
      start(programs.kwok, kwokFlags(parts), 'kwok')
      await addKwokNodes(access.credentials, wish.nodes)
    }
    return {
      ...{ access, user, startedAt, readyMs },
      figures: figuresOf(() => running.map(({ pid }) => pid)),
      async crash() {
        await stop('SIGKILL')
        // A restart collects much: this is its fastest.
        return launch({ ...parts, tuning: TUNINGS['tuned, GOGC=400'] })
      },
      async [Symbol.asyncDispose]() {
        await stop('SIGTERM')
        removeFolder(directory)
      },
    }
  } catch (error) {
    await stop('SIGKILL')
    removeFolder(directory)
    throw error
  }
}

const ACCOUNTS = '/api/v1/namespaces/default/serviceaccounts'

/** Without it no pod is admitted; where no controllers run, nobody else makes it. */
async function addAccount(credentials: KubeconfigEntry): Promise<void> {
  using connection = await openConnection(credentials)
  const body = JSON.stringify({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } })
  const { status } = await connection.send({ method: 'POST', path: ACCOUNTS, body })
  // After a restart it is there.
  if (status !== 201 && status !== 409) throw new Error(`the account of pods was refused: ${status}`)
}

function hasComponents({ nodes, schedulerOnly = false }: SideWish): boolean {
  return nodes !== undefined || schedulerOnly
}

/** The same kind of keys as on the other side: EC P-256. */
async function writeKeys(directory: string, authority: CertificateAuthority): Promise<void> {
  const serving = await authority.issueServer({ commonName: 'kube-apiserver', names: ['127.0.0.1', 'localhost'] })
  const files = {
    'ca.crt': authority.certificate,
    'ca.key': authority.key,
    'server.crt': serving.certificate,
    'server.key': serving.key,
    'accounts.key': accountsKey(),
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text, { mode: 0o600 })
}

const SERVICE_RANGE = '10.96.0.0/16'
const POD_RANGE = '10.244.0.0/16'
const DELETE_WORKERS = 10
const SYNCS = 50
/** Requests per second of a component, and at once. */
const CLIENT_LIMIT = 5_000

/** What a quota of the usual two gigabytes would end. */
const QUOTA = `--quota-backend-bytes=${8 * 2 ** 30}`

function benchFlags({ tuning }: Launch): readonly string[] {
  return tuning.raised ? [`--delete-collection-workers=${DELETE_WORKERS}`] : []
}

function managerFlags({ directory, managerPort, tuning, wish }: Launch): readonly string[] {
  const file = (name: string) => join(directory, name)
  const syncs = [
    'deployment',
    'replicaset',
    'statefulset',
    'job',
    'service-endpoint',
    'gc',
    'namespace',
    'resource-quota',
  ]
  return [
    ...componentFlags(file('system:kube-controller-manager.kubeconfig'), managerPort, tuning),
    `--service-account-private-key-file=${file('accounts.key')}`,
    `--root-ca-file=${file('ca.crt')}`,
    `--cluster-signing-cert-file=${file('ca.crt')}`,
    `--cluster-signing-key-file=${file('ca.key')}`,
    `--cluster-cidr=${POD_RANGE}`,
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--allocate-node-cidrs=true',
    '--use-service-account-credentials=true',
    // One makes what pods need to be admitted, the other lets new nodes be used.
    ...(wish.schedulerOnly ? ['--controllers=serviceaccount-controller,node-lifecycle-controller'] : []),
    ...(tuning.raised ? syncs.map((name) => `--concurrent-${name}-syncs=${SYNCS}`) : []),
  ]
}

function schedulerFlags({ directory, schedulerPort, tuning }: Launch): readonly string[] {
  return componentFlags(join(directory, 'system:kube-scheduler.kubeconfig'), schedulerPort, tuning)
}

function componentFlags(kubeconfig: string, port: number, { raised }: Tuning): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    // A component that starts before the roles are there would end otherwise.
    '--authentication-skip-lookup=true',
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    '--leader-elect=false',
    ...(raised ? [`--kube-api-qps=${CLIENT_LIMIT}`, `--kube-api-burst=${CLIENT_LIMIT}`] : []),
  ]
}

function kwokFlags({ access, programs }: Launch): readonly string[] {
  const stages = programs.kwokStages.map((stage) => `--config=${stage}`)
  return [`--kubeconfig=${access.kubeconfig}`, '--manage-all-nodes=true', '--node-ip=127.0.0.1', ...stages]
}
