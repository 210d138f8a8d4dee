/** Ranges of sizes and costs, in arithmetic that stops at a largest number instead of overflowing. */

export interface Range {
  readonly min: number
  readonly max: number
}

/** The largest size or cost: of what has no known limit. */
export const LARGEST = 2 ** 64

export const UNKNOWN_SIZE: Range = { min: 0, max: LARGEST }

export function exactly(value: number): Range {
  return { min: value, max: value }
}

export function plus(left: Range, right: Range): Range {
  return { min: capped(left.min + right.min), max: capped(left.max + right.max) }
}

export function times(left: Range, right: Range): Range {
  return { min: product(left.min, right.min), max: product(left.max, right.max) }
}

/** Scaled by a factor that need not be whole; results are rounded up. */
export function scaled(range: Range, factor: number): Range {
  return { min: capped(Math.ceil(range.min * factor)), max: capped(Math.ceil(range.max * factor)) }
}

/** The range that holds both. */
export function union(left: Range, right: Range): Range {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) }
}

export function capped(value: number): number {
  return Math.min(value, LARGEST)
}

function product(left: number, right: number): number {
  return left === 0 || right === 0 ? 0 : capped(left * right)
}
