/** `'%s is %d'.format([…])`: the clauses s, d, f, e, b, x, X and o. */

import { byCodeUnit } from '../../../base/group-by.ts'
import { fixedText } from '../operators/numbers.ts'
import { durationText, timestampText } from '../operators/time.ts'
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
import { typeOfValue } from './type-of-value.ts'

/** Digits after the point when none are asked for, and the most there can be. */
const PRECISION_DEFAULT = 6
const PRECISION_MAX = 100

type Clause = (value: CelValue, precision: number) => string | CelError

const CLAUSES: Readonly<Record<string, Clause>> = {
  s: plainText,
  d: decimalText,
  f: (value, precision) => floating(value, (number) => fixed(number, precision), 'fixed-point'),
  e: (value, precision) => floating(value, (number) => scientific(number, precision), 'scientific'),
  b: binaryText,
  o: octalText,
  x: hexText,
  X: (value) => {
    const text = hexText(value)
    return text instanceof CelError ? text : text.toUpperCase()
  },
}

export function formatText(format: string, values: ListValue): Result {
  let text = ''
  let next = 0
  let index = 0
  const clauses = /%(?:%|(?:\.(\d*))?([\s\S])?)/g
  for (let match = clauses.exec(format); match !== null; match = clauses.exec(format)) {
    text += format.slice(index, match.index)
    index = clauses.lastIndex
    if (match[0] === '%%') {
      text += '%'
      continue
    }
    if (next >= values.length) return new CelError(`index ${next} out of range`)
    const part = formatClause(match[1], match[2], values.at(next++))
    if (part instanceof CelError) return part
    text += part
  }
  return text + format.slice(index)
}

function formatClause(digits: string | undefined, letter: string | undefined, value: CelValue): string | CelError {
  if (letter === undefined) return new CelError('unexpected end of string')
  const clause = Object.hasOwn(CLAUSES, letter) ? CLAUSES[letter] : undefined
  if (clause === undefined) {
    return new CelError(`could not parse formatting clause: unrecognized formatting clause "${letter}"`)
  }
  const precision = digits === undefined ? PRECISION_DEFAULT : Number(digits)
  if (digits === '' || precision > PRECISION_MAX) {
    return new CelError('could not parse formatting clause: error while parsing precision')
  }
  const text = clause(value, precision)
  return text instanceof CelError ? new CelError(`error during formatting: ${text.message}`) : text
}

function refused(clause: string, value: CelValue): CelError {
  return new CelError(`${clause}, was given ${typeName(typeOfValue(value))}`)
}

function plainText(value: CelValue): string | CelError {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean' || typeof value === 'bigint' || value === null) return String(value)
  if (typeof value === 'number') return specialNumber(value) ?? fixedText(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Uint8Array) return new TextDecoder().decode(value)
  if (value instanceof Duration) return durationText(value)
  if (value instanceof Timestamp) return timestampText(value)
  if (value instanceof TypeValue) return typeName(value.type)
  if (value instanceof ListValue) return listText(value)
  if (value instanceof MapValue) return mapText(value)
  const types = 'strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps'
  return refused(`string clause can only be used on ${types}`, value)
}

function listText(list: ListValue): string | CelError {
  const parts: string[] = []
  for (let index = 0; index < list.length; index++) {
    const text = plainText(list.at(index))
    if (text instanceof CelError) return text
    parts.push(text)
  }
  return `[${parts.join(', ')}]`
}

function mapText(map: MapValue): string | CelError {
  const parts: (readonly [string, string])[] = []
  for (const key of map.keys()) {
    const name = plainText(key)
    const text = plainText(map.get(key) ?? null)
    if (name instanceof CelError) return name
    if (text instanceof CelError) return text
    parts.push([name, text])
  }
  parts.sort(([left], [right]) => byCodeUnit(left, right))
  return `{${parts.map(([name, text]) => `${name}: ${text}`).join(', ')}}`
}

function specialNumber(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? undefined : value > 0 ? 'Infinity' : '-Infinity'
}

function decimalText(value: CelValue): string | CelError {
  if (typeof value === 'bigint') return String(value)
  if (value instanceof Uint) return String(value.value)
  if (typeof value === 'number') return specialNumber(value) ?? fixedText(value)
  return refused('decimal clause can only be used on ints, uints, and doubles', value)
}

function floating(value: CelValue, write: (number: number) => string, clause: string): string | CelError {
  const number = value instanceof Uint ? Number(value.value) : typeof value === 'bigint' ? Number(value) : value
  if (typeof number === 'number') return specialNumber(number) ?? write(number)
  return refused(`${clause} clause can only be used on ints, uints, and doubles`, value)
}

/** Digits beyond the precision that tell a tie; a double that ends in a tie within the precision has none further. */
const TIE_DIGITS = 30

/** As Go rounds: of two equally near texts the one that ends in an even digit. */
function fixed(number: number, precision: number): string {
  if (Math.abs(number) >= 1e21) return `${BigInt(number)}${precision === 0 ? '' : `.${'0'.repeat(precision)}`}`
  const digits = Math.min(PRECISION_MAX, precision + TIE_DIGITS)
  const exact = number.toFixed(digits)
  const kept = exact.slice(0, exact.length - (digits - precision)).replace(/\.$/, '')
  const isTie = /^50*$/.test(exact.slice(exact.length - (digits - precision)))
  return isTie && /[02468]$/.test(kept) ? kept : number.toFixed(precision)
}

function scientific(number: number, precision: number): string {
  return number.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2')
}

function binaryText(value: CelValue): string | CelError {
  if (typeof value === 'boolean') return value ? '1' : '0'
  if (typeof value === 'bigint') return value.toString(2)
  if (value instanceof Uint) return value.value.toString(2)
  return refused('only ints, uints, and bools can be formatted as binary', value)
}

function octalText(value: CelValue): string | CelError {
  if (typeof value === 'bigint') return value.toString(8)
  if (value instanceof Uint) return value.value.toString(8)
  return refused('octal clause can only be used on ints and uints', value)
}

function hexText(value: CelValue): string | CelError {
  if (typeof value === 'bigint') return value.toString(16)
  if (value instanceof Uint) return value.value.toString(16)
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  return refused('only ints, uints, bytes, and strings can be formatted as hex', value)
}
