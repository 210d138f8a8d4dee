/** `'%s is %d'.format([…])`, as version 2 of the string extension does it: numbers as English writes them. */

import { byCodeUnit } from '../../../base/group-by.ts'
import { stringOf } from '../operators/convert.ts'
import { typeName } from '../types.ts'
import {
  CelError,
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  type Result,
  Timestamp,
  TypeValue,
  Uint,
} from '../values.ts'
import { clauseMismatch, formatParts } from './format-clauses.ts'
import { typeOfValue } from './type-of-value.ts'

/** Digits after the point when none are asked for. */
const PRECISION_DEFAULT = 6

export function formatText(format: string, values: ListValue): Result {
  let text = ''
  let next = 0
  for (const part of formatParts(format)) {
    if (part instanceof CelError) return part
    if (typeof part === 'string') {
      text += part
      continue
    }
    if (next >= values.length) return new CelError(`index ${next} out of range`)
    const formatted = formatValue(part.letter, values.at(next++), part.precision ?? PRECISION_DEFAULT)
    if (formatted instanceof CelError) return formatted
    text += formatted
  }
  return text
}

function formatValue(letter: string, value: CelValue, precision: number): string | CelError {
  const text = textOf(letter, value, precision)
  if (text !== undefined) return text
  return clauseMismatch(letter, typeName(typeOfValue(value)))
}

/** undefined: the clause does not take such a value. */
function textOf(letter: string, value: CelValue, precision: number): string | CelError | undefined {
  const integer = typeof value === 'bigint' ? value : value instanceof Uint ? value.value : undefined
  switch (letter) {
    case 's':
      return plainText(value)
    case 'd':
      return integer?.toString()
    case 'b':
      return typeof value === 'boolean' ? (value ? '1' : '0') : integer?.toString(2)
    case 'o':
      return integer?.toString(8)
    case 'x':
      return integer?.toString(16) ?? hexOf(value)
    case 'X':
      return (integer?.toString(16) ?? hexOf(value))?.toUpperCase()
    default:
      return floating(value, letter === 'f' ? (number) => grouped(number, precision) : scientific)
  }
}

function hexOf(value: CelValue): string | undefined {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : undefined
}

const SPECIAL_TEXTS: ReadonlyMap<CelValue, number> = new Map<CelValue, number>([
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
])

function floating(value: CelValue, write: (number: number) => string): string | undefined {
  const number = typeof value === 'number' ? value : SPECIAL_TEXTS.get(value)
  if (number === undefined) return undefined
  if (Number.isNaN(number)) return 'NaN'
  return Number.isFinite(number) ? write(number) : number > 0 ? '∞' : '-∞'
}

/** `1,234.50`. */
function grouped(number: number, precision: number): string {
  const [whole = '', fraction] = fixed(number, precision).split('.')
  const separated = whole.replace(/\B(?=(\d{3})+$)/g, ',')
  return fraction === undefined ? separated : `${separated}.${fraction}`
}

/** Digits beyond the precision that tell a tie; a double that ends in a tie within the precision has none further. */
const TIE_DIGITS = 30
const FIXED_DIGITS_MAX = 100

/** As Go rounds: of two equally near texts the one that ends in an even digit. */
function fixed(number: number, precision: number): string {
  if (Math.abs(number) >= 1e21) return `${BigInt(number)}${precision === 0 ? '' : `.${'0'.repeat(precision)}`}`
  const digits = Math.min(FIXED_DIGITS_MAX, precision + TIE_DIGITS)
  const exact = number.toFixed(digits)
  const kept = exact.slice(0, exact.length - (digits - precision)).replace(/\.$/, '')
  const isTie = /^50*$/.test(exact.slice(exact.length - (digits - precision)))
  return isTie && /[02468]$/.test(kept) ? kept : number.toFixed(precision)
}

const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  '-': '⁻',
  '0': '⁰',
  '1': '¹',
  '2': '²',
  '3': '³',
  '4': '⁴',
  '5': '⁵',
  '6': '⁶',
  '7': '⁷',
  '8': '⁸',
  '9': '⁹',
}

/** `1.234500×10⁰³`. Upstream goes by no precision here. */
function scientific(number: number): string {
  const [mantissa = '', exponent = ''] = number.toExponential(PRECISION_DEFAULT).split('e')
  const sign = exponent.startsWith('-') ? '-' : ''
  const power = `${sign}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`
  return `${mantissa}×10${[...power].map((digit) => SUPERSCRIPTS[digit] ?? digit).join('')}`
}

function plainText(value: CelValue): string | CelError | undefined {
  if (value === null) return 'null'
  if (value instanceof TypeValue) return typeName(value.type)
  if (value instanceof ListValue) return listText(value)
  if (value instanceof MapValue) return mapText(value)
  const text = stringOf(value)
  return typeof text === 'string' ? text : undefined
}

/** A value within a list or a map, as an expression would write it. */
function literalText(value: CelValue): string | CelError {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return doubleLiteral(value)
  const text = plainText(value)
  if (text instanceof CelError) return text
  if (text === undefined) return new CelError(`error during formatting: ${missing(value)}`)
  if (value instanceof Uint8Array) return `b${JSON.stringify(text)}`
  if (value instanceof Timestamp) return `timestamp(${JSON.stringify(text)})`
  return value instanceof Duration ? `duration(${JSON.stringify(text)})` : text
}

function missing(value: CelValue): string {
  return `no formatting function for ${typeName(typeOfValue(value))}`
}

function doubleLiteral(value: number): string {
  if (Number.isNaN(value)) return '"NaN"'
  return Number.isFinite(value) ? fixed(value, PRECISION_DEFAULT) : value > 0 ? '"+Inf"' : '"-Inf"'
}

function listText(list: ListValue): string | CelError {
  const parts: string[] = []
  for (let index = 0; index < list.length; index++) {
    const text = literalText(list.at(index))
    if (text instanceof CelError) return text
    parts.push(text)
  }
  return `[${parts.join(', ')}]`
}

function mapText(map: MapValue): string | CelError {
  const parts: (readonly [string, string])[] = []
  for (const key of map.keys()) {
    const name = literalText(key)
    const text = literalText(map.get(key) ?? null)
    if (name instanceof CelError) return name
    if (text instanceof CelError) return text
    parts.push([name, text])
  }
  parts.sort(([left], [right]) => byCodeUnit(left, right))
  return `{${parts.map(([name, text]) => `${name}:${text}`).join(', ')}}`
}
