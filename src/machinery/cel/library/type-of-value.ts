/** The type of a value at run time. Lists and maps may hold anything, as far as this knows. */

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
  NULL,
  optionalType,
  STRING,
  TIMESTAMP,
  TYPE,
  UINT,
} from '../types.ts'
import {
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  ObjectValue,
  OpaqueValue,
  OptionalValue,
  Timestamp,
  TypeValue,
  Uint,
} from '../values.ts'

const LIST = listType(DYN)
const MAP = mapType(DYN, DYN)
const OPTIONAL = optionalType(DYN)

export function typeOfValue(value: CelValue): CelType {
  switch (typeof value) {
    case 'bigint':
      return INT
    case 'number':
      return DOUBLE
    case 'string':
      return STRING
    case 'boolean':
      return BOOL
    default:
      return value === null ? NULL : typeOfObject(value)
  }
}

function typeOfObject(value: CelValue & object): CelType {
  if (value instanceof ListValue) return LIST
  if (value instanceof MapValue) return MAP
  if (value instanceof ObjectValue || value instanceof OpaqueValue) return value.type
  if (value instanceof Uint) return UINT
  if (value instanceof Timestamp) return TIMESTAMP
  if (value instanceof Duration) return DURATION
  if (value instanceof OptionalValue) return OPTIONAL
  return value instanceof TypeValue ? TYPE : BYTES
}

/** Whether a value may be passed where a type is declared. */
export type Matcher = (value: CelValue) => boolean

export function matcherOf(type: CelType): Matcher {
  switch (type.kind) {
    case 'bool':
      return (value) => typeof value === 'boolean'
    case 'int':
      return (value) => typeof value === 'bigint'
    case 'uint':
      return (value) => value instanceof Uint
    case 'double':
      return (value) => typeof value === 'number'
    case 'string':
      return (value) => typeof value === 'string'
    case 'bytes':
      return (value) => value instanceof Uint8Array
    case 'null_type':
      return (value) => value === null
    case 'timestamp':
      return (value) => value instanceof Timestamp
    case 'duration':
      return (value) => value instanceof Duration
    case 'list':
      return (value) => value instanceof ListValue
    case 'map':
      return (value) => value instanceof MapValue
    case 'object':
      return (value) => value instanceof ObjectValue && value.type.name === type.name
    case 'opaque':
      if (type.name === 'optional_type') return (value) => value instanceof OptionalValue
      return (value) => value instanceof OpaqueValue && value.type.name === type.name
    case 'type':
      return (value) => value instanceof TypeValue
    default:
      return () => true
  }
}
