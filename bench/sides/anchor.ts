/**
 * Upstream's control plane as it is run for real: etcd with fsync, kube-apiserver with TLS, RBAC and the default
 * admission; where controllers are asked for, also kube-controller-manager, kube-scheduler and KWOK's nodes.
 */

import { createPrivateKey } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { type KubeconfigEntry, kubeconfigText } from '../../src/client/kubeconfig.ts'
import { createCertificateAuthority, type KeyPair } from '../../src/server/auth/certificate-authority.ts'
import { generateSigningKey } from '../../src/server/auth/json-web-token.ts'
import type { Programs } from '../prepare.ts'
import { addKwokNodes } from './kwok.ts'
import { freePorts, removeFolder, temporaryFolder, untilReady } from './places.ts'
import { figuresOf } from './process-figures.ts'
import { type ProgramProcess, startProcess } from './program-process.ts'
import type { Access, RunningSide, Side, SideWish } from './side.ts'

export interface Tuning {
  /** Client limits and workers raised as far as they help. */
  readonly raised: boolean
  /** Go's collector: the growth of the heap in percent before it runs. */
  readonly collectorPercent: number
}

/** As shipped, and the ways to set it up that were found to be faster. */
export const TUNINGS: Readonly<Record<string, Tuning>> = {
  default: { raised: false, collectorPercent: 100 },
  tuned: { raised: true, collectorPercent: 100 },
  'tuned, GOGC=400': { raised: true, collectorPercent: 400 },
}

export function anchor(name: string, tuning: Tuning, programs: Programs): Side {
  return {
    name: `kube-apiserver (${name})`,
    async start(wish) {
      const folder = temporaryFolder()
      const [port = 0, etcdPort = 0, etcdPeerPort = 0, managerPort = 0, schedulerPort = 0] = await freePorts(5)
      const ports = { port, etcdPort, etcdPeerPort, managerPort, schedulerPort }
      const access = await makeCredentials(folder, port)
      return launch({ name: this.name, folder, ports, access, tuning, programs, wish })
    },
  }
}

interface Ports {
  readonly port: number
  readonly etcdPort: number
  readonly etcdPeerPort: number
  readonly managerPort: number
  readonly schedulerPort: number
}

interface Launch {
  readonly name: string
  readonly folder: string
  readonly ports: Ports
  readonly access: Access
  readonly tuning: Tuning
  readonly programs: Programs
  readonly wish: SideWish
}

async function launch(parts: Launch): Promise<RunningSide> {
  const { name, folder, ports, access, programs, wish } = parts
  const startedAt = performance.now()
  const running: ProgramProcess[] = []
  const start = (program: string, flags: readonly string[], logName: string) => {
    const environment = { GOGC: String(parts.tuning.collectorPercent) }
    running.push(startProcess({ program, flags, log: join(folder, `${logName}.log`), environment }))
  }
  const stop = async (signal: NodeJS.Signals) => {
    for (const process of running.toReversed()) await process.stop(signal)
  }
  try {
    start(programs.upstream('etcd'), etcdFlags(parts), 'etcd')
    start(programs.upstream('kube-apiserver'), serverFlags(parts), 'kube-apiserver')
    if (hasComponents(wish)) {
      start(programs.upstream('kube-controller-manager'), managerFlags(parts), 'kube-controller-manager')
      start(programs.upstream('kube-scheduler'), schedulerFlags(parts), 'kube-scheduler')
    }
    await untilReady(ports.port, () => {
      for (const process of running) process.assertRunning()
    })
    const readyMs = performance.now() - startedAt
    if (wish.nodes !== undefined && wish.nodes > 0) {
      start(programs.kwok, kwokFlags(parts), 'kwok')
      await addKwokNodes(access.credentials, wish.nodes)
    }
    return {
      ...{ name, access, startedAt, readyMs },
      figures: figuresOf(() => running.map(({ pid }) => pid)),
      async crash() {
        await stop('SIGKILL')
        return launch(parts)
      },
      async [Symbol.asyncDispose]() {
        await stop('SIGTERM')
        removeFolder(folder)
      },
    }
  } catch (error) {
    await stop('SIGKILL')
    removeFolder(folder)
    throw error
  }
}

