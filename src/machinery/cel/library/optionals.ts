/** Optional values: `optional.of(1)`, `value.?field`, `.orValue(…)`. `or` and `orValue` evaluate as little as they can. */

import type { Library } from '../declarations.ts'
import { BOOL, DYN, INT, listType, mapType, optionalType, STRING } from '../types.ts'
import {
  ArrayList,
  CelError,
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  NONE,
  ObjectValue,
  OptionalValue,
  type Result,
  Timestamp,
  Uint,
} from '../values.ts'
import { A, B, declare, member, overload } from './declare.ts'

const OPTIONAL = optionalType(A)
const LIST = listType(A)
const MAP = mapType(A, B)

function ofNonZero(value: CelValue): Result {
  return isZero(value) ? NONE : new OptionalValue(value)
}

function isZero(value: CelValue): boolean {
  if (value === null || value === false || value === '' || value === 0n || value === 0) return true
  if (value instanceof ListValue || value instanceof Uint8Array) return value.length === 0
  if (value instanceof MapValue) return value.size === 0
  if (value instanceof Uint) return value.value === 0n
  if (value instanceof Timestamp || value instanceof Duration) return value.nanos === 0n
  if (value instanceof OptionalValue) return value.value === undefined
  return value instanceof ObjectValue && [...value.fields()].length === 0
}

function contentOf({ value }: OptionalValue): Result {
  return value === undefined ? new CelError('optional.none() dereference') : value
}

function unwrapped(list: ListValue): Result {
  const values: CelValue[] = []
  for (let index = 0; index < list.length; index++) {
    const element = list.at(index)
    if (!(element instanceof OptionalValue)) return new CelError(`value of type optional expected in list`)
    if (element.value !== undefined) values.push(element.value)
  }
  return new ArrayList(values)
}

function elementAt(list: ListValue, index: number): Result {
  return index >= 0 && index < list.length ? new OptionalValue(list.at(index)) : NONE
}

export const OPTIONALS: Library = {
  name: 'cel.lib.optional',
  functions: [
    declare('optional.of', [overload('optional_of', [A], OPTIONAL, (value: CelValue) => new OptionalValue(value))]),
    declare('optional.ofNonZeroValue', [overload('optional_ofNonZeroValue', [A], OPTIONAL, ofNonZero)]),
    declare('optional.none', [overload('optional_none', [], OPTIONAL, () => NONE)]),
    declare('value', [member('optional_value', [OPTIONAL], A, contentOf)]),
    declare('hasValue', [
      member('optional_hasValue', [OPTIONAL], BOOL, ({ value }: OptionalValue) => value !== undefined),
    ]),
    declare('or', [
      member('optional_or_optional', [OPTIONAL, OPTIONAL], OPTIONAL, (first: OptionalValue, second: OptionalValue) =>
        first.value === undefined ? second : first,
      ),
    ]),
    declare('orValue', [
      member('optional_orValue_value', [OPTIONAL, A], A, (optional: OptionalValue, other: CelValue) =>
        optional.value === undefined ? other : optional.value,
      ),
    ]),
    declare('_?._', [overload('select_optional_field', [DYN, STRING], OPTIONAL)]),
    declare('_[?_]', [
      overload('list_optindex_optional_int', [LIST, INT], OPTIONAL),
      overload('optional_list_optindex_optional_int', [optionalType(LIST), INT], OPTIONAL),
      overload('map_optindex_optional_value', [MAP, A], optionalType(B)),
      overload('optional_map_optindex_optional_value', [optionalType(MAP), A], optionalType(B)),
    ]),
    declare('_[_]', [
      overload('optional_list_index_int', [optionalType(LIST), INT], OPTIONAL),
      overload('optional_map_index_value', [optionalType(MAP), A], optionalType(B)),
    ]),
    declare('first', [member('list_first', [LIST], OPTIONAL, (list: ListValue) => elementAt(list, 0))]),
    declare('last', [member('list_last', [LIST], OPTIONAL, (list: ListValue) => elementAt(list, list.length - 1))]),
    declare('optional.unwrap', [overload('optional_unwrap', [listType(OPTIONAL)], LIST, unwrapped)]),
    declare('unwrapOpt', [member('optional_unwrapOpt', [listType(OPTIONAL)], LIST, unwrapped)]),
  ],
}
