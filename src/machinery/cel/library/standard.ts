/** The functions and operators of the language itself. */

import type { FunctionDeclaration, Library, Overload } from '../declarations.ts'
import { add, divide, modulo, multiply, negate, subtract } from '../operators/arithmetic.ts'
import {
  boolOf,
  bytesOf,
  doubleOf,
  durationFrom,
  intOf,
  stringOf,
  timestampFrom,
  uintOf,
} from '../operators/convert.ts'
import { equal, equality, NO_SUCH_OVERLOAD, ordering } from '../operators/equality.ts'
import { charactersOf } from '../operators/text.ts'
import {
  BOOL,
  BYTES,
  type CelType,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listType,
  mapType,
  STRING,
  TIMESTAMP,
  TYPE,
  typeType,
  UINT,
} from '../types.ts'
import { CelError, type CelValue, ListValue, MapValue, type Result, TypeValue } from '../values.ts'
import { A, B, declare, member, overload } from './declare.ts'
import { matchesPattern } from './patterns.ts'
import { TIME_FUNCTIONS } from './time-functions.ts'
import { typeOfValue } from './type-of-value.ts'

/** Types with an order, by the name they have in overloads. */
const ORDERED: readonly (readonly [string, CelType])[] = [
  ['bool', BOOL],
  ['int64', INT],
  ['uint64', UINT],
  ['double', DOUBLE],
  ['string', STRING],
  ['bytes', BYTES],
  ['timestamp', TIMESTAMP],
  ['duration', DURATION],
]
const NUMERIC = ['int64', 'uint64', 'double']

function orderOverloads(prefix: string): readonly Overload[] {
  const own = ORDERED.map(([name, type]) => overload(`${prefix}_${name}`, [type, type], BOOL))
  const mixed = ORDERED.flatMap(([left, leftType]) =>
    ORDERED.filter(([right]) => left !== right && NUMERIC.includes(left) && NUMERIC.includes(right)).map(
      ([right, rightType]) => overload(`${prefix}_${left}_${right}`, [leftType, rightType], BOOL),
    ),
  )
  return [...own, ...mixed]
}

const OPERATORS: readonly FunctionDeclaration[] = [
  declare('_?_:_', [overload('conditional', [BOOL, A, A], A)]),
  declare('_&&_', [overload('logical_and', [BOOL, BOOL], BOOL)]),
  declare('_||_', [overload('logical_or', [BOOL, BOOL], BOOL)]),
  declare('!_', [overload('logical_not', [BOOL], BOOL)], (value: CelValue) =>
    typeof value === 'boolean' ? !value : NO_SUCH_OVERLOAD,
  ),
  declare('@not_strictly_false', [overload('not_strictly_false', [BOOL], BOOL)]),
  declare('_==_', [overload('equals', [A, A], BOOL)], equality),
  declare('_!=_', [overload('not_equals', [A, A], BOOL)], unequal),
  declare(
    '_<_',
    orderOverloads('less'),
    ordering((order) => order < 0),
  ),
  declare(
    '_<=_',
    orderOverloads('less_equals'),
    ordering((order) => order <= 0),
  ),
  declare(
    '_>_',
    orderOverloads('greater'),
    ordering((order) => order > 0),
  ),
  declare(
    '_>=_',
    orderOverloads('greater_equals'),
    ordering((order) => order >= 0),
  ),
]

