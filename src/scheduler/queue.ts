/**
 * Pods that wait for a node. Active: to be tried now, by priority, then by age. Backoff: to be tried again a
 * little later. Unschedulable: no node fits; tried again when an event may have changed that, as the plugins
 * that rejected the pod judge, and after five minutes in any case.
 *
 * An attempt takes time, and events during it are not lost: they are kept and judged when the pod comes back.
 */

import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock, Timer } from '../base/clock.ts'
import { deepEqual } from '../base/deep-equal.ts'
import type { ClusterEvent } from './framework.ts'
import { Heap } from './heap.ts'
import type { PodInfo } from './pod-info.ts'

const BACKOFF: Backoff = { initialMs: 1000, factor: 2, maxMs: 10_000 }
/** A pod that no event has woken is tried again after this time: a safety net under the plugins' judgement. */
const UNSCHEDULABLE_MS_MAX = 300_000
/** How often the above is looked at, in ms. */
const FLUSH_PERIOD_MS = 30_000
/** Events kept for pods that are being tried; beyond, every one of them counts as woken. About 10 s of a busy cluster. */
const EVENTS_KEPT_MAX = 10_000

export interface QueueParts {
  readonly clock: Clock
  /** Whether the event may make the pod fit that these plugins rejected. */
  readonly wakes: (pod: PodInfo, plugins: ReadonlySet<string>, event: ClusterEvent) => boolean
  /** Calls back when all that has happened by now has been told. */
  readonly whenTold: (callback: () => void) => void
}

export type QueueState = 'active' | 'backoff' | 'unschedulable' | 'trying'

interface Entry {
  pod: PodInfo
  state: QueueState
  /** When the pod came into the queue first: its age. */
  readonly addedMs: number
  readonly order: number
  attempts: number
  /** Not before. */
  notBeforeMs: number
  /** When it was found unschedulable. */
  parkedMs: number
  /** Who rejected it; empty after an error. */
  plugins: ReadonlySet<string>
  /** Position in the kept events at which its attempt began. */
  eventsFrom: number
  /** Counts changes of state: tells which of its places in the heaps is the valid one. */
  moves: number
}

/** An entry's place in a heap; stale when the entry has moved on since. */
interface Place {
  readonly entry: Entry
  readonly move: number
}

export class SchedulingQueue implements Disposable {
  readonly #entries = new Map<string, Entry>()
  readonly #active = new Heap<Place>((left, right) => isBefore(left.entry, right.entry))
  readonly #backoff = new Heap<Place>((left, right) => left.entry.notBeforeMs < right.entry.notBeforeMs)
  readonly #unschedulable = new Set<Entry>()
  readonly #clock: Clock
  readonly #wakes: QueueParts['wakes']
  readonly #whenTold: QueueParts['whenTold']
  #order = 0
  /** Events since `#eventsStart`, while any pod is being tried. */
  #events: ClusterEvent[] = []
  #eventsStart = 0
  #trying = 0
  #waiting: PromiseWithResolvers<PodInfo | undefined> | undefined
  #timer: Timer | undefined
  #flushTimer: Timer | undefined
  /** Whether something is going to be handed out when all has been told. */
  #delivering = false
  #closed = false

  constructor({ clock, wakes, whenTold }: QueueParts) {
    this.#clock = clock
    this.#wakes = wakes
    this.#whenTold = whenTold
    this.#scheduleFlush()
  }

