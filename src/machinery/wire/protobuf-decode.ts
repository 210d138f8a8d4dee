/**
 * Objects in `application/vnd.kubernetes.protobuf`, decoded to JSON values: four magic bytes, then an envelope
 * (runtime.Unknown) that names the kind and holds the message. Which fields a message has is data that is passed in.
 */

import { setOwn } from '../../base/deep-freeze.ts'
import { DecodeError, decodeJson, JSON_VALUES_MAX } from './json.ts'
import {
  type Field,
  MAGIC,
  type ProtobufMessages,
  parseField,
  WIRE_BYTES,
  WIRE_FIXED32,
  WIRE_FIXED64,
  WIRE_VARINT,
  wireOf,
  ZEROS,
} from './protobuf-fields.ts'

export interface Envelope {
  readonly apiVersion: string
  readonly kind: string
  readonly message: Uint8Array
}

interface Message {
  readonly byNumber: ReadonlyMap<number, Field>
  readonly fields: readonly Field[]
}

type Values = Map<string, unknown>

/** Messages inside messages; upstream's types stay far below. */
const DEPTH_MAX = 100
const EMPTY = new Uint8Array()

export class ProtobufDecoder {
  readonly #messages: ProtobufMessages
  readonly #parsed = new Map<string, Message>()
  /** Fields and messages met in the decoding that is under way. */
  #values = 0

  constructor(messages: ProtobufMessages) {
    this.#messages = messages
  }

  /** Throws `DecodeError` for bytes that are no envelope. */
  envelope(bytes: Uint8Array): Envelope {
    this.#values = 0
    if (Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) !== 0)
      throw new DecodeError('provided data does not appear to be a protobuf message, expected prefix')
    const unknown = this.#read('runtime#.Unknown', bytes.subarray(MAGIC.length), 0)
    const typeMeta = unknown.get('typeMeta')
    const { apiVersion = '', kind = '' } = isRecord(typeMeta) ? typeMeta : {}
    return {
      apiVersion: String(apiVersion),
      kind: String(kind),
      message: Buffer.from(String(unknown.get('raw') ?? ''), 'base64'),
    }
  }

  /** Throws `DecodeError` for bytes that are not this message, or of too many parts. */
  decode(message: string, bytes: Uint8Array): unknown {
    this.#values = 0
    return this.#decode(message, bytes, 0)
  }

  #decode(name: string, bytes: Uint8Array, depth: number): unknown {
    const values = this.#read(name, bytes, depth)
    const special = SPECIAL.get(name)
    if (special) return special(values)
    const object: Record<string, unknown> = {}
    for (const field of this.#message(name).fields) {
      const value = values.get(field.name)
      if (field.embedded) Object.assign(object, value ?? {})
      else {
        const shown = value ?? this.#absent(field, depth)
        if (shown !== undefined && !isOmitted(field, shown)) object[field.name] = shown
      }
    }
    return object
  }

  /** What JSON says of a field that was not sent. */
  #absent(field: Field, depth: number): unknown {
    const { type, shape, nullable, always } = field
    const plain = shape === 'one' && type in ZEROS
    if (nullable) return undefined
    if (plain || shape !== 'one') return always && plain ? ZEROS[type] : undefined
    return this.#decode(type, EMPTY, depth + 1)
  }

  #read(name: string, bytes: Uint8Array, depth: number): Values {
    if (depth > DEPTH_MAX) throw new DecodeError('the message is nested too deeply')
    const { byNumber } = this.#message(name)
    const reader = new Reader(bytes)
    const values: Values = new Map()
    while (!reader.done) {
      if (++this.#values > JSON_VALUES_MAX) throw new DecodeError(`the message exceeds ${JSON_VALUES_MAX} values`)
      const { number, wire } = reader.tag()
      const field = byNumber.get(number)
      if (field) this.#take(values, field, reader, wire, depth)
      else reader.skip(wire)
    }
    return values
  }

  #take(values: Values, field: Field, reader: Reader, wire: number, depth: number): void {
    const { name, shape } = field
    const before = values.get(name)
    if (shape === 'list') {
      const list: unknown[] = Array.isArray(before) ? before : []
      if (isPacked(field, wire)) {
        const packed = new Reader(reader.bytes())
        while (!packed.done) list.push(this.#one(field, packed, wireOf(field), depth))
      } else list.push(this.#one(field, reader, wire, depth))
      values.set(name, list)
    } else if (shape === 'map') {
      const map = isRecord(before) ? before : {}
      checkWire(field, wire, WIRE_BYTES)
      this.#takeEntry(map, field, new Reader(reader.bytes()), depth)
      values.set(name, map)
    } else values.set(name, this.#one(field, reader, wire, depth))
  }

  #takeEntry(map: Record<string, unknown>, field: Field, entry: Reader, depth: number): void {
    let key = ''
    let value: unknown = ZEROS[field.type]
    while (!entry.done) {
      const { number, wire } = entry.tag()
      if (number === 1) {
        checkWire(field, wire, WIRE_BYTES)
        key = String(entry.scalar('string'))
      } else if (number === 2) value = this.#one(field, entry, wire, depth)
      else entry.skip(wire)
    }
    setOwn(map, key, value ?? this.#decode(field.type, EMPTY, depth + 1))
  }

  #one(field: Field, source: Reader, wire: number, depth: number): unknown {
    checkWire(field, wire, wireOf(field))
    return field.type in ZEROS ? source.scalar(field.type) : this.#decode(field.type, source.bytes(), depth + 1)
  }

  #message(name: string): Message {
    const known = this.#parsed.get(name)
    if (known) return known
    const facts = Object.hasOwn(this.#messages, name) ? this.#messages[name] : undefined
    if (!facts) throw new DecodeError(`unknown message ${name}`)
    const fields = facts.map(parseField)
    const message = { byNumber: new Map(fields.map((field) => [field.number, field])), fields }
    this.#parsed.set(name, message)
    return message
  }
}

