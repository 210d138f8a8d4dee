/** A node agent on the simulated runtime against the real API server in memory. Time passes only while something is waited for. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { builtinResources } from '../../../src/apis/builtin.ts'
import { events as eventResource } from '../../../src/apis/core/event.ts'
import { nodes } from '../../../src/apis/core/node.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import type { Pod, PodSpec } from '../../../src/apis/core/types.gen.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { createInformers } from '../../../src/client/informers.ts'
import { createLoopbackTransport } from '../../../src/client/loopback-transport.ts'
import { createClient } from '../../../src/client/resource-client.ts'
import type { ObjectMeta } from '../../../src/machinery/meta/object.ts'
import { createPodDirectory } from '../../../src/node/pod-directory.ts'
import type { ContainerRuntime } from '../../../src/node/runtime/runtime.ts'
import type { PodBehavior } from '../../../src/node/runtime/simulated-container.ts'
import { createSimulatedRuntime } from '../../../src/node/runtime/simulated-runtime.ts'
import { NODE_CAPACITY, NODE_NAME, startNodeAgent } from '../../support/node-agent.ts'
import { ADMIN, createTestServer } from '../../support/test-server.ts'

/** Turns of the event loop before time passes: what files and promises need. */
const IDLE_TURNS = 25
/** How far time passes at once, and at most while one thing is waited for. */
const STEP_MS = 250
const WAIT_MS_MAX = 900_000

export interface NodeHarnessOptions {
  readonly behavior?: PodBehavior
  readonly pull?: (reference: string) => Promise<void>
}

export type NodeHarness = Awaited<ReturnType<typeof startNodeHarness>>

export async function startNodeHarness(options: NodeHarnessOptions = {}) {
  const cleanup = new AsyncDisposableStack()
  const directory = await mkdtemp(join(tmpdir(), 't8s-node-'))
  cleanup.defer(() => rm(directory, { recursive: true, force: true }))
  const server = cleanup.use(createTestServer(builtinResources))
  const { clock } = server
  const random = seededRandom(5)
  const client = createClient(createLoopbackTransport(server.server.handle, ADMIN))
  const informers = cleanup.use(createInformers({ client, clock, random, log: silentLogger }))
  let address = 1
  const network = { attach: async () => ({ ips: [`10.9.0.${address++}`] }), detach: async () => {} }
  const runtime = cleanup.use(createSimulatedRuntime({ clock, random, network, ...options }))
  await client.of(nodes).create({
    metadata: { name: NODE_NAME },
    spec: {},
    status: { capacity: NODE_CAPACITY, allocatable: NODE_CAPACITY },
  })
  const files = createPodDirectory(directory)
  const agentParts = {
    client,
    informers,
    runtime,
    clock,
    random,
    files,
    http: async () => ({ status: 200, body: '' }),
    runtimeName: 'simulated',
    nodeIp: '192.0.2.1',
  }
  const agent = { kubelet: await startNodeAgent(agentParts) }
  cleanup.defer(() => agent.kubelet[Symbol.asyncDispose]())

  const podOf = (name: string) => informers.of(pods).get({ namespace: 'default', name })
  /** Waits until the condition holds, letting time pass. */
  const until = async <T>(what: string, look: () => T | undefined | false): Promise<T> => {
    for (let passedMs = 0; passedMs < WAIT_MS_MAX; passedMs += STEP_MS) {
      for (let turn = 0; turn < IDLE_TURNS; turn++) {
        const found = look()
        if (found) return found
        await nextTurn()
        if (filesAreBusy()) turn = 0
      }
      await clock.advance(STEP_MS)
    }
    throw new Error(`${what}: not within ${WAIT_MS_MAX / 1000} s`)
  }
  return {
    client,
    clock,
    runtime,
    directory,
    files,
    until,
    podOf,
    addPod: (name: string, spec: Partial<PodSpec> = {}, metadata: ObjectMeta = {}) =>
      client.of(pods).create({
        metadata: { name, namespace: 'default', ...metadata },
        spec: { nodeName: NODE_NAME, containers: [{ name: 'main', image: 'app:1' }], ...spec },
      }),
    untilPod: (name: string, holds: (pod: Pod) => boolean) =>
      until(`pod ${name}`, () => {
        const pod = podOf(name)
        return pod && holds(pod) && pod
      }),
    /** Like `until`, for what only the runtime can tell. */
    untilRuntime: async (what: string, look: (runtime: ContainerRuntime) => Promise<boolean>) => {
      let holds = false
      await until(what, () => {
        void look(runtime).then((answer) => {
          holds = answer
        })
        return holds
      })
    },
    untilGone: (name: string) => until(`end of pod ${name}`, () => podOf(name) === undefined),
    /** Another agent takes over, as after a restart of the process. */
    async restartAgent() {
      await agent.kubelet[Symbol.asyncDispose]()
      agent.kubelet = await startNodeAgent(agentParts)
    },
    eventsOf: async (name: string) => {
      const { items } = await client.of(eventResource).list({ namespace: 'default' })
      return items.filter(({ involvedObject }) => involvedObject.name === name)
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  }
}

/** Files take real time, in which no other may pass. */
function filesAreBusy(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^(FSReq|FileHandle)/.test(name))
}
