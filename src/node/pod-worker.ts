/**
 * One pod's life on this node: observe the runtime, plan, launch what was planned, publish the status; again whenever
 * something happened. Tasks (an image pull, a slow stop) run beside the loop, so that a deletion never waits for them.
 */

import { pods } from '../apis/core/pod/definition.ts'
import type { Pod } from '../apis/core/types.gen.ts'
import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { messageOf } from '../base/error-text.ts'
import { afterMicrotasks } from '../base/event-loop.ts'
import type { Logger } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { isConflict, isNotFound } from '../machinery/meta/api-error.ts'
import { keyOf, keyText } from '../machinery/meta/object.ts'
import type { Executor } from './execute.ts'
import { type PodAction, planPod, taskOf } from './plan-pod.ts'
import { type NodeFacts, podStatus } from './pod-status.ts'
import {
  allocatedOf,
  type Ending,
  isRunning,
  type PodMemory,
  type PodView,
  type ProbeResults,
  type Resize,
  type StartFailure,
  sandboxOf,
} from './pod-view.ts'
import { grantResize, initialResize } from './resize.ts'
import type { ContainerRuntime, ContainerStatus } from './runtime/runtime.ts'
import { writeStatus } from './write-status.ts'

/** Liveness, readiness and startup of running containers; `probes/prober.ts`. */
export interface Probes {
  /** Probes exactly these containers of the pod from now on; for a pod that is ending, only whether they are ready. */
  watch(pod: Pod, ip: string | undefined, running: readonly ContainerStatus[], isEnding: boolean): void
  results(containerId: string): ProbeResults | undefined
  stop(podUid: string): void
}

export interface PodWorkerParts {
  readonly client: Client
  readonly runtime: ContainerRuntime
  readonly executor: Executor
  readonly probes: Probes
  readonly facts: NodeFacts
  readonly clock: Clock
  readonly log: Logger
  /** Why the node cannot give a pod's containers what they now ask for; undefined: it can. */
  readonly refuseResize?: (pod: Pod) => Resize['refusal']
  /** The pod is gone from the node: nothing of it is left. */
  readonly onFinished: (podUid: string) => void
}

/** After errors of the loop itself: the engine or the API server does not answer. */
const ERROR_RETRY: Backoff = { initialMs: 1_000, factor: 2, maxMs: 30_000 }
/** Between attempts of a failing task: a volume that cannot be set up, a sandbox that does not start. */
const TASK_RETRY: Backoff = { initialMs: 500, factor: 2, maxMs: 60_000 }
/** Rounds in a row whose status is not written because their tasks are done already; a start takes three. */
const STATUSES_SKIPPED_MAX = 10
/** Looks even when nothing happened. Events are not lost, so this only guards against surprises. */
const RESYNC_MS = 300_000

export class PodWorker {
  readonly #parts: PodWorkerParts
  readonly #failures = new Map<string, StartFailure>()
  readonly #hooks = new Map<string, 'running' | 'succeeded' | 'failed'>()
  readonly #replaced = new Set<string>()
  /** Ids of instances whose preStop hook has been run. */
  readonly #hooked = new Set<string>()
  readonly #busy = new Set<string>()
  /** Tasks that failed: how often, and when they may be tried again. */
  readonly #retries = new Map<string, { readonly failures: number; readonly atMs: number }>()
  /** Termination messages by container id. */
  readonly #messages = new Map<string, string>()
  readonly #applied = new Map<string, ReturnType<typeof allocatedOf>>()
  readonly #stop = new AbortController()
  /** Aborts when the pod begins to end: what is being started is given up. */
  readonly #starting = new AbortController()
  #pod: Pod
  #resize: Resize
  #volumesReady = false
  #sandboxAttempt = 0
  #ending: Ending | undefined
  #objectGone = false
  /** In a row. */
  #errors = 0
  /** In a row. */
  #statusesSkipped = 0
  #looping = false
  #again = false
  #timer: Timer | undefined
  /** The newest state that came while the status was being written: it may be what was written, come back. */
  #publishing = false
  #arrived: Pod | undefined
  /** The resource version of the last write. */
  #written: string | undefined

