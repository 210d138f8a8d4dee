/** A number that changes now and then, looked at over a span of time: its mean, deviation and highest value. */

export interface Observed {
  readonly durationMs: number
  /** Weighted by time; 0 for a span of no length, as the deviation. */
  readonly average: number
  readonly deviation: number
  readonly highest: number
}

export class Integrator {
  #value = 0
  #changedAtMs: number
  #durationMs = 0
  #sum = 0
  #sumOfSquares = 0
  #highest = 0

  constructor(nowMs: number) {
    this.#changedAtMs = nowMs
  }

  set(value: number, nowMs: number): void {
    this.#passTo(nowMs)
    this.#value = value
    if (value > this.#highest) this.#highest = value
  }

  /** What was seen since the last call; the next span begins with the value as it is. */
  take(nowMs: number): Observed {
    this.#passTo(nowMs)
    const durationMs = this.#durationMs
    const average = durationMs > 0 ? this.#sum / durationMs : 0
    const variance = durationMs > 0 ? this.#sumOfSquares / durationMs - average * average : 0
    const observed = { durationMs, average, deviation: Math.sqrt(Math.max(0, variance)), highest: this.#highest }
    this.#durationMs = 0
    this.#sum = 0
    this.#sumOfSquares = 0
    this.#highest = this.#value
    return observed
  }

  #passTo(nowMs: number): void {
    const passedMs = nowMs - this.#changedAtMs
    this.#changedAtMs = nowMs
    this.#durationMs += passedMs
    this.#sum += this.#value * passedMs
    this.#sumOfSquares += this.#value * this.#value * passedMs
  }
}
