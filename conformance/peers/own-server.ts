/** The API server of t8s alone: memory storage, what every cluster has from its first moment, no controllers, no nodes. */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { bootstrap } from '../../src/cluster/bootstrap.ts'
import { resolveConfig } from '../../src/cluster/config.ts'
import { startControlPlane } from '../../src/cluster/control-plane.ts'
import { createEnvironment } from '../../src/cluster/environment.ts'
import type { SecuritySettings } from '../../src/cluster/security/settings.ts'
import { connectPeer, type Peer } from './peer.ts'
import type { ServerPlace } from './upstream-server.ts'

interface OwnPlace extends ServerPlace {
  readonly podCidr: string
  readonly security?: SecuritySettings | undefined
}

export async function startOwn({
  directory,
  port,
  serviceCidr,
  podCidr,
  security,
}: OwnPlace): Promise<Peer & AsyncDisposable> {
  await mkdir(directory, { recursive: true })
  const environment = createEnvironment({ logLevel: 'info', logDestination: join(directory, 't8s.log'), directory })
  const config = resolveConfig({
    name: 'peers',
    home: directory,
    storage: 'memory',
    port,
    serviceCidr,
    podCidr,
    security,
  })
  await mkdir(config.directory, { recursive: true })
  await using stack = new AsyncDisposableStack()
  const parts = { config, environment, dialNode: () => undefined, checks: [], paths: [] }
  const controlPlane = stack.use(await startControlPlane(parts))
  await bootstrap(controlPlane.clientAs({ name: 'system:apiserver', groups: ['system:masters'] }), config)
  const { authority } = controlPlane
  const admin = await authority.issueClient({ commonName: 'admin', organizations: ['system:masters'] })
  const peer = stack.use(connectPeer({ name: 't8s', port, authority: authority.certificate, admin }))
  const owned = stack.move()
  return { name: peer.name, send: peer.send, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}
