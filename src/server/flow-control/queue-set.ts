/**
 * The requests of one priority level: those that run, within the level's limit of seats, and those that wait in fair
 * queues. Of all queues the one goes next whose oldest request would end first if every queue had been given the same
 * part of the seats since it became busy; the level's progress R counts that part, in seat-seconds for each queue.
 * The method is upstream's "fair queuing for server requests".
 *
 * While nobody waits and seats are free, a request costs the same whatever the number of queues: its queue is chosen
 * from its flow's hand, and the others are not looked at.
 */

import type { Clock } from '../../base/clock.ts'
import type { Rejection } from './flow-counts.ts'
import type { LevelMeter } from './level-meter.ts'
import type { Dispatching, Pace } from './pace.ts'
import { FairQueue, type Queues, type Ticket } from './ticket.ts'

export interface Queuing {
  /** 0: what finds no seats is turned away. */
  readonly queues: number
  readonly queueLengthMax: number
}

export interface QueueSetParts {
  readonly clock: Clock
  readonly pace: Pace
  readonly meter: LevelMeter
  /** Whether the level has no limit. */
  readonly exempt: boolean
}

/** Idle queues that are kept for reuse; a level with more of them makes them anew. */
const IDLE_QUEUES_KEPT_MAX = 1_024

/** Requests in a queue that wait for the event loop while there are seats; the level's own limit holds without seats. */
const UNSEATED_QUEUE_MAX = 1_000

export class QueueSet implements Queues, Dispatching {
  readonly meter: LevelMeter
  quiescing = false
  readonly running = new Set<Ticket>()
  seatsInUse = 0
  seatsWaiting = 0
  runningCount = 0
  waitingCount = 0
  readonly #clock: Clock
  readonly #pace: Pace
  readonly #queues = new Map<number, FairQueue>()
  /** Those in which somebody waits. */
  readonly #waitingQueues = new Set<FairQueue>()
  #queuing: Queuing = { queues: 0, queueLengthMax: 0 }
  #limit = 0
  readonly #exempt: boolean
  /** Of requests that went through queues. */
  #queueSeats = 0
  #busyCount = 0
  #progress = 0
  #progressMs: number
  #lastServed = -1
  #enqueued = 0

  constructor(parts: QueueSetParts) {
    this.#clock = parts.clock
    this.#pace = parts.pace
    this.meter = parts.meter
    this.#exempt = parts.exempt
    this.#progressMs = parts.clock.monotonic()
  }

  get isIdle(): boolean {
    return this.waitingCount === 0 && this.runningCount === 0
  }

  get queueCount(): number {
    return this.#queuing.queues
  }

