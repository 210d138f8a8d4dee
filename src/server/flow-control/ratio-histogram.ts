/** What part of a limit is in use, over time. */

import { Histogram } from '../../base/histogram.ts'

const NANOSECONDS_PER_MS = 1_000_000

/** As if it were observed at the end of every nanosecond. */
export class RatioHistogram {
  readonly histogram: Histogram
  #numerator = 0
  #denominator = 1
  #changedAtMs: number

  constructor(bounds: readonly number[], nowMs: number) {
    this.histogram = new Histogram(bounds)
    this.#changedAtMs = nowMs
  }

  set(numerator: number, nowMs: number): void {
    this.passTo(nowMs)
    this.#numerator = numerator
  }

  setDenominator(denominator: number, nowMs: number): void {
    this.passTo(nowMs)
    this.#denominator = denominator
  }

  passTo(nowMs: number): void {
    const passed = Math.round((nowMs - this.#changedAtMs) * NANOSECONDS_PER_MS)
    if (passed <= 0) return
    this.#changedAtMs = nowMs
    this.histogram.observe(this.#numerator / this.#denominator, passed)
  }
}
