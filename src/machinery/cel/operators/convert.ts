/** The conversion functions `int()`, `string()`, … */

import { CelError, type CelValue, Duration, type Result, Timestamp, Uint } from '../values.ts'
import { NO_SUCH_OVERLOAD } from './equality.ts'
import { doubleText, intFromDouble, toInt, toUint, uintFromDouble } from './numbers.ts'
import {
  durationText,
  floorDivide,
  NANOS_PER_SECOND,
  parseDuration,
  parseTimestamp,
  timestampOf,
  timestampText,
} from './time.ts'

export function intOf(value: CelValue): Result {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return intFromDouble(value)
  if (value instanceof Uint) return toInt(value.value)
  if (value instanceof Timestamp) return floorDivide(value.nanos, NANOS_PER_SECOND)
  if (value instanceof Duration) return value.nanos
  if (typeof value !== 'string') return NO_SUCH_OVERLOAD
  const parsed = /^[+-]?\d+$/.test(value) && value.length < 40 ? toInt(BigInt(value.replace(/^\+/, ''))) : undefined
  return parsed === undefined || parsed instanceof CelError ? conversionError('int') : parsed
}

function conversionError(to: string): CelError {
  return new CelError(`type conversion error from 'string' to '${to}'`)
}

export function uintOf(value: CelValue): Result {
  if (value instanceof Uint) return value
  if (typeof value === 'bigint') return toUint(value)
  if (typeof value === 'number') return uintFromDouble(value)
  if (typeof value !== 'string') return NO_SUCH_OVERLOAD
  const parsed = /^\d+$/.test(value) && value.length < 40 ? toUint(BigInt(value)) : undefined
  return parsed === undefined || parsed instanceof CelError ? conversionError('uint') : parsed
}

const SPECIAL_DOUBLES: ReadonlyMap<string, number> = new Map([
  ['nan', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['infinity', Number.POSITIVE_INFINITY],
  ['+inf', Number.POSITIVE_INFINITY],
  ['+infinity', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
  ['-infinity', Number.NEGATIVE_INFINITY],
])

export function doubleOf(value: CelValue): Result {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') return Number(value)
  if (value instanceof Uint) return Number(value.value)
  if (typeof value !== 'string') return NO_SUCH_OVERLOAD
  const special = SPECIAL_DOUBLES.get(value.toLowerCase())
  if (special !== undefined) return special
  const parsed = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(value) ? Number(value) : Number.NaN
  return Number.isFinite(parsed) ? parsed : conversionError('double')
}

const TRUE_TEXTS = new Set(['1', 't', 'T', 'TRUE', 'true', 'True'])
const FALSE_TEXTS = new Set(['0', 'f', 'F', 'FALSE', 'false', 'False'])

export function boolOf(value: CelValue): Result {
  if (typeof value === 'boolean') return value
  if (typeof value !== 'string') return NO_SUCH_OVERLOAD
  if (TRUE_TEXTS.has(value)) return true
  return FALSE_TEXTS.has(value) ? false : conversionError('bool')
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function stringOf(value: CelValue): Result {
  if (typeof value === 'string') return value
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return doubleText(value)
  if (value instanceof Uint) return String(value.value)
  if (value instanceof Timestamp) return timestampText(value)
  if (value instanceof Duration) return durationText(value)
  if (!(value instanceof Uint8Array)) return NO_SUCH_OVERLOAD
  try {
    return utf8.decode(value)
  } catch {
    return new CelError('invalid UTF-8 in bytes, cannot convert to string')
  }
}

export function bytesOf(value: CelValue): Result {
  if (value instanceof Uint8Array) return value
  return typeof value === 'string' ? new TextEncoder().encode(value) : NO_SUCH_OVERLOAD
}

export function timestampFrom(value: CelValue): Result {
  if (value instanceof Timestamp) return value
  if (typeof value === 'bigint') return timestampOf(value * NANOS_PER_SECOND)
  if (typeof value !== 'string') return NO_SUCH_OVERLOAD
  return parseTimestamp(value) ?? conversionError('google.protobuf.Timestamp')
}

export function durationFrom(value: CelValue): Result {
  if (value instanceof Duration) return value
  if (typeof value === 'bigint') return new Duration(value)
  if (typeof value !== 'string') return NO_SUCH_OVERLOAD
  return parseDuration(value) ?? conversionError('google.protobuf.Duration')
}
