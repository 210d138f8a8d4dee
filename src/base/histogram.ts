/** Numbers in buckets, written out only when somebody asks: counting one costs a few comparisons and no memory. */

export class Histogram {
  /** Upper bounds, ascending; what is above the last counts in none of them. */
  readonly bounds: readonly number[]
  readonly #weights: Float64Array
  #sum = 0
  #count = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.#weights = new Float64Array(bounds.length)
  }

  get sum(): number {
    return this.#sum
  }

  get count(): number {
    return this.#count
  }

  observe(value: number, weight = 1): void {
    this.#count += weight
    this.#sum += value * weight
    const { bounds } = this
    for (let index = 0; index < bounds.length; index++)
      if (value <= (bounds[index] ?? Infinity)) {
        this.#weights[index] = (this.#weights[index] ?? 0) + weight
        return
      }
  }

  /** How much lies at or below each bound. */
  cumulative(): readonly number[] {
    let total = 0
    return [...this.#weights].map((weight) => (total += weight))
  }
}

const NANOSECONDS_PER_MS = 1_000_000

/** What part of a limit is in use, over time: as if it were observed at the end of every nanosecond. */
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
