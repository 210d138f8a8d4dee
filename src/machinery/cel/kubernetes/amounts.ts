/**
 * Which quantities upstream keeps as an int64 times a power of ten: only those count as integers in expressions, so
 * `1Gi` is one and `1Pi`, `1.0` and `1000m` are none.
 */

import { INT_MAX, INT_MIN } from '../operators/numbers.ts'

export interface Amount {
  readonly value: bigint
  /** The power of ten. */
  readonly scale: number
}

const DECIMAL_SCALES: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
const BINARY_SCALES = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

/** Digits that surely fit into 64 bits, and the same less what a binary suffix may add. */
const DECIMAL_DIGITS_MAX = 18
const BINARY_DIGITS_MAX = 14
const SCALE_MIN = -9

/** For the text of a quantity. */
export function amountOf(text: string): Amount | undefined {
  const [, sign, digits = '', fraction = '', suffix = ''] = /^([+-]?)0*(\d*)(?:\.(\d*))?(.*)$/.exec(text) ?? []
  const whole = digits === '' ? '0' : digits
  const power = BINARY_SCALES.indexOf(suffix) + 1
  const value = BigInt(sign === '-' ? -1 : 1) * BigInt(whole + fraction)
  if (power > 0) {
    const isSmall = fraction === '' && whole.length + Math.floor(power * 3) <= BINARY_DIGITS_MAX
    return isSmall ? { value: value * 1024n ** BigInt(power), scale: 0 } : undefined
  }
  const scale = (DECIMAL_SCALES[suffix] ?? Number(suffix.replace(/^[eE]/, ''))) - fraction.length
  return whole.length + fraction.length <= DECIMAL_DIGITS_MAX && scale >= SCALE_MIN ? { value, scale } : undefined
}

/** undefined when the sum is kept otherwise, as it then stays. */
export function addAmounts(left: Amount | undefined, right: Amount | undefined): Amount | undefined {
  if (left === undefined || right === undefined) return undefined
  if (right.value === 0n) return left
  if (left.value === 0n) return right
  const scale = Math.min(left.scale, right.scale)
  const parts = [left, right].map((amount) => scaled(amount.value, amount.scale - scale))
  const [first, second] = parts
  if (first === undefined || second === undefined) return undefined
  return isInt(first + second) ? { value: first + second, scale } : undefined
}

/** The integer, where it counts as one. */
export function wholeAmount(amount: Amount | undefined): bigint | undefined {
  return amount === undefined || amount.scale < 0 ? undefined : scaled(amount.value, amount.scale)
}

function scaled(value: bigint, scale: number): bigint | undefined {
  if (scale > DECIMAL_DIGITS_MAX) return undefined
  const result = value * 10n ** BigInt(scale)
  return isInt(result) ? result : undefined
}

const isInt = (value: bigint): boolean => value >= INT_MIN && value <= INT_MAX
