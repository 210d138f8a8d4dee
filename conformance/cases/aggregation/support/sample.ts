/**
 * Upstream's sample API server with an etcd of its own, as programs of this machine, behind a t8s cluster without nodes:
 * a Service leads to this machine, and the server asks the cluster who its callers are and what they may do.
 */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { systemClock } from '../../../../src/base/clock.ts'
import { systemRandom } from '../../../../src/base/random.ts'
import { createCertificateAuthority } from '../../../../src/server/auth/certificate-authority.ts'
import { freePort, type Program, startProgram, until } from '../../../peers/processes.ts'
import { builtProgram } from '../../../upstream.ts'
import { runCommand } from '../../kubectl/support/command.ts'
import { createKubectl, type Kubectl, kubectlBinaries } from '../../kubectl/support/kubectl.ts'
import { sampleManifests, trustManifest } from './manifests.ts'

/** Another build than this tree's: T8S_COMMAND. */
const T8S = process.env.T8S_COMMAND ?? resolve(import.meta.dirname, '../../../../dist/t8s.js')
const NAME = 'agg-sample'
const RANGES = ['--pod-cidr=10.150.0.0/16', '--service-cidr=10.151.0.0/16']
const FIRST_PORT = 21_020
const START_MS = 60_000

export interface SampleCluster extends AsyncDisposable {
  /** In the namespace of the sample server. */
  readonly kubectl: Kubectl
  /** Ends the sample API server, as a crash would. */
  kill(): Promise<void>
  /** Starts it again, over the same etcd. */
  restart(): Promise<void>
}

/** Why these cases cannot run here; undefined: they can. */
export function reasonToSkip(): string | undefined {
  for (const program of ['sample-apiserver', 'etcd'] as const)
    if (builtProgram(program) === undefined) return `upstream's ${program} is not built`
  return kubectlBinaries().length === 0 ? 'no kubectl' : undefined
}

export async function startSample(): Promise<SampleCluster> {
  await using stack = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 't8s-aggregation-'))
  stack.defer(() => rm(directory, { recursive: true, force: true }))
  const home = join(directory, 'home')
  await mkdir(home)
  const kubeconfig = join(directory, 'kubeconfig')
  const environment = { ...process.env, T8S_HOME: join(directory, 't8s'), HOME: home, KUBECONFIG: kubeconfig }
  await t8s(environment, ['up', NAME, '--detach', '--nodes=0', '--port=0', ...RANGES])
  stack.defer(() => t8s(environment, ['down', NAME]))
  const [binary] = kubectlBinaries().slice(-1)
  if (binary === undefined) throw new Error('no kubectl')
  const kubectl = createKubectl({ binary, namespace: 'wardle', home, kubeconfig })
  const port = await freePort(FIRST_PORT)
  const etcdPort = await freePort(FIRST_PORT, [port])
  const authority = await createCertificateAuthority('wardle-authority', { clock: systemClock, random: systemRandom })
  const serving = await authority.issueServer({ commonName: 'api.wardle.svc', names: ['api.wardle.svc', 'localhost'] })
  await writeFile(join(directory, 'serving.crt'), serving.certificate)
  await writeFile(join(directory, 'serving.key'), serving.key)
  await kubectl.apply(sampleManifests({ port, authority: authority.certificate }))
  await kubectl.in('kube-system').apply(trustManifest())
  await writeKubeconfig(kubectl, join(directory, 'sample.kubeconfig'))
  stack.use(await startEtcd(directory, etcdPort, await freePort(FIRST_PORT, [port, etcdPort])))
  let server = await startServer(directory, port, etcdPort)
  stack.defer(() => server[Symbol.asyncDispose]())
  const owned = stack.move()
  return {
    kubectl,
    kill: async () => server[Symbol.asyncDispose](),
    async restart() {
      server = await startServer(directory, port, etcdPort)
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function t8s(env: NodeJS.ProcessEnv, words: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runCommand(process.execPath, [T8S, ...words], { env })
  if (code !== 0) throw new Error(`t8s ${words.join(' ')}: exit code ${code}\n${stdout}\n${stderr}`)
}

/** The server speaks to the cluster as its service account. */
async function writeKubeconfig(kubectl: Kubectl, file: string): Promise<void> {
  const config = JSON.parse(await kubectl.ok('config view --raw --minify -o json'))
  config.users[0].user = { token: (await kubectl.ok('create token apiserver')).trim() }
  await writeFile(file, JSON.stringify(config))
}

async function startEtcd(directory: string, port: number, peerPort: number): Promise<Program> {
  const client = `http://127.0.0.1:${port}`
  const own = `http://127.0.0.1:${peerPort}`
  const flags = [
    `--data-dir=${join(directory, 'etcd')}`,
    ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
    ...[`--listen-peer-urls=${own}`, `--initial-advertise-peer-urls=${own}`, `--initial-cluster=default=${own}`],
    ...['--unsafe-no-fsync', '--log-level=error'],
  ]
  const etcd = startProgram(builtProgram('etcd') ?? '', flags, join(directory, 'etcd.log'))
  await until(etcd, START_MS, async () => (await fetch(`${client}/health`)).ok)
  return etcd
}

async function startServer(directory: string, port: number, etcdPort: number): Promise<Program> {
  const kubeconfig = join(directory, 'sample.kubeconfig')
  const flags = [
    ...['--bind-address=127.0.0.1', `--secure-port=${port}`, `--etcd-servers=http://127.0.0.1:${etcdPort}`],
    `--tls-cert-file=${join(directory, 'serving.crt')}`,
    `--tls-private-key-file=${join(directory, 'serving.key')}`,
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
  ]
  const log = join(directory, 'sample-apiserver.log')
  const server = startProgram(builtProgram('sample-apiserver') ?? '', flags, log)
  try {
    await until(server, START_MS, async () => (await readFile(log, 'utf8')).includes('Serving securely'))
  } catch (error) {
    throw new Error(`${String(error)}\n${await readFile(log, 'utf8')}`)
  }
  return server
}
