/**
 * The scheduler: follows nodes and pods, takes the next waiting pod, decides, assumes, binds. Decisions are in
 * `schedule.ts` and `preempt.ts`, their order in `queue.ts`; this file only carries them out.
 */

import { podClaims } from '../apis/core/persistent-volume/pod-claims.ts'
import { pods } from '../apis/core/pod/definition.ts'
import type { Pod } from '../apis/core/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/error-text.ts'
import type { Logger } from '../base/log.ts'
import { type Random, randomInteger } from '../base/random.ts'
import type { Client } from '../client/client.ts'
import type { EventRecorder } from '../client/events.ts'
import type { Informer } from '../client/informer.ts'
import type { Informers } from '../client/informers.ts'
import { isNotFound } from '../machinery/meta/api-error.ts'
import { keyOf, keyText, type ObjectKey } from '../machinery/meta/object.ts'
import { ClusterView } from './cluster-view.ts'
import { withoutPreemption, withPreemption } from './fit-message.ts'
import type { Profile } from './framework.ts'
import { type PodInfo, podInfoOf } from './pod-info.ts'
import { mayPreempt, preempt } from './preempt.ts'
import { defaultProfile } from './profile.ts'
import { type Decision, schedule } from './schedule.ts'
import type { NodeInfo } from './snapshot.ts'
import { explainNodes, type PendingExplanation } from './suggest.ts'
import { type SchedulingVerdict, Verdicts } from './verdicts.ts'
import { assumeVolumes, bindVolumes } from './volume-binder.ts'
import { planVolumes, type VolumePlan, volumesOf } from './volume-plan.ts'
import { deleteVictim, scheduledCondition, statusPatch } from './writes.ts'

export interface SchedulerParts {
  readonly client: Client
  readonly informers: Informers
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly profile?: Profile | undefined
}

export interface Scheduler extends AsyncDisposable {
  /**
   * Why the pod is pending: worked out now, from the scheduler's own view; nothing is changed. Undefined for a pod
   * that does not exist or has a node.
   */
  explainPending(key: ObjectKey): PendingReport | undefined
  /** What the last attempt found; undefined before the first and after many other pods. */
  verdict(key: ObjectKey): SchedulingVerdict | undefined
  /** How many pods are in which part of the queue. */
  queued(): Readonly<Record<string, number>>
}

export interface PendingReport extends PendingExplanation {
  /** `namespace/name`. */
  readonly pod: string
  /** When this was worked out. */
  readonly atMs: number
  /** The revision of pods it was worked out at. */
  readonly revision: number
  readonly queue: string
  /** The message of the last attempt. */
  readonly message?: string | undefined
}

/** Writes on their way at the same time: bindings, conditions, deletions of victims. */
const WRITES_MAX = 100

export function startScheduler(parts: SchedulerParts): Scheduler {
  const scheduler = new RunningScheduler(parts)
  const stopped = scheduler.run()
  return {
    explainPending: (key) => scheduler.explainPending(key),
    verdict: (key) => scheduler.verdicts.get(keyText(key)),
    queued: () => scheduler.view.queue.counts(),
    async [Symbol.asyncDispose]() {
      scheduler.stop()
      await stopped
    },
  }
}

class RunningScheduler {
  readonly verdicts = new Verdicts()
  readonly view: ClusterView
  readonly #parts: SchedulerParts
  readonly #profile: Profile
  readonly #pods: Informer<Pod>
  readonly #stopping = new AbortController()
  readonly #writes = new Set<Promise<void>>()
  /** Called when a write is done, once. */
  #onWritten: (() => void) | undefined
  #startIndex = 0