  /** A new pod, or a changed one. `gated`: not to be tried until it changes. */
  set(pod: PodInfo, gated: ReadonlySet<string>): void {
    const entry = this.#entries.get(pod.uid)
    if (!entry) {
      const added = this.#entryOf(pod, gated)
      this.#entries.set(pod.uid, added)
      this.#move(added, gated.size > 0 ? 'unschedulable' : 'active')
      this.#deliver()
      return
    }
    const previous = entry.pod
    entry.pod = pod
    if (!isChanged(pod, previous)) return
    const event: ClusterEvent = { resource: 'self', action: 'update', pod, previous }
    if (entry.state === 'trying') this.#keep(event)
    else if (entry.state === 'unschedulable' && this.#wakes(pod, entry.plugins, event)) this.#wake(entry)
    this.#deliver()
  }

  delete(uid: string): void {
    const entry = this.#entries.get(uid)
    if (!entry) return
    if (entry.state === 'trying') this.#endAttempt()
    entry.moves++
    this.#unschedulable.delete(entry)
    this.#entries.delete(uid)
  }

  /** The next pod to try, when there is one; undefined when the queue is closed. One caller. */
  next(): Promise<PodInfo | undefined> {
    if (this.#closed) return Promise.resolve(undefined)
    this.#waiting = Promise.withResolvers()
    const { promise } = this.#waiting
    this.#deliver()
    return promise
  }

  /** The attempt succeeded: the pod has left the queue. */
  done(uid: string): void {
    this.delete(uid)
  }

  /** No node fits, as these plugins say. */
  park(uid: string, plugins: ReadonlySet<string>): void {
    const entry = this.#finish(uid)
    if (!entry) return
    entry.plugins = plugins
    this.#move(entry, this.#wokenMeanwhile(entry) ? this.#wokenState(entry) : 'unschedulable')
    this.#deliver()
  }

  /** Something went wrong on the way: again after the backoff, whatever happens. */
  retry(uid: string): void {
    const entry = this.#finish(uid)
    if (!entry) return
    entry.plugins = new Set()
    this.#endAttempt()
    this.#move(entry, this.#wokenState(entry))
    this.#deliver()
  }

  /** Lets a pod go on that no event would, after its backoff. */
  wake(uid: string): void {
    const entry = this.#entries.get(uid)
    if (entry?.state !== 'unschedulable') return
    entry.plugins = new Set()
    this.#wake(entry)
    this.#deliver()
  }

  /** Lets pods go on that the event may have made schedulable. */
  notify(event: ClusterEvent): void {
    if (this.#trying > 0) this.#keep(event)
    if (this.#unschedulable.size === 0) return
    for (const entry of [...this.#unschedulable]) {
      if (!this.#wakes(entry.pod, entry.plugins, event)) continue
      this.#wake(entry)
      this.#deliverSoon()
    }
  }

  /** How many pods are in each state: a metric. */
  counts(): Readonly<Record<QueueState, number>> {
    const counts = { active: 0, backoff: 0, unschedulable: 0, trying: 0 }
    for (const { state } of this.#entries.values()) counts[state]++
    return counts
  }

  stateOf(uid: string): QueueState | undefined {
    return this.#entries.get(uid)?.state
  }

  [Symbol.dispose](): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#flushTimer?.cancel()
    this.#waiting?.resolve(undefined)
    this.#waiting = undefined
  }

  #entryOf(pod: PodInfo, gated: ReadonlySet<string>): Entry {
    const now = this.#clock.monotonic()
    return {
      pod,
      state: gated.size > 0 ? 'unschedulable' : 'active',
      addedMs: now,
      order: this.#order++,
      attempts: 0,
      notBeforeMs: 0,
      parkedMs: now,
      plugins: gated,
      eventsFrom: 0,
      moves: 0,
    }
  }

  /** Ends an attempt and counts it; undefined when the pod is gone or was not being tried. */
  #finish(uid: string): Entry | undefined {
    const entry = this.#entries.get(uid)
    if (entry?.state !== 'trying') return undefined
    const now = this.#clock.monotonic()
    entry.attempts++
    entry.parkedMs = now
    entry.notBeforeMs = now + backoffMs(BACKOFF, entry.attempts - 1)
    return entry
  }

  #wokenMeanwhile(entry: Entry): boolean {
    const missed = entry.eventsFrom < this.#eventsStart
    const events = this.#events.slice(Math.max(0, entry.eventsFrom - this.#eventsStart))
    this.#endAttempt()
    return missed || events.some((event) => this.#wakes(entry.pod, entry.plugins, event))
  }

  #wake(entry: Entry): void {
    this.#move(entry, this.#wokenState(entry))
  }

  #wokenState(entry: Entry): QueueState {
    return entry.notBeforeMs > this.#clock.monotonic() ? 'backoff' : 'active'
  }

  #move(entry: Entry, state: QueueState): void {
    this.#unschedulable.delete(entry)
    entry.state = state
    entry.moves++
    const place = { entry, move: entry.moves }
    if (state === 'active') this.#active.push(place)
    else if (state === 'backoff') this.#backoff.push(place)
    else if (state === 'unschedulable') this.#unschedulable.add(entry)
  }

  #keep(event: ClusterEvent): void {
    this.#events.push(event)
    if (this.#events.length <= EVENTS_KEPT_MAX) return
    this.#eventsStart += this.#events.length
    this.#events = []
  }

  #endAttempt(): void {
    this.#trying--
    if (this.#trying > 0) return
    this.#eventsStart += this.#events.length
    this.#events = []
  }

  /** Hands the best active pod to the waiting caller, or arranges to be called when the next one is due. */
  #deliver(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (!this.#waiting || this.#closed) return
    const now = this.#clock.monotonic()
    for (let due = first(this.#backoff); due && due.notBeforeMs <= now; due = first(this.#backoff)) {
      this.#move(due, 'active')
    }
    const next = first(this.#active)
    const later = first(this.#backoff)
    if (next) this.#hand(next, this.#waiting)
    // Nothing better to do: a pod that an event has woken need not sit out its backoff.
    else if (later && later.plugins.size > 0) this.#hand(later, this.#waiting)
    else if (later) this.#timer = this.#clock.after(later.notBeforeMs - now, () => this.#deliver())
  }

  /** Events come many at a time, and an attempt for each of them would find what the last one finds. */
  #deliverSoon(): void {
    if (this.#delivering) return
    this.#delivering = true
    this.#whenTold(() => {
      this.#delivering = false
      this.#deliver()
    })
  }

  #hand(entry: Entry, { resolve }: PromiseWithResolvers<PodInfo | undefined>): void {
    this.#move(entry, 'trying')
    entry.eventsFrom = this.#eventsStart + this.#events.length
    this.#trying++
    this.#waiting = undefined
    resolve(entry.pod)
  }

  #scheduleFlush(): void {
    this.#flushTimer = this.#clock.after(FLUSH_PERIOD_MS, () => {
      const before = this.#clock.monotonic() - UNSCHEDULABLE_MS_MAX
      for (const entry of [...this.#unschedulable]) {
        if (entry.attempts > 0 && entry.parkedMs <= before) this.#wake(entry)
      }
      this.#deliver()
      this.#scheduleFlush()
    })
  }
}

/** Changes of the status are mostly the scheduler's own. */
function isChanged(pod: PodInfo, previous: PodInfo): boolean {
  return !deepEqual(pod.pod.spec, previous.pod.spec) || !deepEqual(pod.labels, previous.labels)
}

function isBefore(left: Entry, right: Entry): boolean {
  if (left.pod.priority !== right.pod.priority) return left.pod.priority > right.pod.priority
  return left.addedMs !== right.addedMs ? left.addedMs < right.addedMs : left.order < right.order
}

/** The first entry of a heap whose place is still valid. */
function first(heap: Heap<Place>): Entry | undefined {
  for (let place = heap.peek(); place; place = heap.peek()) {
    if (place.entry.moves === place.move) return place.entry
    heap.pop()
  }
  return undefined
}