  /** In order, without those in which nothing happens. */
  busyQueues(): readonly FairQueue[] {
    return [...this.#queues.values()].filter((queue) => !queue.isIdle).sort((left, right) => left.index - right.index)
  }

  queueAt(index: number): FairQueue | undefined {
    return this.#queues.get(index)
  }

  /** Queues beyond the number that is wanted serve whom they hold and are not used again. */
  configure(queuing: Queuing, limit: number): void {
    this.#pass(this.#clock.monotonic())
    this.#queuing = queuing
    this.#limit = limit
    this.#wake()
  }

  start(ticket: Ticket, unqueued: boolean): void {
    this.#pass(ticket.arrivedMs)
    ticket.arrivedAt = this.#progress
    if (unqueued || this.#exempt) this.#run(ticket)
    else if (this.#queuing.queues > 0) this.#queueUp(ticket, this.#choose(ticket.flow.hand))
    else if (this.#hasSeatsFor(ticket.width)) this.#run(ticket)
    else this.#reject(ticket, 'concurrency-limit')
  }

  #queueUp(ticket: Ticket, queue: FairQueue): void {
    ticket.queue = queue
    const isFull = this.seatsInUse >= this.#limit
    const mayBegin = this.waitingCount === 0 && !isFull && this.#hasSeatsFor(ticket.width)
    if (mayBegin && this.#pace.hasTime(ticket.arrivedMs)) {
      this.#activate(queue)
      queue.nextStart = Math.max(queue.nextStart, this.#progress)
      this.#serve(ticket, queue)
    } else if (queue.waiting.size >= this.#lengthMax(isFull)) this.#reject(ticket, 'queue-full')
    else {
      this.#enqueue(ticket, queue)
      this.#wake()
    }
  }

  #lengthMax(isFull: boolean): number {
    const { queueLengthMax } = this.#queuing
    return isFull ? queueLengthMax : Math.max(queueLengthMax, UNSEATED_QUEUE_MAX)
  }

  leave(ticket: Ticket): void {
    const { queue } = ticket
    if (ticket.standing !== 'waiting' || queue === undefined) return
    this.#pass(this.#clock.monotonic())
    this.#unqueue(ticket, queue)
    queue.bound()
    this.#demandChanged()
    this.#settle(queue)
    this.#reject(ticket, 'time-out')
    ticket.settle?.()
  }

  finish(ticket: Ticket): void {
    const nowMs = this.#clock.monotonic()
    this.#pass(nowMs)
    ticket.standing = 'over'
    this.runningCount--
    this.meter.stopped(ticket, this.runningCount, nowMs)
    const { queue } = ticket
    if (queue) {
      queue.running.delete(ticket)
      queue.nextStart -= ticket.overestimateAt(nowMs)
      queue.bound()
      this.#settle(queue)
    } else this.running.delete(ticket)
    if (ticket.finalMs <= 0) this.#release(ticket)
    else this.#clock.after(ticket.finalMs, () => this.#releaseLate(ticket))
    this.#wake()
  }

  #releaseLate(ticket: Ticket): void {
    this.#pass(this.#clock.monotonic())
    this.#release(ticket)
    this.#wake()
  }

  #release(ticket: Ticket): void {
    this.seatsInUse -= ticket.width
    if (ticket.queue) {
      ticket.queue.seatsInUse -= ticket.width
      this.#queueSeats -= ticket.width
    }
    this.meter.released(ticket, this.seatsInUse, this.#progressMs)
    this.#demandChanged()
  }

  /**
   * Progress is made by the seats in use, in equal parts for every queue that is busy. Upstream counts those that are
   * waited for too, which is the same where free seats are never waited for.
   */
  #pass(nowMs: number): void {
    const passedMs = nowMs - this.#progressMs
    this.#progressMs = nowMs
    if (this.#busyCount === 0 || passedMs <= 0) return
    this.#progress += ((this.#queueSeats / this.#busyCount) * passedMs) / 1_000
    this.meter.progress = this.#progress
  }

  #hasSeatsFor(width: number): boolean {
    if (this.seatsInUse + width <= this.#limit) return true
    // Wider than the level is: it runs alone.
    return width > this.#limit && this.runningCount === 0
  }

  /** The emptiest queue of the hand. Looking begins at another one each time, so that equal ones take turns. */
  #choose(hand: readonly number[]): FairQueue {
    const offset = this.#enqueued++ % hand.length
    let best = hand[offset] ?? 0
    let least = this.waitingCount === 0 ? 0 : Infinity
    for (let step = 0; step < hand.length && least > 0; step++) {
      const index = hand[(offset + step) % hand.length] ?? 0
      const work = this.#queues.get(index)?.workWaiting ?? 0
      if (work >= least) continue
      least = work
      best = index
    }
    const known = this.#queues.get(best)
    if (known) return known
    const queue = new FairQueue(best)
    this.#queues.set(best, queue)
    return queue
  }

  /** A queue that was idle has no claims from before. */
  #activate(queue: FairQueue): void {
    if (!queue.isIdle) return
    this.#busyCount++
    queue.nextStart = this.#progress
  }

  #settle(queue: FairQueue): void {
    if (!queue.isIdle) return
    this.#busyCount--
    if (queue.index >= Math.min(this.#queuing.queues, IDLE_QUEUES_KEPT_MAX)) this.#queues.delete(queue.index)
  }

  #enqueue(ticket: Ticket, queue: FairQueue): void {
    this.#activate(queue)
    queue.add(ticket)
    queue.bound()
    this.#waitingQueues.add(queue)
    ticket.standing = 'waiting'
    this.waitingCount++
    this.seatsWaiting += ticket.width
    this.meter.queued(ticket, queue.waiting.size, this.waitingCount, this.#progressMs)
    this.#demandChanged()
  }

  #unqueue(ticket: Ticket, queue: FairQueue): void {
    queue.remove(ticket)
    if (queue.waiting.size === 0) this.#waitingQueues.delete(queue)
    this.waitingCount--
    this.seatsWaiting -= ticket.width
    this.meter.unqueued(ticket, this.waitingCount, this.#progressMs)
  }

  #wake(): void {
    if (this.waitingCount > 0 && this.seatsInUse < this.#limit) this.#pace.wake(this)
  }

  dispatch(): boolean {
    if (this.waitingCount === 0 || this.seatsInUse >= this.#limit) return false
    this.#pass(this.#clock.monotonic())
    const queue = this.#next()
    const ticket = queue?.oldest
    if (queue === undefined || ticket === undefined) return false
    if (!this.#hasSeatsFor(ticket.width)) {
      ticket.flow.counts.noRoom++
      return false
    }
    this.#unqueue(ticket, queue)
    this.#serve(ticket, queue)
    queue.bound()
    ticket.settle?.()
    return true
  }

  /** The queue whose oldest request would end first; of equal ones the first after the one that was served last. */
  #next(): FairQueue | undefined {
    let best: FairQueue | undefined
    for (const queue of this.#waitingQueues)
      if (
        best === undefined ||
        queue.nextEnd < best.nextEnd ||
        (queue.nextEnd === best.nextEnd && this.#distance(queue) < this.#distance(best))
      )
        best = queue
    return best
  }

  #distance({ index }: FairQueue): number {
    return index > this.#lastServed ? index : index + this.#queuing.queues
  }

  #serve(ticket: Ticket, queue: FairQueue): void {
    ticket.narrowFinalTo(this.#limit)
    this.meter.served(this.#progress, queue.nextStart)
    queue.running.add(ticket)
    queue.seatsInUse += ticket.width
    queue.nextStart += ticket.workGuess
    this.#queueSeats += ticket.width
    this.#lastServed = queue.index
    this.#begin(ticket)
  }

  #run(ticket: Ticket): void {
    this.running.add(ticket)
    this.#begin(ticket)
  }

  #begin(ticket: Ticket): void {
    ticket.standing = 'running'
    ticket.startedMs = this.#progressMs
    this.runningCount++
    this.seatsInUse += ticket.width
    this.meter.started(ticket, this.runningCount, this.seatsInUse)
    this.#demandChanged()
  }

  #reject(ticket: Ticket, reason: Rejection): void {
    ticket.standing = reason
    ticket.endedMs = this.#progressMs
    this.meter.rejected(ticket, reason)
  }

  #demandChanged(): void {
    this.meter.demand(this.seatsInUse + this.seatsWaiting, this.#progressMs)
  }
}
