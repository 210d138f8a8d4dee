/**
 * A request on its way through its priority level: whose it is, what it will cost, where it stands. And the queue in
 * which it may have to wait.
 */

import type { RequestTarget } from '../auth/authorizer.ts'
import type { FlowCounts, Rejection } from './flow-counts.ts'

/** Requests that are treated alike: those of one schema and, as the schema says, of one user or one namespace. */
export interface Flow {
  readonly schema: string
  readonly level: string
  /** A user or a namespace; empty where the schema tells none apart, or the level has no queues to choose from. */
  readonly distinguisher: string
  /** The queues that the flow may use. */
  readonly hand: readonly number[]
  readonly queues: Queues
  readonly counts: FlowCounts
  /** What answers say of the schema and the level. */
  readonly headers: Readonly<Record<string, string>>
  /** Seats that one request may take at most; undefined: the level does not say. */
  readonly widthMax: number | undefined
}

/** Where the requests of a level run and wait. */
export interface Queues {
  /** Nothing is to come any more: the level is gone when what is here has ended. */
  readonly quiescing: boolean
  readonly isIdle: boolean
  readonly waitingCount: number
  /** Lets the request run, wait or go: see its `standing`. `unqueued`: it runs, whatever the limit. */
  start(ticket: Ticket, unqueued: boolean): void
  /** The request waited for too long, or its caller has gone. */
  leave(ticket: Ticket): void
  /** What was done is done: its seats are free, now or when what it left behind is done too. */
  finish(ticket: Ticket): void
}

/** What a request is expected to cost: seats while it is handled, and seats that it keeps for a while after. */
export interface Work {
  readonly seats: number
  readonly finalSeats: number
  readonly finalMs: number
}

export const ONE_SEAT: Work = { seats: 1, finalSeats: 0, finalMs: 0 }

export type Standing = 'arrived' | 'waiting' | 'running' | 'over' | Rejection

/** How long a request is taken to last before it is known, in seconds. Upstream's guess. */
const DURATION_GUESS_SECONDS = 0.003

export class Ticket {
  readonly flow: Flow
  readonly target: RequestTarget
  readonly user: string
  readonly arrivedMs: number
  standing: Standing = 'arrived'
  /** Undefined for what went through no queue. */
  queue: FairQueue | undefined
  /** The progress of the level when the request came. */
  arrivedAt = 0
  startedMs = 0
  /** When the answer was there; the seats may be kept for longer. */
  endedMs = 0
  finalSeats: number
  finalMs: number
  readonly seats: number
  /** In seat-seconds. */
  readonly workGuess: number
  /** Called once, when a request that waits does so no longer. */
  settle: (() => void) | undefined

  constructor(flow: Flow, work: Work, request: Pick<Ticket, 'target' | 'user' | 'arrivedMs'>) {
    this.flow = flow
    this.target = request.target
    this.user = request.user
    this.arrivedMs = request.arrivedMs
    this.seats = work.seats
    this.finalSeats = work.finalSeats
    this.finalMs = work.finalMs
    this.workGuess = work.seats * DURATION_GUESS_SECONDS + (work.finalSeats * work.finalMs) / 1_000
  }

  /** What is taken for the whole time: nobody else gets the seats in between. */
  get width(): number {
    return Math.max(this.seats, this.finalSeats)
  }

  /** Final work is kept when there are not so many seats: fewer of them for longer. */
  narrowFinalTo(seats: number): void {
    if (this.finalSeats <= seats) return
    this.finalMs = (this.finalSeats * this.finalMs) / seats
    this.finalSeats = seats
  }

  /** How much more was guessed than it took, in seat-seconds, when it gives its seats back. */
  overestimateAt(nowMs: number): number {
    return this.seats * (DURATION_GUESS_SECONDS - (nowMs - this.startedMs) / 1_000)
  }
}

/** One of the queues of a level: who waits, in order, and how far the queue is ahead of its fair part. */
export class FairQueue {
  readonly index: number
  /** In order of arrival. */
  readonly waiting = new Set<Ticket>()
  readonly running = new Set<Ticket>()
  /** Of what waits: the width of all, the seats they begin with, and their work in seat-seconds. */
  seatsWaiting = 0
  initialSeatsWaiting = 0
  workWaiting = 0
  seatsInUse = 0
  /** The progress of the level at which the next request would begin if seats were divided evenly, in seat-seconds. */
  nextStart = 0

  constructor(index: number) {
    this.index = index
  }

  get isIdle(): boolean {
    return this.waiting.size === 0 && this.running.size === 0
  }

  get oldest(): Ticket | undefined {
    return this.waiting.values().next().value
  }

  /** Where the oldest one would end. */
  get nextEnd(): number {
    return this.nextStart + (this.oldest?.workGuess ?? 0)
  }

  add(ticket: Ticket): void {
    this.waiting.add(ticket)
    this.#count(ticket, 1)
  }

  /** Whether it was there. */
  remove(ticket: Ticket): boolean {
    if (!this.waiting.delete(ticket)) return false
    this.#count(ticket, -1)
    return true
  }

  /** Nobody starts before they came: a queue that did not use its part has none to catch up on. */
  bound(): void {
    const { oldest } = this
    if (oldest && this.nextStart < oldest.arrivedAt) this.nextStart = oldest.arrivedAt
  }

  #count({ width, seats, workGuess }: Ticket, by: 1 | -1): void {
    this.seatsWaiting += by * width
    this.initialSeatsWaiting += by * seats
    this.workWaiting = this.waiting.size === 0 ? 0 : this.workWaiting + by * workGuess
  }
}
