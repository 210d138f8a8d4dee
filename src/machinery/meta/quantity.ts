/**
 * Resource quantities (`100m`, `1.5Gi`, `1e3`), exact. An amount is a whole number of nano units, as fine as
 * upstream goes; finer text is rounded away from zero. The format (binary, decimal, exponent) is remembered
 * and decides how the canonical text looks; canonical text is kept as it was written.
 */

import { LruMap } from '../../base/lru.ts'
import { badRequest } from './api-error.ts'

export type QuantityFormat = 'BinarySI' | 'DecimalSI' | 'DecimalExponent'

export interface Quantity {
  /** The value times 10⁹. */
  readonly nano: bigint
  readonly format: QuantityFormat
  /** The text it was parsed from, where that counts as canonical. */
  readonly text?: string | undefined
}

const QUANTITY_FORMAT_ERROR =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
const NUMBER_ERROR = 'unable to parse numeric part of quantity'
const SUFFIX_ERROR = "unable to parse quantity's suffix"

const NANO = 1_000_000_000n
/** Most digits of a number and largest decimal exponent: keeps hostile text cheap. A byte count needs 19. */
const DIGITS_MAX = 1_000
const EXPONENT_MAX = 1_000
/** Upstream caps binary quantities that pass 64 bits. */
const BINARY_MAX = 2n ** 63n - 1n
/** Digits of an int64: longer numbers take upstream's slow path, which never keeps the text. */
const FAST_DIGITS_MAX = 18

const DECIMAL_EXPONENTS: ReadonlyMap<string, number> = new Map([
  ['n', -9],
  ['u', -6],
  ['m', -3],
  ['', 0],
  ['k', 3],
  ['M', 6],
  ['G', 9],
  ['T', 12],
  ['P', 15],
  ['E', 18],
])
const DECIMAL_SUFFIXES = new Map([...DECIMAL_EXPONENTS].map(([suffix, exponent]) => [exponent, suffix]))
const BINARY_SUFFIXES = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei']

export const zeroQuantity: Quantity = { nano: 0n, format: 'DecimalSI', text: '0' }

interface ParsedText {
  readonly text: string
  readonly negative: boolean
  readonly whole: string
  readonly fraction: string
  readonly format: QuantityFormat
  readonly base: 2 | 10
  readonly exponent: number
}

/** Parsed texts that are remembered: objects repeat a few, and each is asked for many times on the way of a write. */
const REMEMBERED_MAX = 1_000
/** Characters of a text that is worth remembering. */
const REMEMBERED_CHARACTERS_MAX = 20

const remembered = new LruMap<string, Quantity | string>(REMEMBERED_MAX)

/** The quantity, or upstream's error text. */
export function parseQuantity(text: string): Quantity | string {
  const known = remembered.get(text)
  if (known !== undefined) return known
  const parsed = parseAnew(text)
  if (text.length <= REMEMBERED_CHARACTERS_MAX) remembered.set(text, parsed)
  return parsed
}

function parseAnew(text: string): Quantity | string {
  if (text === '0') return zeroQuantity
  const parsed = splitText(text)
  if (typeof parsed === 'string') return parsed
  const { whole, fraction, base, exponent } = parsed
  const digits = BigInt(whole + fraction || '0')
  // value = digits × base^exponent ÷ 10^fraction.length
  const magnitude =
    base === 2
      ? divideUp(digits * 2n ** BigInt(exponent) * NANO, 10n ** BigInt(fraction.length))
      : scaleByTen(digits, exponent - fraction.length + 9)
  return finish(parsed, magnitude)
}

/** For quantities that validation has let through; anything else is zero. */
export function quantityOf(text: string | number | undefined): Quantity {
  const parsed = text === undefined ? zeroQuantity : parseQuantity(String(text))
  return typeof parsed === 'string' ? zeroQuantity : parsed
}

