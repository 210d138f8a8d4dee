/** Equality and order of values. Numbers compare across their types; other values of different types are unequal. */

import { typeName } from '../types.ts'
import {
  CelError,
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  mapKey,
  ObjectValue,
  OpaqueValue,
  OptionalValue,
  type Result,
  Timestamp,
  TypeValue,
  Uint,
} from '../values.ts'

export const NO_SUCH_OVERLOAD = new CelError('no such overload')

/** `left == right`. What Kubernetes' own types are compared with must be of their type. */
export function equality(left: CelValue, right: CelValue): Result {
  const isComparable = !(left instanceof OpaqueValue) || right === null || sameOpaqueType(left, right)
  return isComparable ? equal(left, right) : NO_SUCH_OVERLOAD
}

function sameOpaqueType(left: OpaqueValue, right: CelValue): boolean {
  return right instanceof OpaqueValue && typeName(left.type) === typeName(right.type)
}

export function equal(left: CelValue, right: CelValue): boolean {
  if (typeof left === 'string' || typeof left === 'boolean' || left === null) return left === right
  if (typeof left === 'bigint') return equalsInteger(left, right)
  if (typeof left === 'number') return typeof right === 'number' ? left === right : equalsNumber(left, right)
  return equalObjects(left, right)
}

function equalsInteger(left: bigint, right: CelValue): boolean {
  if (typeof right === 'bigint') return left === right
  if (typeof right === 'number') return Number(left) === right
  return right instanceof Uint && left === right.value
}

function equalsNumber(left: number, right: CelValue): boolean {
  if (typeof right === 'bigint') return left === Number(right)
  return right instanceof Uint && left === Number(right.value)
}

function equalObjects(left: CelValue & object, right: CelValue): boolean {
  if (left instanceof Uint) {
    if (right instanceof Uint) return left.value === right.value
    return typeof right === 'number' ? Number(left.value) === right : left.value === right
  }
  if (left instanceof ListValue) return right instanceof ListValue && equalLists(left, right)
  if (left instanceof MapValue) return right instanceof MapValue && equalMaps(left, right)
  if (left instanceof ObjectValue) return right instanceof ObjectValue && equalFields(left, right)
  if (left instanceof Timestamp) return right instanceof Timestamp && left.nanos === right.nanos
  if (left instanceof Duration) return right instanceof Duration && left.nanos === right.nanos
  if (left instanceof TypeValue) return right instanceof TypeValue && typeName(left.type) === typeName(right.type)
  if (left instanceof OptionalValue) return right instanceof OptionalValue && equalOptionals(left, right)
  if (left instanceof OpaqueValue) return right instanceof OpaqueValue && left.equals(right)
  return right instanceof Uint8Array && compareBytes(left, right) === 0
}

function equalOptionals(left: OptionalValue, right: OptionalValue): boolean {
  if (left.value === undefined || right.value === undefined) return left.value === right.value
  return equal(left.value, right.value)
}

/** Lists with an identity for their elements are equal in any order, as Kubernetes' sets and keyed lists are. */
function equalLists(left: ListValue, right: ListValue): boolean {
  if (left.length !== right.length) return false
  const identity = left.identity ?? right.identity
  if (identity !== undefined) return equalUnordered(left, right, identity)
  for (let index = 0; index < left.length; index++) {
    if (!equal(left.at(index), right.at(index))) return false
  }
  return true
}

function equalUnordered(left: ListValue, right: ListValue, identity: 'set' | readonly string[]): boolean {
  const known = new Map<string, CelValue>()
  for (let index = 0; index < left.length; index++) {
    const element = left.at(index)
    known.set(elementKey(element, identity), element)
  }
  for (let index = 0; index < right.length; index++) {
    const element = right.at(index)
    const other = known.get(elementKey(element, identity))
    if (other === undefined || !equal(other, element)) return false
  }
  return true
}

/** What an element of a list with an identity is told apart by. */
export function elementKey(element: CelValue, identity: 'set' | readonly string[]): string {
  if (identity === 'set') return keyText(element)
  const parts = identity.map((name) => keyText(fieldOf(element, name)))
  return parts.join('\u0000')
}

