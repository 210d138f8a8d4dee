/** 64-bit arithmetic that fails instead of wrapping around, and numbers as Go prints them. */

import { CelError, Uint } from '../values.ts'

export const INT_MIN = -(2n ** 63n)
export const INT_MAX = 2n ** 63n - 1n
export const UINT_MAX = 2n ** 64n - 1n

export const INT_OVERFLOW = new CelError('integer overflow')
export const UINT_OVERFLOW = new CelError('unsigned integer overflow')

/** The value as int, unless 64 bits are too few for it. */
export function toInt(value: bigint): bigint | CelError {
  return value < INT_MIN || value > INT_MAX ? INT_OVERFLOW : value
}

export function toUint(value: bigint): Uint | CelError {
  return value < 0n || value > UINT_MAX ? UINT_OVERFLOW : new Uint(value)
}

/** A double as an int: towards zero; numbers at the very border are refused, as upstream does. */
export function intFromDouble(value: number): bigint | CelError {
  if (!Number.isFinite(value) || value <= -(2 ** 63) || value >= 2 ** 63) return INT_OVERFLOW
  return BigInt(Math.trunc(value))
}

export function uintFromDouble(value: number): Uint | CelError {
  if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) return UINT_OVERFLOW
  return new Uint(BigInt(Math.trunc(value)))
}

/** From this power of ten on, and below -4, numbers are written with an exponent. */
const EXPONENT_MAX = 6

/** Shortest digits, with an exponent where it is large or small: Go's `%g`. */
export function doubleText(value: number): string {
  const special = specialText(value)
  if (special !== undefined) return special
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e')
  const exponent = Number(exponentText)
  if (exponent < -4 || exponent >= EXPONENT_MAX) {
    return `${mantissa}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`
  }
  return fixedText(value)
}

/** Shortest digits without an exponent: Go's `%f` with precision -1. */
export function fixedText(value: number): string {
  const special = specialText(value)
  if (special !== undefined) return special
  const [mantissa = '', exponentText = '0'] = value.toExponential().split('e')
  const sign = mantissa.startsWith('-') || Object.is(value, -0) ? '-' : ''
  const digits = mantissa.replace(/[-.]/g, '')
  const point = Number(exponentText) + 1
  if (point <= 0) return trimmed(`${sign}0.${'0'.repeat(-point)}${digits}`)
  if (digits.length <= point) return `${sign}${digits}${'0'.repeat(point - digits.length)}`
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}

function trimmed(text: string): string {
  return text.endsWith('0.0') ? text.slice(0, -2) : text
}

function specialText(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return undefined
}
