/** Upstream's API server with an etcd of its own, both from the cache of binaries; no controllers, no nodes. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createCertificateAuthority } from '../../src/server/auth/certificate-authority.ts'
import { connectPeer, type Peer } from './peer.ts'
import { startProgram, until } from './processes.ts'
import { accountsKey, etcdFlags, serverFlags, type UpstreamPlaces } from './upstream-flags.ts'

export interface ServerPlace {
  /** For everything the server keeps: made, and removed by whoever made it. */
  readonly directory: string
  readonly port: number
  readonly serviceCidr: string
}

interface UpstreamPlace extends ServerPlace, UpstreamPlaces {
  /** Where the binaries lie. */
  readonly binaries: string
  /** Besides the usual ones. */
  readonly flags?: readonly string[] | undefined
}

const ETCD_START_MS = 20_000
const SERVER_START_MS = 120_000

export async function startUpstream(place: UpstreamPlace): Promise<Peer & AsyncDisposable> {
  const { directory, port, etcdPort, binaries } = place
  await mkdir(directory, { recursive: true })
  const authority = await createCertificateAuthority('peers', { clock: systemClock, random: systemRandom })
  const admin = await authority.issueClient({ commonName: 'admin', organizations: ['system:masters'] })
  await writeFile(join(directory, 'ca.crt'), authority.certificate)
  const serving = await authority.issueServer({ commonName: 'kube-apiserver', names: ['127.0.0.1', 'localhost'] })
  await writeFile(join(directory, 'server.crt'), serving.certificate)
  await writeFile(join(directory, 'server.key'), serving.key)
  await writeFile(join(directory, 'accounts.key'), accountsKey())
  await using stack = new AsyncDisposableStack()
  const stored = [...etcdFlags(place), '--unsafe-no-fsync']
  const etcd = startProgram(join(binaries, 'etcd'), stored, join(directory, 'etcd.log'))
  await until(stack.use(etcd), ETCD_START_MS, async () => (await fetch(`http://127.0.0.1:${etcdPort}/health`)).ok)
  const log = join(directory, 'kube-apiserver.log')
  const flags = [...serverFlags(place), ...(place.flags ?? [])]
  const server = stack.use(startProgram(join(binaries, 'kube-apiserver'), flags, log))
  const peer = stack.use(connectPeer({ name: 'upstream', port, authority: authority.certificate, admin }))
  await until(server, SERVER_START_MS, () => isReady(peer))
  const owned = stack.move()
  return { name: peer.name, send: peer.send, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function isReady(peer: Peer): Promise<boolean> {
  const request = { method: 'GET', url: '/readyz', headers: {}, body: undefined, anonymous: false }
  return (await peer.send(request)).status === 200
}
