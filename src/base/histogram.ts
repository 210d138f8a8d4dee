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

/** In the text format of /metrics. `labels`: `verb="GET",code="200"`, or empty. */
export function histogramLines(name: string, labels: string, histogram: Histogram): readonly string[] {
  const totals = histogram.cumulative()
  const [before, own] = labels === '' ? ['', ''] : [`${labels},`, `{${labels}}`]
  return [
    ...histogram.bounds.map((bound, index) => `${name}_bucket{${before}le="${bound}"} ${totals[index]}`),
    `${name}_bucket{${before}le="+Inf"} ${histogram.count}`,
    `${name}_sum${own} ${histogram.sum}`,
    `${name}_count${own} ${histogram.count}`,
  ]
}