  constructor(pod: Pod, parts: PodWorkerParts) {
    this.#pod = pod
    this.#parts = parts
    this.#resize = initialResize(pod)
  }

  get pod(): Pod {
    return this.#pod
  }

  /** A newer state of the object. One that this worker has written itself, or an older one, changes nothing. */
  update(pod: Pod): void {
    if (this.#publishing && !pod.metadata.deletionTimestamp) {
      this.#arrived = pod
      return
    }
    const { resourceVersion } = pod.metadata
    if (Number(resourceVersion) < Number(this.#pod.metadata.resourceVersion) || resourceVersion === this.#written)
      return
    this.#pod = pod
    if (pod.metadata.deletionTimestamp) this.end({ graceSeconds: pod.metadata.deletionGracePeriodSeconds || undefined })
    this.wake()
  }

  /** The object is gone, by force or by namespace: end what runs, there is nobody left to tell. */
  objectDeleted(): void {
    this.#objectGone = true
    this.end({})
    this.wake()
  }

  /** Something that the pod's volumes or environment are made of changed: what failed for lack of it may work now. */
  sourcesChanged(): void {
    if (this.#retries.size === 0) return
    this.#retries.clear()
    this.wake()
  }

  /** The first reason to end counts; a later one may only shorten the grace. */
  end(ending: Omit<Ending, 'startedAtMs'>): void {
    const startedAtMs = this.#ending?.startedAtMs ?? this.#parts.clock.now()
    const graces = [ending.graceSeconds, this.#ending?.graceSeconds].filter((seconds) => seconds !== undefined)
    const graceSeconds = graces.length === 0 ? undefined : Math.min(...graces)
    this.#ending = { ...ending, ...this.#ending, startedAtMs, graceSeconds }
    this.#starting.abort(new Error('the pod is ending'))
  }

  /** Something may have changed: look again soon. */
  wake(): void {
    this.#again = true
    if (!this.#looping && !this.#stop.signal.aborted) void this.#loop()
  }

  /** Leaves everything as it is: the containers run on. */
  abandon(): void {
    this.#stop.abort()
    this.#timer?.cancel()
    this.#parts.probes.stop(this.#pod.metadata.uid ?? '')
  }

  async #loop(): Promise<void> {
    this.#looping = true
    let delayMs = RESYNC_MS
    while (this.#again && !this.#stop.signal.aborted) {
      this.#again = false
      try {
        delayMs = await this.#sync()
        this.#errors = 0
      } catch (error) {
        delayMs = backoffMs(ERROR_RETRY, this.#errors++)
        const pod = keyText(keyOf(this.#pod))
        this.#parts.log.warn('a pod could not be synchronised and is tried again', { pod, error: String(error) })
      }
    }
    this.#looping = false
    if (this.#stop.signal.aborted) return
    this.#timer?.cancel()
    this.#timer = this.#parts.clock.after(delayMs, () => this.wake())
  }

  /** One round. Answers when to look again at the latest, in ms. */
  async #sync(): Promise<number> {
    const view = await this.#observe()
    const plan = planPod(view)
    const due = plan.actions.filter((action) => (this.#retries.get(taskOf(action))?.atMs ?? 0) <= view.nowMs)
    // The last status is in the API before the object goes; everything else goes on while the API server is away.
    for (const action of due) if (action.do !== 'finish') this.#launch(action)
    if (due.length > 0 && (await this.#isOutdated())) return 0
    await this.#publish(view)
    for (const action of due) if (action.do === 'finish') this.#launch(action)
    const later = [...this.#failures.values()].map(({ retryAtMs }) => retryAtMs)
    for (const { atMs } of this.#retries.values()) later.push(atMs)
    const soonest = Math.min(plan.wakeAtMs ?? Number.POSITIVE_INFINITY, ...later.filter((time) => time > view.nowMs))
    return Math.min(RESYNC_MS, Math.max(0, soonest - view.nowMs))
  }

  /** Where tasks are done at once, nobody is told that they were begun: the next round writes what came of them. */
  async #isOutdated(): Promise<boolean> {
    await new Promise<void>(afterMicrotasks)
    const isOutdated = this.#again && this.#statusesSkipped < STATUSES_SKIPPED_MAX
    this.#statusesSkipped = isOutdated ? this.#statusesSkipped + 1 : 0
    return isOutdated
  }

  async #observe(): Promise<PodView> {
    const { runtime, clock, executor, probes, facts, refuseResize } = this.#parts
    const uid = this.#pod.metadata.uid ?? ''
    const [found, containers] = await Promise.all([runtime.sandboxes(uid), runtime.containers(uid)])
    const sandboxes = newestFirst(found)
    for (const { attempt } of sandboxes) this.#sandboxAttempt = Math.max(this.#sandboxAttempt, attempt + 1)
    this.#forget(containers)
    for (const container of containers) {
      if (container.state !== 'exited' || this.#messages.has(container.id)) continue
      this.#messages.set(container.id, await executor.terminationMessage(this.#pod, container))
      if (!this.#ending) executor.announceExit(this.#pod, container)
    }
    this.#resize = grantResize(this.#pod, this.#resize, (pod) => refuseResize?.(pod))
    const ip = sandboxOf({ sandboxes })?.ips[0] ?? facts.hostIp
    probes.watch(this.#pod, ip, containers.filter(isRunning), this.#ending !== undefined)
    return { pod: this.#pod, sandboxes, containers, memory: this.#memory(containers), nowMs: clock.now() }
  }

  /** Drops what is remembered about instances that are no longer there. */
  #forget(containers: readonly ContainerStatus[]): void {
    const ids = new Set(containers.map(({ id }) => id))
    for (const memory of [this.#hooks, this.#replaced, this.#hooked, this.#messages, this.#applied])
      for (const id of memory.keys()) if (!ids.has(id) && !this.#isStarting()) memory.delete(id)
  }

  /** An instance may have been created after the containers were listed. */
  #isStarting(): boolean {
    return [...this.#busy].some((task) => task.startsWith('start '))
  }

  #memory(containers: readonly ContainerStatus[]): PodMemory {
    const probes = new Map(
      containers.flatMap(({ id }) => {
        const results = this.#parts.probes.results(id)
        return results ? [[id, results] as const] : []
      }),
    )
    return {
      volumesReady: this.#volumesReady,
      sandboxAttempt: this.#sandboxAttempt,
      failures: new Map(this.#failures),
      replaced: new Set(this.#replaced),
      probes,
      hooks: new Map(this.#hooks),
      busy: new Set(this.#busy),
      ending: this.#ending,
      objectGone: this.#objectGone,
      resize: { ...this.#resize, applied: new Map(this.#applied) },
    }
  }

  // ---- tasks

  #launch(action: PodAction): void {
    const task = taskOf(action)
    this.#busy.add(task)
    void this.#perform(action)
      .then(() => this.#retries.delete(task))
      .catch((error: unknown) => {
        const failures = (this.#retries.get(task)?.failures ?? 0) + 1
        this.#retries.set(task, { failures, atMs: this.#parts.clock.now() + backoffMs(TASK_RETRY, failures - 1) })
        const pod = keyText(keyOf(this.#pod))
        this.#parts.log.warn('a task of a pod failed and is tried again', { pod, task, error: String(error) })
      })
      .finally(() => {
        this.#busy.delete(task)
        this.wake()
      })
  }

  async #perform(action: PodAction): Promise<void> {
    const { executor, runtime } = this.#parts
    switch (action.do) {
      case 'prepare-volumes':
        await executor.prepareVolumes(this.#pod)
        this.#volumesReady = true
        return
      case 'release-volumes':
        await executor.releaseVolumes(this.#pod.metadata.uid ?? '')
        this.#volumesReady = false
        return
      case 'create-sandbox':
        await executor.createSandbox(this.#pod, action.attempt)
        return
      case 'remove-sandbox':
        await executor.removeSandbox(this.#pod, action)
        return
      case 'start-container':
        await this.#start(action)
        return
      case 'stop-container':
        await this.#stopContainer(action)
        return
      case 'resize-container':
        await this.#resizeContainer(action)
        return
      case 'remove-container':
        await runtime.removeContainer(action.id)
        return
      case 'end':
        executor.announceEnd(this.#pod, action.ending)
        this.end(action.ending)
        return
      case 'finish':
        await this.#finish()
        return
    }
  }

  async #start(action: Extract<PodAction, { do: 'start-container' }>): Promise<void> {
    const { container } = action
    const { name } = container.spec
    const signal = this.#starting.signal
    const result = await this.#parts.executor.startContainer(this.#pod, { ...action, signal })
    if ('retryAtMs' in result) {
      this.#failures.set(name, result)
      return
    }
    this.#failures.delete(name)
    if (!container.spec.lifecycle?.postStart) return
    this.#hooks.set(result.containerId, 'running')
    this.wake()
    // Beside the task: a container whose hook hangs can still be stopped.
    void this.#parts.executor.postStart(this.#pod, container, result.containerId).then((succeeded) => {
      this.#hooks.set(result.containerId, succeeded ? 'succeeded' : 'failed')
      this.wake()
    })
  }

  async #stopContainer(action: Extract<PodAction, { do: 'stop-container' }>): Promise<void> {
    if (action.replaced) this.#replaced.add(action.id)
    const runHook = !this.#hooked.has(action.id)
    this.#hooked.add(action.id)
    await this.#parts.executor.stopContainer(this.#pod, { ...action, runHook })
  }

  async #resizeContainer({ id, container }: Extract<PodAction, { do: 'resize-container' }>): Promise<void> {
    const resources = allocatedOf({ memory: { resize: this.#resize } }, container)
    try {
      await this.#parts.executor.resizeContainer(this.#pod, id, { ...container.spec, resources })
      this.#applied.set(id, resources)
      this.#resize = { ...this.#resize, error: undefined }
    } catch (error) {
      this.#resize = { ...this.#resize, error: messageOf(error) }
      throw error
    }
  }

  async #finish(): Promise<void> {
    const { runtime, executor, client, onFinished } = this.#parts
    const uid = this.#pod.metadata.uid ?? ''
    const containers = await runtime.containers(uid)
    await Promise.all(containers.map(({ id }) => runtime.removeContainer(id)))
    await executor.tearDown(uid)
    if (!this.#objectGone) {
      await client
        .of(pods)
        .delete(keyOf(this.#pod), { uid, gracePeriodSeconds: 0 })
        .catch((error: unknown) => {
          // Gone meanwhile, or another pod has its name by now.
          if (!isNotFound(error) && !isConflict(error)) throw error
        })
    }
    this.abandon()
    onFinished(uid)
  }

  async #publish(view: PodView): Promise<void> {
    if (this.#objectGone || isForgotten(this.#pod)) return
    const { client, facts } = this.#parts
    this.#publishing = true
    try {
      const written = await writeStatus(client, this.#pod, podStatus(view, facts, this.#messages))
      this.#written = written?.metadata.resourceVersion
      if (written && Number(this.#written) >= Number(this.#pod.metadata.resourceVersion)) this.#pod = written
    } finally {
      this.#publishing = false
      const arrived = this.#arrived
      this.#arrived = undefined
      if (arrived) this.update(arrived)
    }
  }
}

/** Deleted without grace: the server removes it in the same moment, and nobody will read what is written now. */
function isForgotten({ metadata }: Pod): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers = [] } = metadata
  return Boolean(deletionTimestamp) && deletionGracePeriodSeconds === 0 && finalizers.length === 0
}

function newestFirst<T extends { readonly createdAtMs: number; readonly attempt: number }>(
  items: readonly T[],
): readonly T[] {
  return [...items].sort((left, right) => right.attempt - left.attempt || right.createdAtMs - left.createdAtMs)
}