/** Numbers of a list may lie one after the other behind one tag. */
function isPacked(field: Field, wire: number): boolean {
  return wire === WIRE_BYTES && wireOf(field) !== WIRE_BYTES
}

function checkWire({ name }: Field, wire: number, expected: number): void {
  if (wire !== expected) throw new DecodeError(`proto: wrong wireType = ${wire} for field ${name}`)
}

/** Zero values of plain fields, and absent times, are not written in JSON. */
function isOmitted({ type, shape, nullable, always, omitZero }: Field, value: unknown): boolean {
  if (value === null) return nullable || omitZero || !always
  return shape === 'one' && !nullable && !always && type in ZEROS && value === ZEROS[type]
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The wire format: tags, varints, lengths. Every read checks that the bytes are there. */
class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  tag(): { readonly number: number; readonly wire: number } {
    const tag = Number(this.varint())
    if (tag < 8) throw new DecodeError(`proto: illegal tag ${Math.floor(tag / 8)} (wire type ${tag % 8})`)
    return { number: Math.floor(tag / 8), wire: tag % 8 }
  }

  varint(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) break
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, result)
    }
    throw new DecodeError('proto: illegal varint')
  }

  bytes(): Buffer {
    const length = Number(this.varint())
    if (length > this.#bytes.length - this.#at) throw new DecodeError('unexpected EOF')
    const start = this.#at
    this.#at += length
    return this.#bytes.subarray(start, this.#at)
  }

  scalar(type: string): unknown {
    switch (type) {
      case 'string':
        return this.bytes().toString('utf8')
      case 'bytes':
        return this.bytes().toString('base64')
      case 'bool':
        return this.varint() !== 0n
      case 'double':
        return this.#fixed(8).readDoubleLE()
      case 'int32':
        return Number(BigInt.asIntN(32, this.varint()))
      default:
        return this.#integer()
    }
  }

  skip(wire: number): void {
    if (wire === WIRE_VARINT) this.varint()
    else if (wire === WIRE_FIXED64) this.#fixed(8)
    else if (wire === WIRE_BYTES) this.bytes()
    else if (wire === WIRE_FIXED32) this.#fixed(4)
    else throw new DecodeError(`proto: illegal wireType ${wire}`)
  }

  #integer(): number {
    const value = Number(BigInt.asIntN(64, this.varint()))
    if (!Number.isSafeInteger(value)) throw new DecodeError('an integer is beyond 2^53')
    return value
  }

  #fixed(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new DecodeError('unexpected EOF')
    const start = this.#at
    this.#at += length
    return this.#bytes.subarray(start, this.#at)
  }
}

/** Messages whose JSON form is another than their fields. */
const SPECIAL: ReadonlyMap<string, (values: Values) => unknown> = new Map<string, (values: Values) => unknown>([
  ['meta.v1.Time', (values) => timeText(values, '')],
  ['meta.v1.MicroTime', (values) => timeText(values, `.${microseconds(values.get('nanos'))}`)],
  ['resource#.Quantity', (values) => values.get('string') || '0'],
  [
    'intstr#.IntOrString',
    (values) => (values.get('type') ? (values.get('strVal') ?? '') : (values.get('intVal') ?? 0)),
  ],
  ['runtime#.RawExtension', (values) => embeddedJson(values.get('raw'))],
  ['apiextensions.v1.JSON', (values) => embeddedJson(values.get('raw'))],
  ['meta.v1.FieldsV1', (values) => embeddedJson(values.get('Raw'))],
  ...['meta.v1.Verbs', 'authentication.v1.ExtraValue', 'authorization.v1.ExtraValue', 'certificates.v1.ExtraValue'].map(
    (name) => [name, (values: Values) => values.get('items') ?? []] as const,
  ),
  ['apiextensions.v1.JSONSchemaPropsOrBool', (values) => values.get('schema') ?? values.get('allows') ?? false],
  ['apiextensions.v1.JSONSchemaPropsOrArray', (values) => values.get('schema') ?? values.get('jSONSchemas')],
  ['apiextensions.v1.JSONSchemaPropsOrStringArray', (values) => values.get('schema') ?? values.get('property')],
])

/** The times that can be written in four digits of year, in seconds since 1970. */
const SECONDS_MIN = -62_167_219_200
const SECONDS_MAX = 253_402_300_799
const NANOS_MAX = 999_999_999

function microseconds(nanos: unknown = 0): string {
  if (typeof nanos !== 'number' || nanos < 0 || nanos > NANOS_MAX) throw new DecodeError('a time is out of range')
  return String(Math.floor(nanos / 1000)).padStart(6, '0')
}

function timeText(values: Values, fraction: string): string | null {
  const seconds = values.get('seconds')
  if (seconds === undefined) return null
  if (typeof seconds !== 'number' || seconds < SECONDS_MIN || seconds > SECONDS_MAX)
    throw new DecodeError('a time is out of range')
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction}Z`
}

function embeddedJson(base64: unknown): unknown {
  return typeof base64 === 'string' && base64 !== '' ? decodeJson(Buffer.from(base64, 'base64')) : null
}