const ARITHMETIC: readonly FunctionDeclaration[] = [
  declare(
    '_+_',
    [
      overload('add_bytes', [BYTES, BYTES], BYTES),
      overload('add_double', [DOUBLE, DOUBLE], DOUBLE),
      overload('add_duration_duration', [DURATION, DURATION], DURATION),
      overload('add_duration_timestamp', [DURATION, TIMESTAMP], TIMESTAMP),
      overload('add_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP),
      overload('add_int64', [INT, INT], INT),
      overload('add_list', [listType(A), listType(A)], listType(A)),
      overload('add_string', [STRING, STRING], STRING),
      overload('add_uint64', [UINT, UINT], UINT),
    ],
    add,
  ),
  declare(
    '_-_',
    [
      overload('subtract_double', [DOUBLE, DOUBLE], DOUBLE),
      overload('subtract_duration_duration', [DURATION, DURATION], DURATION),
      overload('subtract_int64', [INT, INT], INT),
      overload('subtract_timestamp_duration', [TIMESTAMP, DURATION], TIMESTAMP),
      overload('subtract_timestamp_timestamp', [TIMESTAMP, TIMESTAMP], DURATION),
      overload('subtract_uint64', [UINT, UINT], UINT),
    ],
    subtract,
  ),
  declare(
    '_*_',
    [
      overload('multiply_double', [DOUBLE, DOUBLE], DOUBLE),
      overload('multiply_int64', [INT, INT], INT),
      overload('multiply_uint64', [UINT, UINT], UINT),
    ],
    multiply,
  ),
  declare(
    '_/_',
    [
      overload('divide_double', [DOUBLE, DOUBLE], DOUBLE),
      overload('divide_int64', [INT, INT], INT),
      overload('divide_uint64', [UINT, UINT], UINT),
    ],
    divide,
  ),
  declare('_%_', [overload('modulo_int64', [INT, INT], INT), overload('modulo_uint64', [UINT, UINT], UINT)], modulo),
  declare('-_', [overload('negate_double', [DOUBLE], DOUBLE), overload('negate_int64', [INT], INT)], negate),
]

function unequal(left: CelValue, right: CelValue): Result {
  const verdict = equality(left, right)
  return typeof verdict === 'boolean' ? !verdict : verdict
}

function contains(needle: CelValue, container: CelValue): Result {
  if (container instanceof MapValue) return container.get(needle) !== undefined
  if (!(container instanceof ListValue)) return NO_SUCH_OVERLOAD
  for (let index = 0; index < container.length; index++) if (equal(container.at(index), needle)) return true
  return false
}

function sizeOf(value: CelValue): Result {
  if (typeof value === 'string') return BigInt(charactersOf(value))
  if (value instanceof ListValue || value instanceof Uint8Array) return BigInt(value.length)
  return value instanceof MapValue ? BigInt(value.size) : new CelError('no such overload: size')
}

const CONTAINERS: readonly FunctionDeclaration[] = [
  declare('_[_]', [overload('index_list', [listType(A), INT], A), overload('index_map', [mapType(A, B), A], B)]),
  declare('@in', [overload('in_list', [A, listType(A)], BOOL), overload('in_map', [A, mapType(A, B)], BOOL)], contains),
  declare(
    'size',
    [
      overload('size_bytes', [BYTES], INT),
      member('bytes_size', [BYTES], INT),
      overload('size_list', [listType(A)], INT),
      member('list_size', [listType(A)], INT),
      overload('size_map', [mapType(A, B)], INT),
      member('map_size', [mapType(A, B)], INT),
      overload('size_string', [STRING], INT),
      member('string_size', [STRING], INT),
    ],
    sizeOf,
  ),
]

const STRINGS: readonly FunctionDeclaration[] = [
  declare('contains', [
    member('contains_string', [STRING, STRING], BOOL, (text: string, part: string) => text.includes(part)),
  ]),
  declare('endsWith', [
    member('ends_with_string', [STRING, STRING], BOOL, (text: string, part: string) => text.endsWith(part)),
  ]),
  declare('startsWith', [
    member('starts_with_string', [STRING, STRING], BOOL, (text: string, part: string) => text.startsWith(part)),
  ]),
  declare('matches', [
    overload('matches', [STRING, STRING], BOOL, matchesPattern),
    member('matches_string', [STRING, STRING], BOOL, matchesPattern),
  ]),
]

function conversion(
  name: string,
  result: CelType,
  from: readonly (readonly [string, CelType])[],
  evaluate: (value: CelValue) => Result,
): FunctionDeclaration {
  return declare(
    name,
    from.map(([id, type]) => overload(id, [type], result, evaluate)),
  )
}

const CONVERSIONS: readonly FunctionDeclaration[] = [
  declare('type', [overload('type', [A], typeType(A), (value: CelValue) => new TypeValue(typeOfValue(value)))]),
  declare('dyn', [overload('to_dyn', [A], DYN, (value: CelValue) => value)]),
  conversion(
    'bool',
    BOOL,
    [
      ['bool_to_bool', BOOL],
      ['string_to_bool', STRING],
    ],
    boolOf,
  ),
  conversion(
    'bytes',
    BYTES,
    [
      ['bytes_to_bytes', BYTES],
      ['string_to_bytes', STRING],
    ],
    bytesOf,
  ),
  conversion(
    'double',
    DOUBLE,
    [
      ['double_to_double', DOUBLE],
      ['int64_to_double', INT],
      ['string_to_double', STRING],
      ['uint64_to_double', UINT],
    ],
    doubleOf,
  ),
  conversion(
    'duration',
    DURATION,
    [
      ['duration_to_duration', DURATION],
      ['int64_to_duration', INT],
      ['string_to_duration', STRING],
    ],
    durationFrom,
  ),
  conversion(
    'int',
    INT,
    [
      ['int64_to_int64', INT],
      ['double_to_int64', DOUBLE],
      ['duration_to_int64', DURATION],
      ['string_to_int64', STRING],
      ['timestamp_to_int64', TIMESTAMP],
      ['uint64_to_int64', UINT],
    ],
    intOf,
  ),
  conversion(
    'string',
    STRING,
    [
      ['string_to_string', STRING],
      ['bool_to_string', BOOL],
      ['bytes_to_string', BYTES],
      ['double_to_string', DOUBLE],
      ['duration_to_string', DURATION],
      ['int64_to_string', INT],
      ['timestamp_to_string', TIMESTAMP],
      ['uint64_to_string', UINT],
    ],
    stringOf,
  ),
  conversion(
    'timestamp',
    TIMESTAMP,
    [
      ['timestamp_to_timestamp', TIMESTAMP],
      ['int64_to_timestamp', INT],
      ['string_to_timestamp', STRING],
    ],
    timestampFrom,
  ),
  conversion(
    'uint',
    UINT,
    [
      ['uint64_to_uint64', UINT],
      ['double_to_uint64', DOUBLE],
      ['int64_to_uint64', INT],
      ['string_to_uint64', STRING],
    ],
    uintOf,
  ),
]

export const STANDARD: Library = {
  name: 'stdlib',
  functions: [...OPERATORS, ...ARITHMETIC, ...CONTAINERS, ...STRINGS, ...CONVERSIONS, ...TIME_FUNCTIONS],
  constants: [{ name: 'type', type: typeType(TYPE), value: new TypeValue(TYPE) }],
}
