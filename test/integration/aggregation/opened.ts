/** An API server on a socket with one aggregated server behind it, and callers who say what clients would never say. */

import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import { apiServices } from '../../../src/apis/apiregistration/api-service.ts'
import type { APIService } from '../../../src/apis/apiregistration/types.gen.ts'
import { services } from '../../../src/apis/core/service/definition.ts'
import type { Client } from '../../../src/client/client.ts'
import { isAlreadyExists } from '../../../src/machinery/meta/api-error.ts'
import type { GroupVersion } from '../../../src/machinery/meta/group-version.ts'
import type { KeyPair } from '../../../src/server/auth/certificate-authority.ts'
import { type AggregatedServer, startAggregatedServer } from '../../support/aggregated-server.ts'
import { type OpenedControlPlane, openControlPlane } from '../../support/control-plane.ts'

export const GROUP = 'gadgets.example.com'
export const ROOT = `/apis/${GROUP}/v1`
export const GADGETS = `${ROOT}/namespaces/default/gadgets`
const SERVICE = { namespace: 'default', name: 'gadgets' }

export interface Opened extends AsyncDisposable {
  readonly plane: OpenedControlPlane
  readonly backend: AggregatedServer
  /** Who may everything. */
  readonly client: Client
  readonly admin: KeyPair
  /** Everything that is answered to these bytes until the connection ends, or until `enough` says so. */
  exchange(bytes: string, enough?: (heard: string) => boolean): Promise<string>
  /** A connection of the administrator's. */
  dial(): Promise<TLSSocket>
}

export async function openAggregation(config: { readonly http2?: boolean } = {}): Promise<Opened> {
  await using stack = new AsyncDisposableStack()
  const backend = stack.use(await startAggregatedServer({ group: GROUP, names: ['gadgets.default.svc'] }))
  const plane = stack.use(await openControlPlane({ config: { name: 'agg-proxy', ...config } }))
  const client = plane.controlPlane.clientAs({ name: 'system:apiserver', groups: ['system:masters'] })
  await register(client, backend)
  const admin = await plane.user('admin', 'system:masters')
  const dial = async () => {
    const { port, authority } = plane.controlPlane
    const identity = { cert: admin.certificate, key: admin.key }
    const socket = connect({ host: '127.0.0.1', port, ca: authority.certificate, ...identity })
    await once(socket, 'secureConnect')
    return socket
  }
  await until(async () => (await plane.ask('GET', ROOT, { as: admin })).status === 200)
  const owned = stack.move()
  return {
    ...{ plane, backend, client, admin, dial },
    async exchange(bytes, enough = () => false) {
      const socket = await dial()
      let heard = ''
      const done = new Promise<void>((resolve) => {
        socket.on('data', (chunk: Buffer) => {
          heard += chunk.toString('latin1')
          if (enough(heard)) resolve()
        })
        socket.on('close', () => resolve())
        socket.on('error', () => resolve())
      })
      socket.write(bytes)
      await done
      socket.destroy()
      return heard
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** Asks again in the turns of the event loop; the test's own limit of time ends it. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await setImmediate()
}

/** Registers it for `version.group`, and says that it is available. */
export async function register(
  client: Client,
  { port, caBundle }: AggregatedServer,
  { group, version }: GroupVersion = { group: GROUP, version: 'v1' },
): Promise<void> {
  const spec = { type: 'ExternalName', externalName: 'localhost' } as const
  await client.of(services).create({ metadata: SERVICE, spec }).catch(undefinedIfExists)
  const created = await client.of(apiServices).create({
    metadata: { name: `${version}.${group}` },
    spec: { group, version, groupPriorityMinimum: 2_000, versionPriority: 10, caBundle, service: { ...SERVICE, port } },
  })
  await setAvailable(client, created)
}

async function setAvailable(client: Client, service: APIService): Promise<void> {
  const available = { type: 'Available', status: 'True', reason: 'Passed', message: 'all checks passed' }
  await client.of(apiServices).update({ ...service, status: { conditions: [available] } }, { subresource: 'status' })
}

function undefinedIfExists(error: unknown): undefined {
  if (!isAlreadyExists(error)) throw error
}
