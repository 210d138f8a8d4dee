/**
 * The container runtime contract without processes: thousands of pods in one process, on any clock. It forgets
 * everything with the process that runs it, as a machine does that loses power.
 */

import { duplexPair, type Writable } from 'node:stream'
import type { Clock } from '../../base/clock.ts'
import { sha256Hex } from '../../base/hash.ts'
import type { Random } from '../../base/random.ts'
import { checkReference } from './image-reference.ts'
import { createPodEventQueue, type PodEventQueue } from './pod-event-queue.ts'
import type { PodNetwork } from './pod-network.ts'
import {
  type ContainerRuntime,
  type ImageStatus,
  type LogLine,
  type LogOptions,
  type ProcessStreams,
  RuntimeError,
  type SandboxConfig,
  type SandboxStatus,
} from './runtime.ts'
import { type PodBehavior, runForever, SimulatedContainer } from './simulated-container.ts'

export interface SimulatedRuntimeOptions {
  readonly clock: Clock
  readonly random: Random
  /** Gives addresses; `pid` is 0. */
  readonly network: PodNetwork
  /** What containers do. Default: run for ever. */
  readonly behavior?: PodBehavior | undefined
  /** Throws to make a pull fail. Default: every image can be had at once. */
  readonly pull?: ((reference: string) => Promise<void>) | undefined
}

interface Sandbox {
  readonly status: SandboxStatus
  readonly config: SandboxConfig
}

interface State {
  readonly options: SimulatedRuntimeOptions
  readonly sandboxes: Map<string, Sandbox>
  readonly containers: Map<string, SimulatedContainer>
  /** The same by the pod's uid: a look at one pod costs what that pod has. */
  readonly sandboxesOf: Map<string, Set<Sandbox>>
  readonly containersOf: Map<string, Set<SimulatedContainer>>
  readonly images: Map<string, ImageStatus>
  readonly queues: Set<PodEventQueue>
}

export function createSimulatedRuntime(options: SimulatedRuntimeOptions): ContainerRuntime {
  const state: State = {
    options,
    sandboxes: new Map(),
    containers: new Map(),
    sandboxesOf: new Map(),
    containersOf: new Map(),
    images: new Map(),
    queues: new Set(),
  }
  return {
    version: async () => ({ name: 'simulated', version: '1', apiVersion: '1' }),
    ...sandboxMethods(state),
    ...containerMethods(state),
    ...imageMethods(state),
    ...streamMethods(state),
    events: (signal) => eventsOf(state, signal),
    async [Symbol.asyncDispose]() {
      for (const container of state.containers.values()) container.kill()
    },
  }
}

type SandboxMethods = Pick<ContainerRuntime, 'sandboxes' | 'runSandbox' | 'removeSandbox'>

function sandboxMethods(state: State): SandboxMethods {
  const { sandboxes, sandboxesOf, options } = state
  return {
    async sandboxes(podUid) {
      const found = podUid === undefined ? sandboxes.values() : (sandboxesOf.get(podUid) ?? [])
      return Array.from(found, ({ status }) => status)
    },
    async runSandbox(config) {
      const { pod, attempt, hostNetwork } = config
      const ips = hostNetwork ? [] : (await options.network.attach({ ...pod, pid: 0 })).ips
      const id = newId(options.random)
      const createdAtMs = options.clock.now()
      const status: SandboxStatus = { id, pod, attempt, state: 'ready', createdAtMs, ips, hostNetwork }
      const sandbox = { status, config }
      sandboxes.set(id, sandbox)
      addTo(sandboxesOf, pod.uid, sandbox)
      announce(state, pod.uid)
      return status
    },
    async removeSandbox(id) {
      const sandbox = sandboxes.get(id)
      if (!sandbox) return
      const { uid } = sandbox.status.pod
      for (const container of state.containersOf.get(uid) ?? []) if (container.sandboxId === id) container.kill()
      sandboxes.delete(id)
      removeFrom(sandboxesOf, uid, sandbox)
      if (!sandboxesOf.has(uid)) await options.network.detach(uid)
      announce(state, uid)
    },
  }
}

type ContainerMethods = Pick<
  ContainerRuntime,
  | 'containers'
  | 'createContainer'
  | 'startContainer'
  | 'stopContainer'
  | 'removeContainer'
  | 'updateContainer'
  | 'usage'
>

function containerMethods(state: State): ContainerMethods {
  const { sandboxes, containers, containersOf, options } = state
  return {
    async containers(podUid) {
      const found = podUid === undefined ? containers.values() : (containersOf.get(podUid) ?? [])
      return Array.from(found, (container) => container.status())
    },
    async createContainer(sandboxId, config) {
      const sandbox = sandboxes.get(sandboxId)
      if (!sandbox) throw new RuntimeError('CreateContainerError', `sandbox ${sandboxId} is not there`)
      const { pod } = sandbox.status
      const id = newId(options.random)
      const onChange = () => announce(state, pod.uid)
      const container = new SimulatedContainer({ id, sandboxId, pod, config, clock: options.clock, onChange })
      containers.set(id, container)
      addTo(containersOf, pod.uid, container)
      return id
    },
    async startContainer(id) {
      const container = existing(state, id)
      const sandbox = sandboxes.get(container.sandboxId)
      if (!sandbox) throw new RuntimeError('RunContainerError', `sandbox ${container.sandboxId} is not there`)
      if (container.state !== 'created') return
      container.start(options.behavior ?? runForever, sandbox.config.annotations)
    },
    stopContainer: async (id, graceSeconds) => containers.get(id)?.stop(graceSeconds * 1000),
    async removeContainer(id) {
      const container = containers.get(id)
      if (!container) return
      container.kill()
      containers.delete(id)
      removeFrom(containersOf, container.pod.uid, container)
    },
    // Limits change nothing here: a behaviour says itself what it uses.
    updateContainer: async (id) => void existing(state, id),
    async usage(id) {
      const container = containers.get(id)
      return container?.state === 'running' ? container.usage() : undefined
    },
  }
}