function splitText(text: string): ParsedText | string {
  const match = /^([+-]?)0*([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)$/.exec(text)
  if (text === '' || match === null) return QUANTITY_FORMAT_ERROR
  const [, sign, whole = '', fraction = '', suffix = ''] = match
  if (whole.length + fraction.length > DIGITS_MAX) return NUMBER_ERROR
  const meaning = suffixMeaning(suffix)
  if (meaning === undefined) return SUFFIX_ERROR
  return { text, negative: sign === '-', whole, fraction, ...meaning }
}

function suffixMeaning(suffix: string): Pick<ParsedText, 'format' | 'base' | 'exponent'> | undefined {
  const decimal = DECIMAL_EXPONENTS.get(suffix)
  if (decimal !== undefined) return { format: 'DecimalSI', base: 10, exponent: decimal }
  const binary = BINARY_SUFFIXES.indexOf(suffix)
  if (binary > 0) return { format: 'BinarySI', base: 2, exponent: binary * 10 }
  if (!/^[eE][+-]?[0-9]+$/.test(suffix)) return undefined
  const exponent = Number(suffix.slice(1))
  return Math.abs(exponent) <= EXPONENT_MAX ? { format: 'DecimalExponent', base: 10, exponent } : undefined
}

function finish(parsed: ParsedText, magnitude: bigint): Quantity {
  const capped = parsed.format === 'BinarySI' && magnitude > BINARY_MAX * NANO ? BINARY_MAX * NANO : magnitude
  const tiny = parsed.format === 'BinarySI' && capped < NANO && capped > 0n
  const format = tiny ? 'DecimalSI' : parsed.format
  const nano = parsed.negative ? -capped : capped
  return isCanonicalText(parsed, capped) ? { nano, format, text: parsed.text } : { nano, format }
}

/** Upstream keeps the text of short numbers whose suffix could not be larger, and prints all others anew. */
function isCanonicalText({ whole, fraction, format, exponent }: ParsedText, magnitude: bigint): boolean {
  const digits = whole === '' ? `0${fraction}` : whole + fraction
  if (format === 'BinarySI') {
    const precision = 15 - (whole || '0').length - Math.trunc((exponent * 3) / 10) - 1
    return fraction === '' && precision >= 0 && (BigInt(digits) & 7n) !== 0n && magnitude <= BINARY_MAX * NANO
  }
  const scale = exponent - fraction.length
  return (
    digits.length <= FAST_DIGITS_MAX &&
    scale >= -9 &&
    scale % 3 === 0 &&
    /^[1-9]/.test(digits) &&
    !digits.endsWith('000')
  )
}

export function quantityText(quantity: Quantity): string {
  const { nano, format, text } = quantity
  if (text !== undefined) return text
  if (nano === 0n) return '0'
  const whole = nano % NANO === 0n
  const small = nano > -1024n * NANO && nano < 1024n * NANO
  if (format === 'BinarySI' && whole && !small) return binaryText(nano / NANO)
  return decimalText(nano, format === 'DecimalExponent')
}

function binaryText(value: bigint): string {
  let mantissa = value
  let index = 0
  while (index < BINARY_SUFFIXES.length - 1 && mantissa % 1024n === 0n) {
    mantissa /= 1024n
    index++
  }
  return `${mantissa}${BINARY_SUFFIXES[index]}`
}

function decimalText(nano: bigint, asExponent: boolean): string {
  let mantissa = nano
  let exponent = -9
  while (mantissa % 1000n === 0n && (asExponent || exponent < 18)) {
    mantissa /= 1000n
    exponent += 3
  }
  if (asExponent) return exponent === 0 ? String(mantissa) : `${mantissa}e${exponent}`
  return `${mantissa}${DECIMAL_SUFFIXES.get(exponent)}`
}

/** How the API stores and shows a quantity that a client wrote; throws 400 for what is none. */
export function canonicalQuantity(text: string): string {
  const parsed = parseQuantity(text.trim())
  if (typeof parsed === 'string') throw badRequest(parsed)
  return quantityText(parsed)
}

/** Negative, zero or positive, as `left - right` is. */
export function compareQuantities(left: Quantity, right: Quantity): number {
  return left.nano < right.nano ? -1 : left.nano > right.nano ? 1 : 0
}

/** The sum takes the left format, the right one when left is zero. */
export function addQuantities(left: Quantity, right: Quantity): Quantity {
  return { nano: left.nano + right.nano, format: left.nano === 0n ? right.format : left.format }
}

export function subtractQuantities(left: Quantity, right: Quantity): Quantity {
  return { nano: left.nano - right.nano, format: left.nano === 0n ? right.format : left.format }
}

/** By a whole number. */
export function multiplyQuantity({ nano, format }: Quantity, factor: number | bigint): Quantity {
  return { nano: nano * BigInt(factor), format }
}

export function negateQuantity({ nano, format }: Quantity): Quantity {
  return { nano: -nano, format }
}

export function isZero({ nano }: Quantity): boolean {
  return nano === 0n
}

export function isNegative({ nano }: Quantity): boolean {
  return nano < 0n
}

/** The value in whole units, rounded away from zero: bytes, pods, cores. */
export function quantityValue({ nano }: Quantity): number {
  return Number(roundAway(nano, NANO))
}

/** The value in thousandths, rounded away from zero: CPU. */
export function quantityMilliValue({ nano }: Quantity): number {
  return Number(roundAway(nano, NANO / 1000n))
}

/** Rounded up to thousandths: what resource lists store. */
export function roundUpToMilli(quantity: Quantity): Quantity {
  const step = NANO / 1000n
  if (quantity.nano % step === 0n) return quantity
  return { nano: roundAway(quantity.nano, step) * step, format: quantity.format }
}

export function quantityFromValue(value: number | bigint, format: QuantityFormat): Quantity {
  return { nano: BigInt(value) * NANO, format }
}

export function quantityFromMilli(milli: number | bigint, format: QuantityFormat): Quantity {
  return { nano: (BigInt(milli) * NANO) / 1000n, format }
}

/** `toNumber('1Gi')`: whole units of a text that validation has let through. */
export function toNumber(text: string | number | undefined): number {
  return quantityValue(quantityOf(text))
}

/** `milliValue('1500m')`: thousandths of a text that validation has let through. */
export function milliValue(text: string | number | undefined): number {
  return quantityMilliValue(quantityOf(text))
}

/** As a fraction, with what a float can hold. */
export function toFloat({ nano }: Quantity): number {
  return Number(nano / NANO) + Number(nano % NANO) / 1e9
}

function scaleByTen(value: bigint, exponent: number): bigint {
  return exponent >= 0 ? value * 10n ** BigInt(exponent) : divideUp(value, 10n ** BigInt(-exponent))
}

function divideUp(value: bigint, divisor: bigint): bigint {
  return (value + divisor - 1n) / divisor
}

function roundAway(value: bigint, divisor: bigint): bigint {
  return value < 0n ? -divideUp(-value, divisor) : divideUp(value, divisor)
}
