/**
 * One pod's life on this node: observe the runtime, plan, launch what was planned, publish the status; again whenever
 * something happened. Tasks (an image pull, a slow stop) run beside the loop, so that a deletion never waits for them.
 */

import { pods } from '../apis/core/pod/definition.ts'
import type { Pod, PodStatus } from '../apis/core/types.gen.ts'
import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { deepEqual } from '../base/deep-equal.ts'
import type { Logger } from '../base/log.ts'
import type { Client } from '../client/client.ts'
import { retryOnConflict } from '../client/retry-on-conflict.ts'
import { isNotFound } from '../machinery/meta/api-error.ts'
import { keyOf, keyText } from '../machinery/meta/object.ts'
import type { Executor } from './execute.ts'
import { type PodAction, planPod, taskOf } from './plan-pod.ts'
import { type NodeFacts, podStatus } from './pod-status.ts'
import {
  type Ending,
  isRunning,
  type PodMemory,
  type PodView,
  type ProbeResults,
  type StartFailure,
} from './pod-view.ts'
import type { ContainerRuntime, ContainerStatus } from './runtime/runtime.ts'

/** Liveness, readiness and startup of running containers; `probes/prober.ts`. */
export interface Probes {
  /** Probes exactly these containers of the pod from now on. */
  watch(pod: Pod, ip: string | undefined, running: readonly ContainerStatus[]): void
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
  /** The pod is gone from the node: nothing of it is left. */
  readonly onFinished: (podUid: string) => void
}

/** The first restart comes at once; the ones after it wait this long, doubling. As upstream. */
const RESTART_DELAY_MS = 10_000
const RESTART_DELAY_MS_MAX = 300_000
/** A container that ran this long starts over with its back-off. */
const RESTART_RESET_MS = 600_000
/** After an error of the loop itself: the engine or the API server did not answer. */
const ERROR_DELAY_MS = 1_000
/** Between attempts of a failing task: a volume that cannot be set up, a sandbox that does not start. */
const TASK_RETRY: Backoff = { initialMs: 500, factor: 2, maxMs: 60_000 }
/** Looks even when nothing happened: events of the runtime may get lost. */
const RESYNC_MS = 60_000

export class PodWorker {
  readonly #parts: PodWorkerParts
  readonly #failures = new Map<string, StartFailure>()
  readonly #restartDelaysMs = new Map<string, number>()
  readonly #hooks = new Map<string, 'running' | 'succeeded' | 'failed'>()
  readonly #busy = new Set<string>()
  /** Tasks that failed: how often, and when they may be tried again. */
  readonly #retries = new Map<string, { readonly failures: number; readonly atMs: number }>()
  readonly #messages = new Map<string, string>()
  readonly #stop = new AbortController()
  #pod: Pod
  #volumesReady = false
  #ending: Ending | undefined
  #deleted = false
  #looping = false
  #again = false
  #timer: Timer | undefined

  constructor(pod: Pod, parts: PodWorkerParts) {
    this.#pod = pod
    this.#parts = parts
  }

  get pod(): Pod {
    return this.#pod
  }

  /** A newer state of the object. */
  update(pod: Pod): void {
    this.#pod = pod
    if (pod.metadata.deletionTimestamp) this.end({ graceSeconds: pod.metadata.deletionGracePeriodSeconds ?? 0 })
    this.wake()
  }

  /** The object is gone, by force or by namespace: end what runs, there is nobody left to tell. */
  objectDeleted(): void {
    this.#deleted = true
    this.end({ graceSeconds: 0 })
    this.wake()
  }

