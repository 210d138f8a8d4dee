/**
 * The values of the Common Expression Language as JavaScript values:
 *
 * | CEL       | JavaScript                      | CEL       | JavaScript                                    |
 * |-----------|---------------------------------|-----------|-----------------------------------------------|
 * | int       | bigint                          | timestamp | Timestamp                                     |
 * | uint      | Uint                            | duration  | Duration                                      |
 * | double    | number                          | list      | ListValue                                     |
 * | string    | string                          | map       | MapValue                                      |
 * | bytes     | Uint8Array                      | object    | ObjectValue                                   |
 * | bool      | boolean                         | optional  | OptionalValue                                 |
 * | null_type | null                            | type      | TypeValue                                     |
 *
 * Values of opaque types of libraries are OpaqueValue. A failure is a value too, CelError: it passes through
 * operators until `||`, `&&`, `?:` or a macro makes it irrelevant.
 */

import type { CelType, ObjectType, OpaqueType } from './types.ts'

export type CelValue =
  | bigint
  | Uint
  | number
  | string
  | Uint8Array
  | boolean
  | null
  | Timestamp
  | Duration
  | ListValue
  | MapValue
  | ObjectValue
  | OptionalValue
  | TypeValue
  | OpaqueValue

export type Result = CelValue | CelError

/** An unsigned 64-bit integer. */
export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

/** A point in time, in nanoseconds since 1970 UTC. */
export class Timestamp {
  readonly nanos: bigint
  /** East of UTC: how its text is written, and nothing else. */
  readonly offsetMinutes: number
  constructor(nanos: bigint, offsetMinutes = 0) {
    this.nanos = nanos
    this.offsetMinutes = offsetMinutes
  }
}

export class Duration {
  readonly nanos: bigint
  constructor(nanos: bigint) {
    this.nanos = nanos
  }
}

/** A list. Elements of a list over JSON are converted when they are asked for. */
export abstract class ListValue {
  abstract readonly length: number
  /** The element at a valid index. */
  abstract at(index: number): CelValue
  /** How the elements are told apart, for lists over JSON that declare it. See ListType. */
  get identity(): 'set' | readonly string[] | undefined {
    return undefined
  }
}

/** A map. Keys are strings, ints, uints and bools; `1`, `1u` and `1.0` are the same key. */
export abstract class MapValue {
  abstract readonly size: number
  /** undefined when there is no such key. */
  abstract get(key: CelValue): CelValue | undefined
  abstract keys(): Iterable<CelValue>
}

/** An object of a declared type. */
export abstract class ObjectValue {
  abstract readonly type: ObjectType
  /** The value of a field; undefined when the object has none. A lazy object may answer with an error. */
  abstract get(field: string): Result | undefined
  /** Whether the field is set, as `has()` answers. */
  abstract has(field: string): boolean
  /** The names of the fields that are set, for comparisons. */
  abstract fields(): Iterable<string>
}

/** An optional value; `value` is undefined for `optional.none()`. */
export class OptionalValue {
  readonly value: CelValue | undefined
  constructor(value: CelValue | undefined) {
    this.value = value
  }
}

export const NONE = new OptionalValue(undefined)

/** A type used as a value, such as the result of `type(1)`. */
export class TypeValue {
  readonly type: CelType
  constructor(type: CelType) {
    this.type = type
  }
}

/** A value of a library's own type. Subclasses hold the content and say when two are equal. */
export abstract class OpaqueValue {
  abstract readonly type: OpaqueType
  abstract equals(other: OpaqueValue): boolean
}

/** Why an expression has no value. `location` is set by the evaluator: line:column of the sub-expression. */
export class CelError {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

/** A list of values that are at hand. */
export class ArrayList extends ListValue {
  readonly values: readonly CelValue[]
  constructor(values: readonly CelValue[]) {
    super()
    this.values = values
  }
  get length(): number {
    return this.values.length
  }
  at(index: number): CelValue {
    return this.values[index] ?? null
  }
}

/** A map of values that are at hand. */
export class EntryMap extends MapValue {
  private readonly entries: ReadonlyMap<MapKey, readonly [CelValue, CelValue]>
  constructor(entries: ReadonlyMap<MapKey, readonly [key: CelValue, value: CelValue]>) {
    super()
    this.entries = entries
  }
  get size(): number {
    return this.entries.size
  }
  get(key: CelValue): CelValue | undefined {
    const plain = mapKey(key)
    return plain === undefined ? undefined : this.entries.get(plain)?.[1]
  }
  *keys(): Iterable<CelValue> {
    for (const [key] of this.entries.values()) yield key
  }
}

export type MapKey = string | bigint | boolean

/** What a key is told apart by; undefined when the value is no key of any map. */
export function mapKey(key: CelValue): MapKey | undefined {
  if (typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean') return key
  if (key instanceof Uint) return key.value
  if (typeof key === 'number' && Number.isInteger(key)) return BigInt(key)
  return undefined
}
