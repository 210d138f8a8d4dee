/** Reading out of values: fields, keys, indexes, and whether they are there. */

import { typeOfValue } from '../library/type-of-value.ts'
import { doubleText } from '../operators/numbers.ts'
import { typeName } from '../types.ts'
import {
  CelError,
  type CelValue,
  ListValue,
  MapValue,
  mapKey,
  NONE,
  ObjectValue,
  OptionalValue,
  type Result,
  Uint,
} from '../values.ts'

const NAMED_ELEMENT = new CelError("unsupported index type 'string' in list")

/** What the field or key holds; undefined when it is absent. */
function readField(value: CelValue, field: string): Result | undefined {
  if (value instanceof ObjectValue || value instanceof MapValue) return value.get(field)
  return value instanceof ListValue ? NAMED_ELEMENT : undefined
}

function hasEntries(value: CelValue): boolean {
  return value instanceof ObjectValue || value instanceof MapValue || value instanceof OptionalValue
}

/** `value.field`. Out of an optional comes an optional. */
export function select(value: CelValue, field: string): Result {
  if (value instanceof OptionalValue) {
    const hasFields = value.value === undefined || hasEntries(value.value)
    return hasFields ? optionalSelect(value, field) : select(value.value, field)
  }
  const found = readField(value, field)
  return found === undefined ? new CelError(`no such key: ${field}`) : found
}

/** `value.?field`: an optional, empty when the field is absent. */
export function optionalSelect(value: CelValue, field: string): Result {
  if (value instanceof OptionalValue) return value.value === undefined ? NONE : optionalSelect(value.value, field)
  if (value instanceof ObjectValue && !value.has(field)) return NONE
  return optionalOf(readField(value, field))
}

function optionalOf(found: Result | undefined): Result {
  if (found === undefined) return NONE
  return found instanceof CelError ? found : new OptionalValue(found)
}

/** `has(value.field)`. */
export function isSet(value: CelValue, field: string): Result {
  if (value instanceof ObjectValue) return value.has(field)
  if (value instanceof MapValue) return value.get(field) !== undefined
  if (value instanceof OptionalValue) return value.value === undefined ? false : isSet(value.value, field)
  return value instanceof ListValue ? NAMED_ELEMENT : false
}

/** The element or entry; undefined when there is none. */
function readIndex(value: CelValue, key: CelValue): Result | undefined {
  if (value instanceof ListValue) {
    const index = mapKey(key)
    if (typeof index !== 'bigint') return noIndex(key)
    return index >= 0n && index < BigInt(value.length) ? value.at(Number(index)) : undefined
  }
  if (value instanceof MapValue) return value.get(key)
  return value instanceof ObjectValue && typeof key === 'string' ? value.get(key) : undefined
}

function noIndex(key: CelValue): CelError {
  if (typeof key === 'number') return new CelError(`unsupported index value ${doubleText(key)} in list`)
  return new CelError(`unsupported index type '${typeName(typeOfValue(key))}' in list`)
}

/** `value[key]`. */
export function index(value: CelValue, key: CelValue): Result {
  if (value instanceof OptionalValue) return optionalIndex(value, key)
  const found = readIndex(value, key)
  if (found !== undefined) return found
  return new CelError(
    value instanceof ListValue ? `index out of bounds: ${keyText(key)}` : `no such key: ${keyText(key)}`,
  )
}

/** `value[?key]`. */
export function optionalIndex(value: CelValue, key: CelValue): Result {
  if (value instanceof OptionalValue) return value.value === undefined ? NONE : optionalIndex(value.value, key)
  return optionalOf(readIndex(value, key))
}

function keyText(key: CelValue): string {
  return key instanceof Uint ? String(key.value) : String(key)
}
