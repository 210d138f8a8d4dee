/**
 * JSON as CEL values and back. A value over JSON is a view: wrapping an object of any size costs one allocation,
 * and what an expression touches is converted when it is touched, by the type it was declared with.
 */

import { durationText, parseDuration, parseTimestamp, timestampText } from './operators/time.ts'
import { type CelType, DYN, type ListType, type MapType, type ObjectType } from './types.ts'
import {
  CelError,
  type CelValue,
  Duration,
  ListValue,
  MapValue,
  ObjectValue,
  OptionalValue,
  Timestamp,
  Uint,
} from './values.ts'

type JsonObject = Readonly<Record<string, unknown>>

/**
 * The value of JSON that is declared to have a type. Numbers become int or double, strings with a declared
 * `bytes`, `timestamp` or `duration` type are parsed; under `dyn` whole numbers are ints and objects are maps.
 * JSON that does not fit its type keeps the value it would have under `dyn`.
 */
export function valueFromJson(json: unknown, type: CelType): CelValue {
  switch (typeof json) {
    case 'string':
      return fromString(json, type)
    case 'number':
      return fromNumber(json, type)
    case 'boolean':
    case 'bigint':
      return json
    case 'object':
      return json === null ? null : fromObject(json, type)
    default:
      return null
  }
}

function fromNumber(json: number, type: CelType): CelValue {
  if (type.kind === 'double' || !Number.isInteger(json)) return json
  const integer = BigInt(json)
  return type.kind === 'uint' ? new Uint(integer) : integer
}

function fromString(json: string, type: CelType): CelValue {
  switch (type.kind) {
    case 'timestamp':
      return parsedOr(json, parseTimestamp(json.includes('T') || json.includes('t') ? json : `${json}T00:00:00Z`))
    case 'duration':
      return parsedOr(json, parseDuration(json))
    case 'bytes':
      return new Uint8Array(Buffer.from(json, 'base64'))
    default:
      return json
  }
}

function parsedOr(json: string, parsed: Timestamp | Duration | CelError | undefined): CelValue {
  return parsed === undefined || parsed instanceof CelError ? json : parsed
}

const DYNAMIC_LIST: ListType = { kind: 'list', element: DYN }
const DYNAMIC_MAP: MapType = { kind: 'map', key: DYN, value: DYN }

function fromObject(json: object, type: CelType): CelValue {
  if (Array.isArray(json)) return new JsonList(json, type.kind === 'list' ? type : DYNAMIC_LIST)
  const object = json as JsonObject
  if (type.kind === 'object') return new JsonObjectValue(object, type)
  return new JsonMap(object, type.kind === 'map' ? type : DYNAMIC_MAP)
}

class JsonList extends ListValue {
  private readonly json: readonly unknown[]
  private readonly type: ListType

  constructor(json: readonly unknown[], type: ListType) {
    super()
    this.json = json
    this.type = type
  }

  get length(): number {
    return this.json.length
  }

  override get identity(): 'set' | readonly string[] | undefined {
    return this.type.identity
  }

  at(index: number): CelValue {
    return valueFromJson(this.json[index], this.type.element)
  }
}

class JsonMap extends MapValue {
  private readonly json: JsonObject
  private readonly type: MapType
  private names: readonly string[] | undefined

  constructor(json: JsonObject, type: MapType) {
    super()
    this.json = json
    this.type = type
  }

  get size(): number {
    this.names ??= Object.keys(this.json)
    return this.names.length
  }

  get(key: CelValue): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.json, key)) return undefined
    return valueFromJson(this.json[key], this.type.value)
  }

  keys(): Iterable<CelValue> {
    this.names ??= Object.keys(this.json)
    return this.names
  }
}

class JsonObjectValue extends ObjectValue {
  readonly type: ObjectType
  private readonly json: JsonObject

  constructor(json: JsonObject, type: ObjectType) {
    super()
    this.json = json
    this.type = type
  }

  get(name: string): CelValue | undefined {
    const field = this.type.field(name)
    const property = field?.property ?? name
    if (!Object.hasOwn(this.json, property)) return undefined
    const json = this.json[property]
    return json === undefined ? undefined : valueFromJson(json, field?.type ?? DYN)
  }

  has(name: string): boolean {
    const property = this.type.field(name)?.property ?? name
    return Object.hasOwn(this.json, property) && this.json[property] !== undefined
  }

  fields(): Iterable<string> {
    return Object.keys(this.json)
  }
}

/** JSON for a value; a CelError when it holds what JSON has no form for. */
export function jsonFromValue(value: CelValue): unknown {
  switch (typeof value) {
    case 'bigint':
      return integerJson(value)
    case 'number':
    case 'string':
    case 'boolean':
      return value
    default:
      return value === null ? null : jsonFromObject(value)
  }
}

/** A number where it is exact, else its digits, as protobuf's JSON has it. */
function integerJson(value: bigint): number | string {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : String(value)
}

function jsonFromObject(value: CelValue & object): unknown {
  if (value instanceof ListValue) {
    return allOrError(Array.from({ length: value.length }, (_, index) => jsonFromValue(value.at(index))))
  }
  if (value instanceof MapValue) {
    return objectJson(value.keys(), (key) => value.get(key) ?? null)
  }
  if (value instanceof ObjectValue) {
    return objectJson(value.fields(), (name) => value.get(String(name)) ?? null)
  }
  if (value instanceof Uint) return integerJson(value.value)
  if (value instanceof Timestamp) return timestampText(value)
  if (value instanceof Duration) return durationText(value)
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof OptionalValue) return value.value === undefined ? null : jsonFromValue(value.value)
  return new CelError('value has no JSON form')
}

function allOrError(items: readonly unknown[]): unknown {
  return items.find((item) => item instanceof CelError) ?? items
}

function objectJson(keys: Iterable<CelValue>, valueAt: (key: CelValue) => CelValue | CelError): unknown {
  const entries: [string, unknown][] = []
  for (const key of keys) {
    const value = valueAt(key)
    const json = value instanceof CelError ? value : jsonFromValue(value)
    if (json instanceof CelError) return json
    entries.push([key instanceof Uint ? String(key.value) : String(key), json])
  }
  return Object.fromEntries(entries)
}