  /** The first reason to end counts; a later one may only shorten the grace. */
  end(ending: Omit<Ending, 'startedAtMs'>): void {
    const startedAtMs = this.#ending?.startedAtMs ?? this.#parts.clock.now()
    const graceSeconds = Math.min(ending.graceSeconds, this.#ending?.graceSeconds ?? Number.POSITIVE_INFINITY)
    this.#ending = { ...ending, ...this.#ending, startedAtMs, graceSeconds }
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
      } catch (error) {
        delayMs = ERROR_DELAY_MS
        this.#parts.log.warn('a pod could not be synchronised and is tried again', {
          pod: this.#pod.metadata.name,
          error: String(error),
        })
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
    for (const action of due) this.#launch(action)
    await this.#publish(view)
    const later = [...this.#failures.values()].map(({ retryAtMs }) => retryAtMs)
    for (const { atMs } of this.#retries.values()) later.push(atMs)
    const soonest = Math.min(plan.wakeAtMs ?? Number.POSITIVE_INFINITY, ...later.filter((time) => time > view.nowMs))
    return Math.min(RESYNC_MS, Math.max(0, soonest - view.nowMs))
  }

  async #observe(): Promise<PodView> {
    const { runtime, clock, executor, probes } = this.#parts
    const uid = this.#pod.metadata.uid ?? ''
    const [sandboxes, containers] = await Promise.all([runtime.sandboxes(uid), runtime.containers(uid)])
    for (const container of containers) {
      if (container.state === 'exited' && !this.#messages.has(container.id)) {
        this.#messages.set(container.id, await executor.terminationMessage(this.#pod, container))
      }
    }
    const running = this.#ending ? [] : containers.filter(isRunning)
    probes.watch(this.#pod, sandboxes[0]?.ips[0] ?? this.#parts.facts.hostIp, running)
    return {
      pod: this.#pod,
      sandboxes: newestFirst(sandboxes),
      containers,
      memory: this.#memory(containers),
      nowMs: clock.now(),
    }
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
      failures: new Map(this.#failures),
      restartDelaysMs: new Map(this.#restartDelaysMs),
      probes,
      hooks: new Map(this.#hooks),
      busy: new Set(this.#busy),
      ending: this.#ending,
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
        this.#volumesReady = await executor.prepareVolumes(this.#pod)
        return
      case 'create-sandbox':
        await executor.createSandbox(this.#pod, action.attempt)
        return
      case 'remove-sandbox':
        await runtime.removeSandbox(action.id)
        return
      case 'start-container':
        await this.#start(action)
        return
      case 'stop-container':
        await executor.stopContainer(this.#pod, action)
        return
      case 'remove-container':
        await runtime.removeContainer(action.id)
        return
      case 'end':
        this.end(action.ending)
        return
      case 'finish':
        await this.#finish()
        return
    }
  }

  async #start({ container, attempt, sandboxId }: Extract<PodAction, { do: 'start-container' }>): Promise<void> {
    const { name } = container.spec
    const previous = (await this.#parts.runtime.containers(this.#pod.metadata.uid)).find(
      (instance) => instance.name === name && instance.attempt === attempt - 1,
    )
    const result = await this.#parts.executor.startContainer(this.#pod, {
      container,
      attempt,
      sandboxId,
      failure: this.#failures.get(name),
    })
    if ('retryAtMs' in result) {
      this.#failures.set(name, result)
      return
    }
    this.#failures.delete(name)
    if (attempt > 0) this.#restartDelaysMs.set(name, nextDelayMs(this.#restartDelaysMs.get(name), previous))
    if (!container.spec.lifecycle?.postStart) return
    this.#hooks.set(result.containerId, 'running')
    this.wake()
    const succeeded = await this.#parts.executor.postStart(this.#pod, container, result.containerId)
    this.#hooks.set(result.containerId, succeeded ? 'succeeded' : 'failed')
  }

  async #finish(): Promise<void> {
    const { runtime, executor, client, onFinished } = this.#parts
    const uid = this.#pod.metadata.uid ?? ''
    if (!this.#deleted && !this.#pod.metadata.deletionTimestamp) return
    for (const { id } of await runtime.containers(uid)) await runtime.removeContainer(id)
    await executor.tearDown(uid)
    if (!this.#deleted) {
      await client
        .of(pods)
        .delete(keyOf(this.#pod), { uid, gracePeriodSeconds: 0 })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error
        })
    }
    this.abandon()
    onFinished(uid)
  }

  // ---- status

  async #publish(view: PodView): Promise<void> {
    if (this.#deleted) return
    const { client, facts } = this.#parts
    const status = podStatus(view, facts, this.#messages)
    if (deepEqual(status, this.#pod.status)) return
    let current = this.#pod
    await retryOnConflict(async () => {
      const updated = await client
        .of(pods)
        .update({ ...current, status: mergedStatus(status, current) }, { subresource: 'status' })
        .catch(async (error: unknown) => {
          current = await client.of(pods).get(keyOf(this.#pod))
          throw error
        })
      if (updated.metadata.uid === this.#pod.metadata.uid) this.#pod = updated
    }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error
    })
  }
}

/** What others put into the status stays: conditions of other types, a nominated node, a resize in progress. */
function mergedStatus(status: PodStatus, { status: current, spec }: Pod): PodStatus {
  const own = new Set(status.conditions?.map(({ type }) => type))
  const foreign = (current?.conditions ?? []).filter(({ type }) => !own.has(type))
  const gates = new Set(spec?.readinessGates?.map(({ conditionType }) => conditionType))
  const kept = (status.conditions ?? []).filter(({ type }) => !gates.has(type))
  const gated = (current?.conditions ?? []).filter(({ type }) => gates.has(type))
  return { ...current, ...status, conditions: [...kept, ...foreign.filter(({ type }) => !gates.has(type)), ...gated] }
}

function newestFirst<T extends { readonly createdAtMs: number }>(items: readonly T[]): readonly T[] {
  return [...items].sort((left, right) => right.createdAtMs - left.createdAtMs)
}

function nextDelayMs(delayMs: number | undefined, previous: ContainerStatus | undefined): number {
  const ranMs = (previous?.finishedAtMs ?? 0) - (previous?.startedAtMs ?? 0)
  if (delayMs === undefined || ranMs >= RESTART_RESET_MS) return RESTART_DELAY_MS
  return Math.min(delayMs * 2, RESTART_DELAY_MS_MAX)
}
