/** A node agent on the simulated runtime against the real API server in memory. Time passes only while something is waited for. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { builtinResources } from '../../../src/apis/builtin.ts'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { events as eventResource } from '../../../src/apis/core/event.ts'
import { nodes } from '../../../src/apis/core/node.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { secrets } from '../../../src/apis/core/secret.ts'
import type { Pod, PodSpec } from '../../../src/apis/core/types.gen.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { createEventRecorder } from '../../../src/client/events.ts'
import { createInformers } from '../../../src/client/informers.ts'
import { createLoopbackTransport } from '../../../src/client/loopback-transport.ts'
import { createClient } from '../../../src/client/resource-client.ts'
import type { ObjectMeta } from '../../../src/machinery/meta/object.ts'
import { createExecutor } from '../../../src/node/execute.ts'
import { type Kubelet, startKubelet } from '../../../src/node/kubelet.ts'
import { createHookRunner } from '../../../src/node/lifecycle-hooks.ts'
import { createPodDirectory } from '../../../src/node/pod-directory.ts'
import { Prober } from '../../../src/node/probes/prober.ts'
import { createProbeRunner } from '../../../src/node/probes/run-probe.ts'
import { admitPod } from '../../../src/node/resources/admission.ts'
import type { ContainerRuntime } from '../../../src/node/runtime/runtime.ts'
import type { PodBehavior } from '../../../src/node/runtime/simulated-container.ts'
import { createSimulatedRuntime } from '../../../src/node/runtime/simulated-runtime.ts'
import { createStartContainer } from '../../../src/node/start-container.ts'
import { createPodVolumes } from '../../../src/node/volumes/volumes.ts'
import { ADMIN, createTestServer } from '../../support/test-server.ts'

export const NODE = 'node-1'
const NODE_IP = '192.0.2.1'
const CAPACITY = { cpu: '4', memory: '8Gi', pods: '20' }

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
  await client
    .of(nodes)
    .create({ metadata: { name: NODE }, spec: {}, status: { capacity: CAPACITY, allocatable: CAPACITY } })
  const files = createPodDirectory(directory)
  const agent = { kubelet: await startAgent({ client, informers, runtime, clock, random, files }) }
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
        spec: { nodeName: NODE, containers: [{ name: 'main', image: 'app:1' }], ...spec },
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
      agent.kubelet = await startAgent({ client, informers, runtime, clock, random, files })
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
  return process.getActiveResourcesInfo().some((name) => name.startsWith('FSReq'))
}

interface AgentParts {
  readonly client: ReturnType<typeof createClient>
  readonly informers: ReturnType<typeof createInformers>
  readonly runtime: ContainerRuntime
  readonly clock: ReturnType<typeof createTestServer>['clock']
  readonly random: ReturnType<typeof seededRandom>
  readonly files: ReturnType<typeof createPodDirectory>
}

async function startAgent({ client, informers, runtime, clock, random, files }: AgentParts): Promise<Kubelet> {
  const log = silentLogger
  informers.of(nodes)
  const events = createEventRecorder({ client, clock, log, component: 'kubelet', host: NODE })
  const sources = {
    configMap: (namespace: string, name: string) => informers.of(configMaps).get({ namespace, name }),
    secret: (namespace: string, name: string) => informers.of(secrets).get({ namespace, name }),
    services: () => [],
    allocatable: CAPACITY,
    hostIp: NODE_IP,
  }
  const volumes = createPodVolumes({
    directory: files,
    files: { ...sources, tokens: { token: async () => `token-${clock.now()}` } },
    claims: { claim: () => undefined, persistentVolume: () => undefined },
    clock,
  })
  const http = async () => ({ status: 200, body: '' })
  const startContainer = createStartContainer({
    runtime,
    volumes,
    directory: files,
    events,
    sources,
    dns: { clusterDns: '10.96.0.10', domain: 'cluster.local', nodeResolvConf: '' },
    nodeHosts: '',
    memoryCapacityBytes: 8 * 2 ** 30,
    pullCredentials: () => undefined,
    clock,
  })
  const hooks = createHookRunner({ runtime, clock, http })
  const executor = createExecutor({ runtime, volumes, directory: files, events, hooks, startContainer, clock })
  const wake = { pod: (_uid: string) => {} }
  const run = createProbeRunner(runtime, http)
  const probes = new Prober({ run, clock, random, events, onChange: (uid) => wake.pod(uid) })
  const kubelet = startKubelet({
    nodeName: NODE,
    client,
    informers,
    runtime,
    executor,
    probes,
    facts: { runtimeName: 'simulated', hostIp: NODE_IP },
    volumes,
    directory: files,
    clock,
    log,
    admit: (pod, others) => {
      const node = informers.of(nodes).get({ name: NODE })
      return node && admitPod(pod, others, node)
    },
  })
  wake.pod = (uid) => kubelet.wake(uid)
  await informers.whenSynced()
  return kubelet
}
