/** Medians, the band around them, and how sure a ratio of two medians is. */

import { type Random, randomInteger, seededRandom } from '../src/base/random.ts'

export interface Ratio {
  /** Of the medians. */
  readonly ratio: number
  /** 95 of 100 resamplings of the rounds lie between these. */
  readonly low: number
  readonly high: number
}

/** The value below which this share (0–1) of the samples lies, by the nearest rank. */
export function percentile(sorted: readonly number[], share: number): number {
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))
  return sorted[rank] ?? Number.NaN
}

/** The mean of the two middle ones where there is no middle. */
export function median(samples: readonly number[]): number {
  const sorted = samples.toSorted((left, right) => left - right)
  const middle = sorted.length / 2
  const [below = Number.NaN, above = Number.NaN] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return (below + above) / 2
}

const RESAMPLINGS = 4_000
const SEED = 1

/** The median of `over` by that of `under`, with a bootstrap interval. The same samples give the same interval. */
export function ratioOfMedians(over: readonly number[], under: readonly number[]): Ratio {
  const random = seededRandom(SEED)
  const ratios = Array.from({ length: RESAMPLINGS }, () => resampled(over, random) / resampled(under, random))
  ratios.sort((left, right) => left - right)
  return {
    ratio: median(over) / median(under),
    low: percentile(ratios, 0.025),
    high: percentile(ratios, 0.975),
  }
}

function resampled(samples: readonly number[], random: Random): number {
  return median(samples.map(() => samples[randomInteger(random, samples.length)] ?? Number.NaN))
}

/** The slope of a line through the logarithms: 0 for what does not grow, 1 for what grows in proportion. */
export function growthExponent(sizes: readonly number[], costs: readonly number[]): number {
  const points = sizes.map((size, index) => [Math.log(size), Math.log(costs[index] ?? Number.NaN)] as const)
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  const [meanSize, meanCost] = [mean(([size]) => size), mean(([, cost]) => cost)]
  const shared = mean(([size, cost]) => (size - meanSize) * (cost - meanCost))
  return shared / mean(([size]) => (size - meanSize) ** 2)
}