function hasComponents({ nodes, schedulerOnly = false }: SideWish): boolean {
  return nodes !== undefined || schedulerOnly
}

/** The same kind of keys as on the other side: EC P-256. */
async function makeCredentials(folder: string, port: number): Promise<Access> {
  const authority = await createCertificateAuthority('bench', { clock: systemClock, random: systemRandom })
  const client = (commonName: string, organizations: readonly string[] = []) =>
    authority.issueClient({ commonName, organizations })
  const admin = await client('admin', ['system:masters'])
  const pairs: Readonly<Record<string, KeyPair>> = {
    client: admin,
    server: await authority.issueServer({ commonName: 'kube-apiserver', names: ['127.0.0.1', 'localhost'] }),
    manager: await client('system:kube-controller-manager'),
    scheduler: await client('system:kube-scheduler'),
  }
  const file = (name: string, text: string | Buffer) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const server = `https://127.0.0.1:${port}`
  const entryOf = ({ certificate, key }: KeyPair): KubeconfigEntry => ({
    ...{ name: 'bench', server, certificateAuthority: authority.certificate },
    ...{ clientCertificate: certificate, clientKey: key },
  })
  for (const [name, { certificate, key }] of Object.entries(pairs)) {
    file(`${name}.crt`, certificate)
    file(`${name}.key`, key)
    file(`${name}.kubeconfig`, kubeconfigText(entryOf({ certificate, key })))
  }
  file('ca.key', authority.key)
  // Upstream takes the public half from this older form only.
  file('accounts.key', createPrivateKey(generateSigningKey()).export({ type: 'sec1', format: 'pem' }))
  return {
    server,
    ca: file('ca.crt', authority.certificate),
    certificate: join(folder, 'client.crt'),
    key: join(folder, 'client.key'),
    kubeconfig: join(folder, 'client.kubeconfig'),
    credentials: entryOf(admin),
  }
}

const SERVICE_RANGE = '10.96.0.0/16'
const POD_RANGE = '10.244.0.0/16'
const DELETE_WORKERS = 10
const SYNCS = 50
/** Requests per second of a component, and at once. */
const CLIENT_LIMIT = 5_000

function etcdFlags({ folder, ports }: Launch): readonly string[] {
  const client = `http://127.0.0.1:${ports.etcdPort}`
  const own = `http://127.0.0.1:${ports.etcdPeerPort}`
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${own}`,
    `--initial-advertise-peer-urls=${own}`,
    `--initial-cluster=default=${own}`,
    '--log-level=error',
    // What a quota of the usual two gigabytes would end.
    `--quota-backend-bytes=${8 * 2 ** 30}`,
  ]
}

function serverFlags({ folder, ports, tuning, wish }: Launch): readonly string[] {
  const file = (name: string) => join(folder, name)
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcdPort}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${ports.port}`,
    `--tls-cert-file=${file('server.crt')}`,
    `--tls-private-key-file=${file('server.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    '--authorization-mode=Node,RBAC',
    `--service-cluster-ip-range=${SERVICE_RANGE}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${file('accounts.key')}`,
    `--service-account-signing-key-file=${file('accounts.key')}`,
    '--allow-privileged=true',
    // The address it would publish is this machine's, and 127.0.0.1 is not allowed.
    '--endpoint-reconciler-type=none',
    // Nobody makes the accounts that this plugin waits for where no controllers run.
    ...(hasComponents(wish) ? [] : ['--disable-admission-plugins=ServiceAccount']),
    ...(tuning.raised ? [`--delete-collection-workers=${DELETE_WORKERS}`] : []),
  ]
}

function managerFlags({ folder, ports, tuning, wish }: Launch): readonly string[] {
  const file = (name: string) => join(folder, name)
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
    ...componentFlags(file('manager.kubeconfig'), ports.managerPort, tuning),
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

function schedulerFlags({ folder, ports, tuning }: Launch): readonly string[] {
  return componentFlags(join(folder, 'scheduler.kubeconfig'), ports.schedulerPort, tuning)
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
