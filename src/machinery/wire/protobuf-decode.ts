/**
 * Objects in `application/vnd.kubernetes.protobuf`, decoded to JSON values: four magic bytes, then an envelope
 * (runtime.Unknown) that names the kind and holds the message. Which fields a message has is data that is passed in.
 */

import { setOwn } from '../../base/deep-freeze.ts'
import { isRecord } from '../../base/is-record.ts'
import { DecodeError, decodeJson, JSON_VALUES_MAX, TooLargeError } from './json.ts'
import { type Field, MAGIC, type ProtobufMessages, parseField, WIRE_BYTES, wireOf, ZEROS } from './protobuf-fields.ts'
import { ProtobufReader } from './protobuf-reader.ts'

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
const NOTHING = new ProtobufReader(Buffer.alloc(0))

/** The tags of an envelope's parts. */
const ENVELOPE_KIND = 1 * 8 + WIRE_BYTES
const ENVELOPE_MESSAGE = 2 * 8 + WIRE_BYTES

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
    if (Buffer.compare(bytes.subarray(0, MAGIC.length), MAGIC) !== 0)
      throw new DecodeError('provided data does not appear to be a protobuf message, expected prefix')
    this.#values = 0
    const reader = readerOf(bytes.subarray(MAGIC.length))
    let kind: Values = new Map()
    let message: Uint8Array = new Uint8Array()
    while (!reader.done) {
      const tag = reader.tag()
      if (tag === ENVELOPE_KIND) kind = this.#read('runtime#.TypeMeta', reader.message(), 1)
      else if (tag === ENVELOPE_MESSAGE) message = reader.bytes()
      else reader.skip(tag % 8)
    }
    return { apiVersion: String(kind.get('apiVersion') ?? ''), kind: String(kind.get('kind') ?? ''), message }
  }

  /** Throws `DecodeError` for bytes that are not this message, or of too many parts. */
  decode(message: string, bytes: Uint8Array): unknown {
    this.#values = 0
    return this.#decode(message, readerOf(bytes), 0)
  }

  #decode(name: string, reader: ProtobufReader, depth: number): unknown {
    const values = this.#read(name, reader, depth)
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
    return this.#decode(type, NOTHING, depth + 1)
  }

  #read(name: string, reader: ProtobufReader, depth: number): Values {
    if (depth > DEPTH_MAX) throw new DecodeError('the message is nested too deeply')
    const { byNumber } = this.#message(name)
    const values: Values = new Map()
    while (!reader.done) {
      if (++this.#values > JSON_VALUES_MAX) throw new TooLargeError(`the message exceeds ${JSON_VALUES_MAX} values`)
      const tag = reader.tag()
      const field = byNumber.get(Math.floor(tag / 8))
      if (field) this.#take(values, field, reader, tag % 8, depth)
      else reader.skip(tag % 8)
    }
    return values
  }

  #take(values: Values, field: Field, reader: ProtobufReader, wire: number, depth: number): void {
    const { name, shape } = field
    const before = values.get(name)
    if (shape === 'list') {
      const list: unknown[] = Array.isArray(before) ? before : []
      if (isPacked(field, wire)) {
        const packed = reader.message()
        while (!packed.done) list.push(this.#one(field, packed, wireOf(field), depth))
      } else list.push(this.#one(field, reader, wire, depth))
      values.set(name, list)
    } else if (shape === 'map') {
      const map = isRecord(before) ? before : {}
      checkWire(field, wire, WIRE_BYTES)
      this.#takeEntry(map, field, reader.message(), depth)
      values.set(name, map)
    } else values.set(name, this.#one(field, reader, wire, depth))
  }

  #takeEntry(map: Record<string, unknown>, field: Field, entry: ProtobufReader, depth: number): void {
    let key = ''
    let value: unknown = ZEROS[field.type]
    while (!entry.done) {
      const tag = entry.tag()
      const number = Math.floor(tag / 8)
      if (number === 1) {
        checkWire(field, tag % 8, WIRE_BYTES)
        key = entry.text()
      } else if (number === 2) value = this.#one(field, entry, tag % 8, depth)
      else entry.skip(tag % 8)
    }
    setOwn(map, key, value ?? this.#decode(field.type, NOTHING, depth + 1))
  }

  #one(field: Field, source: ProtobufReader, wire: number, depth: number): unknown {
    checkWire(field, wire, wireOf(field))
    return field.type in ZEROS ? source.scalar(field.type) : this.#decode(field.type, source.message(), depth + 1)
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

function readerOf(bytes: Uint8Array): ProtobufReader {
  return new ProtobufReader(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
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