  constructor(parts: SchedulerParts) {
    this.#parts = parts
    this.#profile = parts.profile ?? defaultProfile
    this.#pods = parts.informers.of(pods)
    this.view = new ClusterView({ ...parts, profile: this.#profile, onGone: (key) => this.verdicts.delete(key) })
  }

  async run(): Promise<void> {
    try {
      await this.view.whenSynced(this.#stopping.signal)
    } catch {
      return
    }
    for (let pod = await this.view.queue.next(); pod; pod = await this.view.queue.next()) {
      this.#attempt(pod)
      if (this.#writes.size >= WRITES_MAX) await this.#oneWritten()
    }
    await Promise.all(this.#writes)
  }

  stop(): void {
    this.#stopping.abort()
    this.view[Symbol.dispose]()
  }

  explainPending(key: ObjectKey): PendingReport | undefined {
    const pod = this.#pods.get(key)
    if (!pod || pod.spec?.nodeName) return undefined
    const info = podInfoOf(pod)
    return {
      ...explainNodes(info, this.view.snapshotFor(info), this.#profile),
      pod: info.key,
      atMs: this.#parts.clock.now(),
      revision: this.#pods.revision,
      queue: this.view.queue.stateOf(info.uid) ?? 'none',
      message: this.verdicts.get(info.key)?.message,
    }
  }

  #attempt(queued: PodInfo): void {
    const current = this.#pods.get(keyOf(queued.pod))
    if (!current || current.metadata.uid !== queued.uid || current.spec?.nodeName) {
      this.view.queue.done(queued.uid)
      return
    }
    const { random, clock } = this.#parts
    const snapshot = this.view.snapshotFor(queued)
    const pick = (bound: number) => randomInteger(random, bound)
    const decision = schedule(queued, snapshot, this.#profile, { startIndex: this.#startIndex, pick }, this.view.memory)
    this.#startIndex = decision.nextIndex
    this.verdicts.set({
      pod: queued.key,
      uid: queued.uid,
      atMs: clock.now(),
      nodes: snapshot.nodes.length,
      message: decision.result === 'assigned' ? '' : decision.message,
      rejected: decision.rejected,
    })
    if (decision.result === 'assigned') {
      this.view.state.assume(queued, decision.nodeName)
      this.#place(queued, snapshot.node(decision.nodeName), decision.nodeName)
    } else {
      this.#reject(queued, decision)
    }
  }

  /** A pod whose volumes are still to be had waits for them with its place on the node kept. */
  #place(pod: PodInfo, node: NodeInfo | undefined, nodeName: string): void {
    const plan = node && this.#volumePlan(pod, node)
    if (!plan || !node) {
      this.#write(() => this.#bind(pod, nodeName))
      return
    }
    const { volumes } = this.view
    assumeVolumes(volumes, plan)
    const { client, informers, clock } = this.#parts
    const binding = { client, informers, clock, volumes, signal: this.#stopping.signal }
    bindVolumes(binding, plan, node.node).then(
      () => this.#write(() => this.#bind(pod, nodeName)),
      (error: unknown) => {
        if (this.#stopping.signal.aborted) return
        this.#write(() => this.#failed(pod, nodeName, `binding volumes: ${messageOf(error)}`))
      },
    )
  }

  /** Undefined: nothing has to be done for the pod's volumes. */
  #volumePlan({ pod }: PodInfo, { node }: NodeInfo): VolumePlan | undefined {
    if (podClaims(pod).length === 0) return undefined
    const claims = volumesOf(pod, this.view.volumes)
    if (typeof claims === 'string' || claims.waiting.length === 0) return undefined
    const plan = planVolumes(claims, node, this.view.volumes)
    return 'reasons' in plan ? undefined : plan
  }

  async #bind(pod: PodInfo, nodeName: string): Promise<void> {
    const { events } = this.#parts
    const { name = '', namespace, uid } = pod.pod.metadata
    try {
      await this.#clientFor(pod).call('POST', { namespace, name }, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target: { kind: 'Node', name: nodeName },
      })
      this.view.queue.done(pod.uid)
      this.view.forgetNomination(pod.uid)
      events.event(asPod(pod.pod), 'Normal', 'Scheduled', `Successfully assigned ${pod.key} to ${nodeName}`)
    } catch (error) {
      if (isNotFound(error)) {
        this.view.release(pod)
        this.view.queue.done(pod.uid)
        return
      }
      await this.#failed(pod, nodeName, `binding rejected: ${messageOf(error)}`)
    }
  }

  async #failed(pod: PodInfo, nodeName: string, message: string): Promise<void> {
    const { events, log } = this.#parts
    this.view.release(pod)
    log.warn('binding failed', { pod: pod.key, node: nodeName, error: message })
    this.view.queue.retry(pod.uid)
    events.event(asPod(pod.pod), 'Warning', 'FailedScheduling', message)
    await this.#setCondition(pod, 'SchedulerError', message)
  }

  #reject(pod: PodInfo, decision: Decision & { readonly result: 'unschedulable' }): void {
    const { message, chosen } = this.#considerPreemption(pod, decision)
    if (chosen) this.view.nominate(pod, chosen.nodeName)
    else this.view.forgetNomination(pod.uid)
    this.view.queue.park(pod.uid, decision.plugins)
    this.#parts.events.event(asPod(pod.pod), 'Warning', 'FailedScheduling', message)
    this.#write(async () => {
      try {
        await this.#setCondition(pod, 'Unschedulable', message, chosen?.nodeName)
        for (const victim of chosen?.victims ?? []) await this.#evict(victim, pod)
      } catch (error) {
        // Nobody leaves, so nothing else would wake it.
        if (chosen) this.#giveUpPlace(pod)
        throw error
      }
    })
  }

  #giveUpPlace(pod: PodInfo): void {
    this.view.forgetNomination(pod.uid)
    this.view.queue.wake(pod.uid)
  }

  #considerPreemption(pod: PodInfo, { message, rejected }: Decision & { readonly result: 'unschedulable' }) {
    if (pod.pod.spec?.preemptionPolicy === 'Never') return { message: withoutPreemption(message), chosen: undefined }
    const snapshot = this.view.snapshotFor(pod)
    if (!mayPreempt(pod, snapshot, this.view.nominatedNode(pod))) return { message, chosen: undefined }
    const { chosen, reasons } = preempt(pod, snapshot, this.#profile, rejected, this.view.budgets(), this.view.memory)
    return { message: chosen ? message : withPreemption(message, snapshot.nodes.length, reasons), chosen }
  }

  async #evict({ pod: known }: PodInfo, preemptor: PodInfo): Promise<void> {
    const { client, clock, events } = this.#parts
    const shown = this.#pods.get(keyOf(known))
    const victim = shown && shown.metadata.uid === known.metadata.uid ? shown : known
    try {
      await deleteVictim(client, victim, preemptor.pod, clock.now())
      const message = `Preempted by pod ${preemptor.uid} on node ${victim.spec?.nodeName ?? ''}`
      events.event(asPod(victim), 'Normal', 'Preempted', message)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  /** Writes only what differs: an attempt that finds what the one before found costs no write. */
  async #setCondition(pod: PodInfo, reason: string, message: string, nominatedNodeName?: string): Promise<void> {
    const current = this.#pods.get(keyOf(pod.pod)) ?? pod.pod
    const condition = scheduledCondition(current, reason, message, this.#parts.clock.now())
    const patch = statusPatch(current, condition, nominatedNodeName)
    if (!patch) return
    await this.#clientFor(pod).patch(keyOf(pod.pod), { type: 'strategic', body: patch }, { subresource: 'status' })
  }

  #clientFor(pod: PodInfo) {
    const cause = { by: this.#profile.schedulerName, about: `pods ${pod.key}`, revision: this.#pods.revision }
    return this.#parts.client.because(cause).of(pods)
  }

  #write(action: () => Promise<void>): void {
    const write = action()
      .catch((error: unknown) => {
        if (!isNotFound(error)) this.#parts.log.warn('a write of the scheduler failed', { error: String(error) })
      })
      .finally(() => {
        this.#writes.delete(write)
        this.#onWritten?.()
      })
    this.#writes.add(write)
  }

  #oneWritten(): Promise<void> {
    return new Promise((resolve) => {
      this.#onWritten = resolve
    })
  }
}

/** Events need to know the kind of what they are about; objects of a list do not carry it. */
function asPod(pod: Pod): Pod {
  return { ...pod, apiVersion: 'v1', kind: 'Pod' }
}
