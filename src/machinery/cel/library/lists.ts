/** Functions of lists: Kubernetes' own (`isSorted`, `sum`, …) and the list extension, version 3. */

import type { Library, Overload } from '../declarations.ts'
import { COST_PER_CHARACTER, LIST_COST, sizeForCost } from '../evaluate/actual-cost.ts'
import { add } from '../operators/arithmetic.ts'
import { compare, equal } from '../operators/equality.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listType,
  STRING,
  TIMESTAMP,
  typeName,
  UINT,
} from '../types.ts'
import { ArrayList, CelError, type CelValue, Duration, ListValue, MapValue, type Result, Uint } from '../values.ts'
import { A, costing, costingFirst, declare, member, overload } from './declare.ts'

const SUMMABLE: readonly (readonly [string, CelType, CelValue])[] = [
  ['int', INT, 0n],
  ['uint', UINT, new Uint(0n)],
  ['double', DOUBLE, 0],
  ['duration', DURATION, new Duration(0n)],
]
const COMPARABLE: readonly (readonly [string, CelType])[] = [
  ['int', INT],
  ['uint', UINT],
  ['double', DOUBLE],
  ['bool', BOOL],
  ['duration', DURATION],
  ['timestamp', TIMESTAMP],
  ['string', STRING],
  ['bytes', BYTES],
]

function elementsOf(list: ListValue): readonly CelValue[] {
  return Array.from({ length: list.length }, (_, index) => list.at(index))
}

function isSorted(list: ListValue): Result {
  for (let index = 1; index < list.length; index++) {
    const order = compare(list.at(index - 1), list.at(index))
    if (order instanceof CelError) return order
    if (order > 0) return false
  }
  return true
}

function sumFrom(zero: CelValue): (list: ListValue) => Result {
  return (list) => {
    let sum: Result = zero
    for (let index = 0; index < list.length; index++) {
      sum = add(sum, list.at(index))
      if (sum instanceof CelError) return sum
    }
    return sum
  }
}

/** The least (-1) or greatest (1) element. */
function extreme(name: string, direction: number): (list: ListValue) => Result {
  return (list) => {
    if (list.length === 0) return new CelError(`${name} called on empty list`)
    let best = list.at(0)
    for (let index = 1; index < list.length; index++) {
      const element = list.at(index)
      const order = compare(element, best)
      if (order instanceof CelError) return order
      if (order * direction > 0) best = element
    }
    return best
  }
}

function indexOf(list: ListValue, value: CelValue): Result {
  for (let index = 0; index < list.length; index++) if (equal(list.at(index), value)) return BigInt(index)
  return -1n
}

function lastIndexOf(list: ListValue, value: CelValue): Result {
  for (let index = list.length - 1; index >= 0; index--) if (equal(list.at(index), value)) return BigInt(index)
  return -1n
}

function slice(list: ListValue, start: bigint, end: bigint): Result {
  const call = `cannot slice(${start}, ${end})`
  if (start < 0n || end < 0n) return new CelError(`${call}, negative indexes not supported`)
  if (start > end) return new CelError(`${call}, start index must be less than or equal to end index`)
  if (BigInt(list.length) < end) return new CelError(`${call}, list is length ${list.length}`)
  return new ArrayList(elementsOf(list).slice(Number(start), Number(end)))
}

function flatten(list: ListValue, depth = 1n): Result {
  if (depth < 0n) return new CelError('level must be non-negative')
  const values: CelValue[] = []
  const collect = (from: ListValue, levels: bigint): void => {
    for (let index = 0; index < from.length; index++) {
      const value = from.at(index)
      if (value instanceof ListValue && levels > 0n) collect(value, levels - 1n)
      else values.push(value)
    }
  }
  collect(list, depth)
  return new ArrayList(values)
}

