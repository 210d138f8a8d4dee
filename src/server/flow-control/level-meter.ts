/** What a priority level has done, as numbers: counted with every request, written out on demand. */

import { FlowCounts, type Rejection } from './flow-counts.ts'
import { Integrator } from './integrator.ts'
import { RatioHistogram } from './ratio-histogram.ts'
import type { Ticket } from './ticket.ts'

const SEAT_USE_BOUNDS = [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1]
const REQUEST_USE_BOUNDS = [0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.25, 0.5, 0.75, 1]
const DEMAND_BOUNDS = [0.2, 0.4, 0.6, 0.8, 1, 1.2, 1.4, 1.7, 2, 2.8, 4, 6]
export class LevelMeter {
  readonly flows = new Map<string, FlowCounts>()
  readonly seatUse: RatioHistogram
  readonly requestsRunning: RatioHistogram
  readonly requestsWaiting: RatioHistogram
  readonly demandRatio: RatioHistogram
  readonly demandSeats: Integrator
  /** In seat-seconds: the level's progress, that at the last dispatch, and where the dispatched request began. */
  progress = 0
  dispatchedAt = 0
  dispatchedStart = 0
  refusedCount = 0
  timedOutCount = 0
  dispatchedCount = 0
  /** Whether requests of the level wait at all; if not, there is nothing to say of how long. */
  readonly #exempt: boolean

  constructor(exempt: boolean, nowMs: number) {
    this.#exempt = exempt
    this.seatUse = new RatioHistogram(SEAT_USE_BOUNDS, nowMs)
    this.requestsRunning = new RatioHistogram(REQUEST_USE_BOUNDS, nowMs)
    this.requestsWaiting = new RatioHistogram(REQUEST_USE_BOUNDS, nowMs)
    this.demandRatio = new RatioHistogram(DEMAND_BOUNDS, nowMs)
    this.demandSeats = new Integrator(nowMs)
  }

  countsOf(schema: string): FlowCounts {
    const known = this.flows.get(schema)
    if (known) return known
    const counts = new FlowCounts()
    this.flows.set(schema, counts)
    return counts
  }

  queued({ flow, width }: Ticket, queueLength: number, waiting: number, nowMs: number): void {
    const { counts } = flow
    counts.waiting++
    counts.waitingSeats += width
    counts.queueLength.observe(queueLength)
    this.requestsWaiting.set(waiting, nowMs)
  }

  unqueued({ flow, width }: Ticket, waiting: number, nowMs: number): void {
    flow.counts.waiting--
    flow.counts.waitingSeats -= width
    this.requestsWaiting.set(waiting, nowMs)
  }

  started({ flow, width, arrivedMs, startedMs }: Ticket, running: number, seats: number): void {
    const { counts } = flow
    counts.dispatched++
    counts.running++
    counts.seats += width
    counts.width.observe(width)
    if (!this.#exempt) counts.waitedSeconds.observe((startedMs - arrivedMs) / 1_000)
    this.dispatchedCount++
    this.requestsRunning.set(running, startedMs)
    this.seatUse.set(seats, startedMs)
  }

  /** Where the level was when a request left its queue. */
  served(progress: number, start: number): void {
    this.dispatchedAt = progress
    this.dispatchedStart = start
  }

  stopped({ flow, target, startedMs, endedMs }: Ticket, running: number, nowMs: number): void {
    const { counts } = flow
    counts.running--
    const took = target.verb === 'watch' ? counts.watchSeconds : counts.seconds
    took.observe((endedMs - startedMs) / 1_000)
    this.requestsRunning.set(running, nowMs)
  }

  released({ flow, width }: Ticket, seats: number, nowMs: number): void {
    flow.counts.seats -= width
    this.seatUse.set(seats, nowMs)
  }

  rejected({ flow, arrivedMs, endedMs }: Ticket, reason: Rejection): void {
    const { counts } = flow
    counts.rejected.set(reason, (counts.rejected.get(reason) ?? 0) + 1)
    counts.refusedSeconds.observe((endedMs - arrivedMs) / 1_000)
    this.refusedCount++
    if (reason === 'time-out') this.timedOutCount++
  }

  demand(seats: number, nowMs: number): void {
    this.demandSeats.set(seats, nowMs)
    this.demandRatio.set(seats, nowMs)
  }
}
