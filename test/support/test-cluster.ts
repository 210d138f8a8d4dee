/**
 * A real API server in memory with real controllers and no nodes: what kubelets would report is written by the test.
 * Time stands still until the test moves it.
 */

import { builtinResources } from '../../src/apis/builtin.ts'
import { pods } from '../../src/apis/core/pod/definition.ts'
import type { Pod } from '../../src/apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../src/apis/definition.ts'
import type { FakeClock } from '../../src/base/fake-clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import type { Client } from '../../src/client/client.ts'
import { createInformers, type Informers } from '../../src/client/informers.ts'
import { createLoopbackTransport } from '../../src/client/loopback-transport.ts'
import { createClient } from '../../src/client/resource-client.ts'
import type { Controller } from '../../src/controllers/runtime/controller.ts'
import { startControllers } from '../../src/controllers/runtime/manager.ts'
import { type KubeObject, keyOf } from '../../src/machinery/meta/object.ts'
import { formatTime } from '../../src/machinery/meta/time.ts'
import type { ServerDependencies } from '../../src/server/server.ts'
import { ADMIN, createTestServer } from './test-server.ts'

export interface TestCluster extends AsyncDisposable {
  readonly client: Client
  readonly informers: Informers
  readonly clock: FakeClock
  /** Resolves with the first answer of `find` that is not undefined; it is asked again after every change. */
  eventually<T extends KubeObject, Found>(
    definition: ResourceDefinition<T>,
    find: (objects: readonly T[]) => Found | undefined,
  ): Promise<Found>
  /** What a kubelet reports of a pod that runs on `node` and is ready, or is not. */
  reportReady(pod: Pod, ready?: boolean): Promise<Pod>
  /** What a kubelet reports of a pod that has run to its end. */
  reportPhase(pod: Pod, phase: 'Succeeded' | 'Failed'): Promise<Pod>
  /** Removes a pod for good, as its kubelet does when the containers have stopped. */
  finish(pod: Pod): Promise<void>
}

/** Long enough for a slow machine; a test that waits longer waits for what never comes. */
const EVENTUALLY_MS = 10_000

export async function createTestCluster(
  controllers: readonly Controller[],
  overrides: Partial<ServerDependencies> = {},
): Promise<TestCluster> {
  await using stack = new AsyncDisposableStack()
  const { server, clock } = stack.use(createTestServer(builtinResources, overrides))
  const client = createClient(createLoopbackTransport(server.handle, ADMIN))
  const parts = { client, clock, random: seededRandom(1), log: silentLogger }
  const informers = stack.use(createInformers(parts))
  stack.use(startControllers(controllers, { ...parts, clientOf: () => client, informers }))
  const report = (pod: Pod, body: object) =>
    client.of(pods).patch(keyOf(pod), { type: 'strategic', body }, { subresource: 'status' })
  const owned = stack.move()
  return {
    client,
    informers,
    clock,
    eventually: (definition, find) => eventually(informers, definition, find),
    reportReady: (pod, ready = true) => report(pod, readyStatus(ready, formatTime(clock.now()))),
    reportPhase: (pod, phase) => report(pod, { status: { phase } }),
    finish: async (pod) => void (await client.of(pods).delete(keyOf(pod), { gracePeriodSeconds: 0 })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

function readyStatus(ready: boolean, lastTransitionTime: string): object {
  const status = ready ? 'True' : 'False'
  return { status: { phase: 'Running', conditions: [{ type: 'Ready', status, lastTransitionTime }] } }
}

async function eventually<T extends KubeObject, Found>(
  informers: Informers,
  definition: ResourceDefinition<T>,
  find: (objects: readonly T[]) => Found | undefined,
): Promise<Found> {
  const informer = informers.of(definition)
  // What held once may hold no more when who waits for it goes on.
  const seen: { found?: Found | undefined } = {}
  const holds = (): boolean => {
    seen.found = find(informer.list())
    return seen.found !== undefined
  }
  try {
    await informer.until(holds, AbortSignal.timeout(EVENTUALLY_MS))
  } catch {
    throw new Error(`still waiting; there is ${informer.list().map(withoutManagedFields).join('\n')}`)
  }
  if (seen.found === undefined) throw new Error('the condition held and nothing was found')
  return seen.found
}

function withoutManagedFields(object: KubeObject): string {
  return JSON.stringify({ ...object, metadata: { ...object.metadata, managedFields: undefined } })
}