function sortByKeys(list: ListValue, keys: ListValue): Result {
  if (list.length !== keys.length) {
    const counts = `but got ${list.length} and ${keys.length} elements respectively`
    return new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, ${counts}`,
    )
  }
  const pairs = elementsOf(keys).map((key, index) => ({ key, value: list.at(index) }))
  let failure: CelError | undefined
  pairs.sort((left, right) => {
    const order = typeof left.key === typeof right.key ? compare(left.key, right.key) : undefined
    if (typeof order === 'number') return order
    failure ??= order ?? new CelError('list elements must have the same type')
    return 0
  })
  return failure ?? new ArrayList(pairs.map(({ value }) => value))
}

/** The whole numbers from 0 on, made when asked for: a range of any length costs nothing. */
class RangeList extends ListValue {
  readonly length: number
  constructor(length: number) {
    super()
    this.length = length
  }
  at(index: number): CelValue {
    return BigInt(index)
  }
}

function range(end: bigint): Result {
  return new RangeList(end > 0n ? Number(end) : 0)
}

function reversed(list: ListValue): Result {
  return new ArrayList(elementsOf(list).toReversed())
}

function distinct(list: ListValue): Result {
  const kept: CelValue[] = []
  for (const value of elementsOf(list)) if (!kept.some((other) => equal(value, other))) kept.push(value)
  return new ArrayList(kept)
}

/** What walking through a value costs: strings by length, lists and maps by what they hold, the rest 1. */
function traversalCost(value: CelValue): number {
  if (typeof value === 'string' || value instanceof Uint8Array)
    return Math.floor(sizeForCost(value) * COST_PER_CHARACTER)
  if (value instanceof ListValue) return elementsOf(value).reduce((sum: number, item) => sum + traversalCost(item), 0)
  if (!(value instanceof MapValue)) return 1
  return [...value.keys()].reduce(
    (sum: number, key) => sum + traversalCost(key) + traversalCost(value.get(key) ?? null),
    0,
  )
}

const traversal = ([list]: readonly CelValue[]): number => (list === undefined ? 0 : traversalCost(list))

const allocation = (size: number, factor: number): number => Math.floor(size * factor) + 1 + LIST_COST

const outputSize = (_values: readonly CelValue[], result: Result): number =>
  allocation(result instanceof CelError ? 0 : sizeForCost(result), 1)

const flattening = ([list, depth]: readonly CelValue[]): number =>
  allocation(sizeForCost(list), typeof depth === 'bigint' ? Math.max(0, Number(depth)) : 1)

/** Comparing all elements with all others. */
function selfComparison(list: CelValue | undefined): number {
  const size = sizeForCost(list)
  const first = list instanceof ListValue && size > 0 ? list.at(0) : undefined
  const isText = typeof first === 'string' || first instanceof Uint8Array
  return allocation(size * size, isText ? 2 + COST_PER_CHARACTER : 2)
}

const LIST = listType(A)

function forComparable(make: (name: string, type: CelType) => Overload): readonly Overload[] {
  return COMPARABLE.map(([name, type]) => make(name, type))
}

export const LISTS: Library = {
  name: 'kubernetes.lists',
  functions: [
    declare(
      'isSorted',
      costing(
        traversal,
        forComparable((name, type) => member(`list_${name}_is_sorted_bool`, [listType(type)], BOOL, isSorted)),
      ),
    ),
    declare(
      'sum',
      costing(
        traversal,
        SUMMABLE.map(([name, type, zero]) => member(`list_${name}_sum_${name}`, [listType(type)], type, sumFrom(zero))),
      ),
    ),
    declare(
      'max',
      costing(
        traversal,
        forComparable((name, type) => member(`list_${name}_max_${name}`, [listType(type)], type, extreme('max', 1))),
      ),
    ),
    declare(
      'min',
      costing(
        traversal,
        forComparable((name, type) => member(`list_${name}_min_${name}`, [listType(type)], type, extreme('min', -1))),
      ),
    ),
    declare('indexOf', costing(traversal, [member('list_a_index_of_int', [LIST, A], INT, indexOf)])),
    declare('lastIndexOf', costing(traversal, [member('list_a_last_index_of_int', [LIST, A], INT, lastIndexOf)])),
    declare('slice', costing(outputSize, [member('list_slice', [LIST, INT, INT], LIST, slice)])),
    declare(
      'flatten',
      costing(flattening, [
        member('list_flatten', [listType(LIST)], LIST, flatten),
        member('list_flatten_int', [listType(DYN), INT], listType(DYN), flatten),
      ]),
    ),
    declare(
      'sort',
      costingFirst(
        ([list]) => selfComparison(list),
        forComparable((_name, type) =>
          member(`list_${typeName(type)}_sort`, [listType(type)], listType(type), (list: ListValue) =>
            sortByKeys(list, list),
          ),
        ),
      ),
    ),
    declare(
      '@sortByAssociatedKeys',
      costingFirst(
        ([, keys]) => selfComparison(keys),
        forComparable((_name, type) =>
          member(`list_${typeName(type)}_sortByAssociatedKeys`, [LIST, listType(type)], LIST, sortByKeys),
        ),
      ),
    ),
    declare('lists.range', costing(outputSize, [overload('lists_range', [INT], listType(INT), range)])),
    declare('reverse', costing(outputSize, [member('list_reverse', [LIST], LIST, reversed)])),
    declare(
      'distinct',
      costingFirst(([list]) => selfComparison(list), [member('list_distinct', [LIST], LIST, distinct)]),
    ),
  ],
}
