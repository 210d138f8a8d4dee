/** Upstream's API server with an etcd of its own, both from the cache of binaries; no controllers, no nodes. */

import { createPrivateKey } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createCertificateAuthority } from '../../src/server/auth/certificate-authority.ts'
import { generateSigningKey } from '../../src/server/auth/json-web-token.ts'
import { connectPeer, type Peer } from './peer.ts'
import { startProgram, until } from './processes.ts'

export interface ServerPlace {
  /** For everything the server keeps: made, and removed by whoever made it. */
  readonly directory: string
  readonly port: number
  readonly serviceCidr: string
}

interface UpstreamPlace extends ServerPlace {
  /** Where the binaries lie. */
  readonly binaries: string
  readonly etcdPort: number
  readonly etcdPeerPort: number
  /** Besides the usual ones. */
  readonly flags?: readonly string[] | undefined
}

const ETCD_START_MS = 20_000
const SERVER_START_MS = 120_000

/** The defaults of v1.36 with what every real cluster sets: an authority for clients, RBAC, keys of service accounts. */
export async function startUpstream(place: UpstreamPlace): Promise<Peer & AsyncDisposable> {
  const { directory, port, etcdPort, binaries } = place
  await mkdir(directory, { recursive: true })
  const authority = await createCertificateAuthority('peers', { clock: systemClock, random: systemRandom })
  const admin = await authority.issueClient({ commonName: 'admin', organizations: ['system:masters'] })
  await writeFile(join(directory, 'ca.crt'), authority.certificate)
  const serving = await authority.issueServer({ commonName: 'kube-apiserver', names: ['127.0.0.1', 'localhost'] })
  await writeFile(join(directory, 'server.crt'), serving.certificate)
  await writeFile(join(directory, 'server.key'), serving.key)
  // Upstream takes the public half from this older form only.
  const accounts = createPrivateKey(generateSigningKey()).export({ type: 'sec1', format: 'pem' })
  await writeFile(join(directory, 'accounts.key'), accounts)
  await using stack = new AsyncDisposableStack()
  const etcd = startProgram(join(binaries, 'etcd'), etcdFlags(place), join(directory, 'etcd.log'))
  await until(stack.use(etcd), ETCD_START_MS, async () => (await fetch(`http://127.0.0.1:${etcdPort}/health`)).ok)
  const log = join(directory, 'kube-apiserver.log')
  const server = stack.use(startProgram(join(binaries, 'kube-apiserver'), serverFlags(place), log))
  const peer = stack.use(connectPeer({ name: 'upstream', port, authority: authority.certificate, admin }))
  try {
    await until(server, SERVER_START_MS, () => isReady(peer))
  } catch (error) {
    const tail = (await readFile(log, 'utf8')).split('\n').slice(-5).join('\n')
    throw new Error(`${String(error)}\n${tail}`)
  }
  const owned = stack.move()
  return { name: peer.name, send: peer.send, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function isReady(peer: Peer): Promise<boolean> {
  const request = { method: 'GET', url: '/readyz', headers: {}, body: undefined, anonymous: false }
  return (await peer.send(request)).status === 200
}

function etcdFlags({ directory, etcdPort, etcdPeerPort }: UpstreamPlace): readonly string[] {
  const client = `http://127.0.0.1:${etcdPort}`
  const own = `http://127.0.0.1:${etcdPeerPort}`
  return [
    `--data-dir=${join(directory, 'etcd')}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${own}`,
    `--initial-advertise-peer-urls=${own}`,
    `--initial-cluster=default=${own}`,
    '--unsafe-no-fsync',
    '--log-level=error',
  ]
}

function serverFlags({ directory, port, etcdPort, serviceCidr, flags = [] }: UpstreamPlace): readonly string[] {
  const file = (name: string) => join(directory, name)
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${file('server.crt')}`,
    `--tls-private-key-file=${file('server.key')}`,
    `--client-ca-file=${file('ca.crt')}`,
    '--authorization-mode=Node,RBAC',
    `--service-cluster-ip-range=${serviceCidr}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${file('accounts.key')}`,
    `--service-account-signing-key-file=${file('accounts.key')}`,
    '--allow-privileged=true',
    // The address it would publish is this machine's, and 127.0.0.1 is not allowed.
    '--endpoint-reconciler-type=none',
    ...flags,
  ]
}
