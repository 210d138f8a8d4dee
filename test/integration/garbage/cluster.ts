/** The real API server in memory with some controllers, on a clock that moves only when told to. */

import { builtinResources } from '../../../src/apis/builtin.ts'
import type { ResourceDefinition } from '../../../src/apis/definition.ts'
import type { FakeClock } from '../../../src/base/fake-clock.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import type { Client } from '../../../src/client/client.ts'
import { createInformers, type Informers } from '../../../src/client/informers.ts'
import { createLoopbackTransport } from '../../../src/client/loopback-transport.ts'
import { createClient } from '../../../src/client/resource-client.ts'
import type { Controller } from '../../../src/controllers/runtime/controller.ts'
import { startControllers } from '../../../src/controllers/runtime/manager.ts'
import type { KubeObject, ObjectKey } from '../../../src/machinery/meta/object.ts'
import { ADMIN, createTestServer } from '../../support/test-server.ts'

export interface ControllerCluster extends AsyncDisposable {
  readonly client: Client
  readonly informers: Informers
  readonly clock: FakeClock
  /** Resolves with the object when it satisfies the condition. */
  until<T extends KubeObject>(
    definition: ResourceDefinition<T>,
    key: ObjectKey,
    holds: (object: T) => boolean,
  ): Promise<T>
  untilGone<T extends KubeObject>(definition: ResourceDefinition<T>, key: ObjectKey): Promise<void>
}

export async function startCluster(controllers: readonly Controller[]): Promise<ControllerCluster> {
  const stack = new AsyncDisposableStack()
  const server = stack.use(createTestServer(builtinResources))
  const { clock } = server
  const client = createClient(createLoopbackTransport(server.server.handle, ADMIN))
  const parts = { client, clock, random: seededRandom(7), log: silentLogger }
  const informers = stack.use(createInformers(parts))
  stack.use(startControllers(controllers, { ...parts, informers }))
  await informers.whenSynced()
  return {
    client,
    informers,
    clock,
    until: async (definition, key, holds) => {
      const informer = informers.of(definition)
      const found = () => {
        const object = informer.get(key)
        return object && holds(object) ? object : undefined
      }
      await informer.until(() => found() !== undefined)
      const object = found()
      if (!object) throw new Error('the condition does not hold any more')
      return object
    },
    untilGone: async (definition, key) => {
      const informer = informers.of(definition)
      await informer.until(() => informer.get(key) === undefined)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