type ImageMethods = Pick<ContainerRuntime, 'images' | 'image' | 'pullImage' | 'removeImage'>

function imageMethods({ images, options }: State): ImageMethods {
  return {
    images: async () => [...images.values()],
    async image(reference) {
      checkReference(reference)
      return images.get(reference)
    },
    async pullImage(reference) {
      checkReference(reference)
      await options.pull?.(reference)
      const id = `sha256:${sha256Hex(reference)}`
      const image: ImageStatus = { id, tags: [reference], digests: [], sizeBytes: 0, user: { uid: 0 } }
      images.set(reference, image)
      return image
    },
    removeImage: async (reference) => void images.delete(reference),
  }
}

type StreamMethods = Pick<ContainerRuntime, 'exec' | 'attach' | 'connect' | 'logs'>

function streamMethods(state: State): StreamMethods {
  return {
    async exec(id, command, streams, { signal }) {
      const container = existing(state, id)
      if (container.state !== 'running') throw new RuntimeError('ExecError', `container ${id} does not run`)
      signal?.throwIfAborted()
      const { stdout, stderr, code } = await container.exec({ command, stdin: streams.stdin })
      signal?.throwIfAborted()
      if (stdout) streams.stdout?.write(stdout)
      if (stderr) (streams.stderr ?? streams.stdout)?.write(stderr)
      return code ?? 0
    },
    attach: (id, streams, signal) => attachTo(existing(state, id), streams, signal),
    async connect(sandboxId, port) {
      for (const container of state.containers.values()) {
        const handler = container.sandboxId === sandboxId ? container.ports.get(port) : undefined
        if (!handler) continue
        const [near, far] = duplexPair()
        handler(far)
        return near
      }
      throw new RuntimeError('ConnectError', `connect ECONNREFUSED 127.0.0.1:${port}`)
    },
    logs: (id, options, signal) => logsOf(existing(state, id), options, signal),
  }
}

async function attachTo(
  container: SimulatedContainer,
  { stdin, stdout, stderr }: ProcessStreams,
  signal: AbortSignal | undefined,
): Promise<void> {
  // A behaviour reads no input; it must not hold up whoever sends some.
  stdin?.resume()
  const target = (stream: LogLine['stream']): Writable | undefined => (stream === 'stdout' ? stdout : stderr)
  for await (const { stream, bytes } of followed(container, signal)) target(stream)?.write(bytes)
}

async function* logsOf(
  container: SimulatedContainer,
  { follow, tailLines, sinceMs }: LogOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine> {
  // Followed before the past is read out, so that nothing falls between.
  const live = follow ? followed(container, signal) : undefined
  const since = container.log.filter(({ timestamp }) => sinceMs === undefined || Date.parse(timestamp) >= sinceMs)
  yield* tailLines === undefined ? since : since.slice(Math.max(0, since.length - tailLines))
  if (live) yield* live
}

function followed(container: SimulatedContainer, signal: AbortSignal | undefined): AsyncIterable<LogLine> {
  const queue = container.follow()
  const stop = () => container.unfollow(queue)
  void container.finished(signal).then(stop)
  return queue
}

async function* eventsOf(
  { queues, sandboxes }: State,
  signal: AbortSignal,
): AsyncGenerator<{ readonly podUid: string }> {
  const queue = createPodEventQueue()
  if (signal.aborted) return
  queues.add(queue)
  for (const { status } of sandboxes.values()) queue.announce(status.pod.uid)
  signal.addEventListener('abort', queue.end, { once: true })
  try {
    yield* queue
  } finally {
    queues.delete(queue)
    signal.removeEventListener('abort', queue.end)
  }
}

function announce({ queues }: State, podUid: string): void {
  for (const queue of queues) queue.announce(podUid)
}

function existing({ containers }: State, id: string): SimulatedContainer {
  const container = containers.get(id)
  if (!container) throw new RuntimeError('NotFound', `container ${id} is not there`)
  return container
}

function addTo<T>(groups: Map<string, Set<T>>, uid: string, item: T): void {
  const group = groups.get(uid)
  if (group) group.add(item)
  else groups.set(uid, new Set([item]))
}

function removeFrom<T>(groups: Map<string, Set<T>>, uid: string, item: T): void {
  const group = groups.get(uid)
  group?.delete(item)
  if (group?.size === 0) groups.delete(uid)
}

function newId(random: Random): string {
  return Buffer.from(random.bytes(32)).toString('hex')
}
