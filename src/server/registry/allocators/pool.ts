/**
 * Numbers 0…size-1 that are taken one by one. Those asked for by nobody in particular come at random from above the
 * static band, so that values people write down by hand, usually low ones, stay free as long as there are others.
 */

import { type Random, randomInteger } from '../../../base/random.ts'

export interface Pool {
  /** False when it is taken already. */
  take(offset: number): boolean
  /** Undefined when everything is taken. */
  takeAny(): number | undefined
  release(offset: number): void
}

export interface PoolOptions {
  readonly size: number
  /** How many of the lowest numbers are given out only when no other is left. */
  readonly staticBand: number
  readonly random: Random
}

export function createPool({ size, staticBand, random }: PoolOptions): Pool {
  const taken = new Set<number>()
  const take = (offset: number): boolean => {
    if (taken.has(offset)) return false
    taken.add(offset)
    return true
  }
  /** From a random start once around: the band is only searched through when it is nearly full. */
  const takeWithin = (from: number, to: number): number | undefined => {
    const length = to - from
    if (length <= 0) return undefined
    const start = randomInteger(random, length)
    for (let step = 0; step < length; step++) {
      const offset = from + ((start + step) % length)
      if (take(offset)) return offset
    }
    return undefined
  }
  return {
    take,
    takeAny: () => (taken.size >= size ? undefined : (takeWithin(staticBand, size) ?? takeWithin(0, staticBand))),
    release: (offset) => void taken.delete(offset),
  }
}

export interface StaticBandRule {
  /** One number in so many is kept for people. */
  readonly step: number
  readonly max: number
}

/** Smaller ranges have no static band. */
const STATIC_BAND_MIN = 16

/** Upstream's rule for the size of the static band. */
export function staticBandOf(size: number, { step, max }: StaticBandRule): number {
  if (size < STATIC_BAND_MIN) return 0
  return Math.min(Math.max(STATIC_BAND_MIN, Math.floor(size / step)), max)
}
