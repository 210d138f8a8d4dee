/** `+ - * / %` and negation, for every type that has them. Each operator looks at its values itself. */

import { ArrayList, CelError, type CelValue, Duration, ListValue, type Result, Timestamp, Uint } from '../values.ts'
import { elementKey, NO_SUCH_OVERLOAD } from './equality.ts'
import { toInt, toUint } from './numbers.ts'
import { durationOf, timestampOf } from './time.ts'

export function add(left: CelValue, right: CelValue): Result {
  if (typeof left === 'bigint' && typeof right === 'bigint') return toInt(left + right)
  if (typeof left === 'string' && typeof right === 'string') return left + right
  if (typeof left === 'number' && typeof right === 'number') return left + right
  if (left instanceof Uint && right instanceof Uint) return toUint(left.value + right.value)
  if (left instanceof ListValue && right instanceof ListValue) return concatenation(left, right)
  if (left instanceof Duration) {
    if (right instanceof Duration) return durationOf(left.nanos + right.nanos)
    if (right instanceof Timestamp) return timestampOf(left.nanos + right.nanos, right.offsetMinutes)
  }
  if (left instanceof Timestamp && right instanceof Duration) {
    return timestampOf(left.nanos + right.nanos, left.offsetMinutes)
  }
  if (left instanceof Uint8Array && right instanceof Uint8Array) return joinedBytes(left, right)
  return NO_SUCH_OVERLOAD
}

function joinedBytes(left: Uint8Array, right: Uint8Array): Uint8Array {
  const joined = new Uint8Array(left.length + right.length)
  joined.set(left)
  joined.set(right, left.length)
  return joined
}

/** A list over two others: adding costs nothing, whatever their length. */
class JoinedList extends ListValue {
  readonly length: number
  private parts: readonly [ListValue, ListValue] | undefined
  private flat: readonly CelValue[] | undefined

  constructor(left: ListValue, right: ListValue) {
    super()
    this.parts = [left, right]
    this.length = left.length + right.length
  }

  at(index: number): CelValue {
    this.flat ??= this.flatten()
    return this.flat[index] ?? null
  }

  /** Walks the parts without recursion: a list may be the sum of very many. */
  private flatten(): readonly CelValue[] {
    const values: CelValue[] = []
    const pending: ListValue[] = [this]
    for (let list = pending.pop(); list !== undefined; list = pending.pop()) {
      if (list instanceof JoinedList && list.flat === undefined && list.parts !== undefined) {
        pending.push(list.parts[1], list.parts[0])
        continue
      }
      for (let index = 0; index < list.length; index++) values.push(list.at(index))
    }
    this.parts = undefined
    return values
  }
}

function concatenation(left: ListValue, right: ListValue): ListValue {
  if (left.identity !== undefined) return mergedByIdentity(left, right, left.identity)
  if (left.length === 0) return right
  if (right.length === 0) return left
  return new JoinedList(left, right)
}

/** Elements of the right list replace those of the left that are the same; the others follow in their order. */
function mergedByIdentity(left: ListValue, right: ListValue, identity: 'set' | readonly string[]): ListValue {
  const merged = new Map<string, CelValue>()
  for (const list of [left, right]) {
    for (let index = 0; index < list.length; index++) merged.set(elementKey(list.at(index), identity), list.at(index))
  }
  return new ArrayList([...merged.values()])
}

export function subtract(left: CelValue, right: CelValue): Result {
  if (typeof left === 'bigint' && typeof right === 'bigint') return toInt(left - right)
  if (typeof left === 'number' && typeof right === 'number') return left - right
  if (left instanceof Uint && right instanceof Uint) return toUint(left.value - right.value)
  if (left instanceof Timestamp) {
    if (right instanceof Timestamp) return durationOf(left.nanos - right.nanos)
    if (right instanceof Duration) return timestampOf(left.nanos - right.nanos, left.offsetMinutes)
  }
  if (left instanceof Duration && right instanceof Duration) return durationOf(left.nanos - right.nanos)
  return NO_SUCH_OVERLOAD
}

export function multiply(left: CelValue, right: CelValue): Result {
  if (typeof left === 'bigint' && typeof right === 'bigint') return toInt(left * right)
  if (typeof left === 'number' && typeof right === 'number') return left * right
  if (left instanceof Uint && right instanceof Uint) return toUint(left.value * right.value)
  return NO_SUCH_OVERLOAD
}

const DIVISION_BY_ZERO = new CelError('division by zero')
const MODULUS_BY_ZERO = new CelError('modulus by zero')

export function divide(left: CelValue, right: CelValue): Result {
  if (typeof left === 'bigint' && typeof right === 'bigint')
    return right === 0n ? DIVISION_BY_ZERO : toInt(left / right)
  if (typeof left === 'number' && typeof right === 'number') return left / right
  if (left instanceof Uint && right instanceof Uint) {
    return right.value === 0n ? DIVISION_BY_ZERO : new Uint(left.value / right.value)
  }
  return NO_SUCH_OVERLOAD
}

export function modulo(left: CelValue, right: CelValue): Result {
  if (typeof left === 'bigint' && typeof right === 'bigint') return right === 0n ? MODULUS_BY_ZERO : left % right
  if (left instanceof Uint && right instanceof Uint) {
    return right.value === 0n ? MODULUS_BY_ZERO : new Uint(left.value % right.value)
  }
  return NO_SUCH_OVERLOAD
}

export function negate(value: CelValue): Result {
  if (typeof value === 'bigint') return toInt(-value)
  if (typeof value === 'number') return -value
  if (value instanceof Duration) return durationOf(-value.nanos)
  return NO_SUCH_OVERLOAD
}