function fieldOf(element: CelValue, name: string): CelValue {
  const value = element instanceof ObjectValue || element instanceof MapValue ? element.get(name) : undefined
  return value === undefined || value instanceof CelError ? null : value
}

function keyText(value: CelValue): string {
  const key = mapKey(value)
  if (key !== undefined) return `${typeof key === 'bigint' ? 'n' : typeof key}:${key}`
  if (value instanceof ListValue) return `l:${Array.from({ length: value.length }, (_, at) => keyText(value.at(at)))}`
  if (value instanceof MapValue) return `m:${[...value.keys()].map(keyText).sort()}`
  if (value instanceof Timestamp || value instanceof Duration) return `t:${value.nanos}`
  return typeof value === 'number' ? `d:${value}` : 'o'
}

function equalMaps(left: MapValue, right: MapValue): boolean {
  if (left.size !== right.size) return false
  for (const key of left.keys()) {
    const other = right.get(key)
    const own = left.get(key)
    if (own === undefined || other === undefined || !equal(own, other)) return false
  }
  return true
}

function equalFields(left: ObjectValue, right: ObjectValue): boolean {
  if (left.type.name !== right.type.name) return false
  const names = new Set([...left.fields(), ...right.fields()])
  for (const name of names) {
    const own = left.get(name)
    const other = right.get(name)
    if (left.has(name) !== right.has(name) || own === undefined || other === undefined) return false
    if (own instanceof CelError || other instanceof CelError || !equal(own, other)) return false
  }
  return true
}

/** Below zero, zero or above it, as the left value comes before, with or after the right; an error when unordered. */
export function compare(left: CelValue, right: CelValue): number | CelError {
  if (typeof left === 'string' && typeof right === 'string') return compareText(left, right)
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0
  if (typeof left === 'boolean' && typeof right === 'boolean') return Number(left) - Number(right)
  const numbers = numericPair(left, right)
  if (numbers !== undefined) return compareNumbers(...numbers)
  if (left instanceof Timestamp && right instanceof Timestamp) return compareIntegers(left.nanos, right.nanos)
  if (left instanceof Duration && right instanceof Duration) return compareIntegers(left.nanos, right.nanos)
  if (left instanceof Uint8Array && right instanceof Uint8Array) return compareBytes(left, right)
  return NO_SUCH_OVERLOAD
}

function numericPair(left: CelValue, right: CelValue): readonly [number | bigint, number | bigint] | undefined {
  const first = left instanceof Uint ? left.value : left
  const second = right instanceof Uint ? right.value : right
  const isNumeric = (value: CelValue) => typeof value === 'bigint' || typeof value === 'number'
  if (!isNumeric(first) || !isNumeric(second)) return undefined
  return [first as number | bigint, second as number | bigint]
}

function compareNumbers(left: number | bigint, right: number | bigint): number | CelError {
  if (typeof left === 'bigint' && typeof right === 'bigint') return compareIntegers(left, right)
  const first = Number(left)
  const second = Number(right)
  if (Number.isNaN(first) || Number.isNaN(second)) return new CelError('NaN values cannot be ordered')
  return first < second ? -1 : first > second ? 1 : 0
}

function compareIntegers(left: bigint, right: bigint): number {
  return left < right ? -1 : left > right ? 1 : 0
}

/** By code points, which is the order of the bytes in UTF-8. */
function compareText(left: string, right: string): number {
  if (left === right) return 0
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const first = left.charCodeAt(index)
    const second = right.charCodeAt(index)
    if (first === second) continue
    // Surrogates stand for characters above all others.
    const highFirst = first >= 0xd800 && first <= 0xdfff
    const highSecond = second >= 0xd800 && second <= 0xdfff
    if (highFirst !== highSecond) return highFirst ? 1 : -1
    return first - second
  }
  return left.length - right.length
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index++) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** `compare` turned into an operator. */
export function ordering(holds: (order: number) => boolean): (left: CelValue, right: CelValue) => Result {
  return (left, right) => {
    const order = compare(left, right)
    return order instanceof CelError ? order : holds(order)
  }
}
