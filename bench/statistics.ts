/** Medians and the band around them. */

export interface Dispersion {
  readonly median: number
  /** The 10th and the 90th percentile. */
  readonly low: number
  readonly high: number
  readonly samples: number
}

/** The value below which this share (0–1) of the samples lies, by the nearest rank. */
export function percentile(sorted: readonly number[], share: number): number {
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))
  return sorted[rank] ?? Number.NaN
}

export function dispersion(samples: readonly number[]): Dispersion {
  const sorted = samples.toSorted((left, right) => left - right)
  return {
    median: percentile(sorted, 0.5),
    low: percentile(sorted, 0.1),
    high: percentile(sorted, 0.9),
    samples: sorted.length,
  }
}
