/** What the requests of one schema in one level have done, as numbers. */

import { Histogram } from '../../base/histogram.ts'

/** Why a request is turned away, as the metric says it. */
export type Rejection = 'concurrency-limit' | 'queue-full' | 'time-out'

const QUEUE_LENGTH_BOUNDS = [0, 10, 25, 50, 100, 250, 500, 1_000]
/** Seconds. */
const DURATION_BOUNDS = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30]
const SEAT_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 100]
const WATCH_COUNT_BOUNDS = [0, 1, 10, 100, 1_000, 10_000]

export class FlowCounts {
  dispatched = 0
  readonly rejected = new Map<Rejection, number>()
  waiting = 0
  waitingSeats = 0
  running = 0
  seats = 0
  /** Times that the next request was too wide for the seats that were free. */
  noRoom = 0
  readonly queueLength = new Histogram(QUEUE_LENGTH_BOUNDS)
  readonly waitedSeconds = new Histogram(DURATION_BOUNDS)
  readonly refusedSeconds = new Histogram(DURATION_BOUNDS)
  readonly seconds = new Histogram(DURATION_BOUNDS)
  readonly watchSeconds = new Histogram(DURATION_BOUNDS)
  readonly width = new Histogram(SEAT_BOUNDS)
  readonly watchers = new Histogram(WATCH_COUNT_BOUNDS)

  /** Whether there was ever a request. */
  get isUsed(): boolean {
    return this.dispatched > 0 || this.waiting > 0 || this.rejected.size > 0
  }
}
