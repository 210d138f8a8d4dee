/**
 * JSON values as `application/vnd.kubernetes.protobuf`: the same bytes that upstream's marshaller makes. Fields
 * stand in ascending order, maps are sorted, zero values are written where the type has no "absent".
 *
 * A message is written from its end to its beginning, because each part is preceded by its length: what has been
 * written is the length that comes next, and nothing is measured twice.
 */

import { byCodeUnit } from '../../base/group-by.ts'
import { isRecord } from '../../base/is-record.ts'
import { type Field, isScalar, MAGIC, type ProtobufMessages, parseField, WIRE_BYTES, ZEROS } from './protobuf-fields.ts'
import { SPECIAL_MESSAGES } from './protobuf-special.ts'
import { BackwardsWriter } from './protobuf-writer.ts'

/** Writes one field of the object, behind everything that is written already. */
type FieldWriter = (writer: BackwardsWriter, object: Values) => void
type ContentWriter = (writer: BackwardsWriter, value: unknown) => void
type Values = Readonly<Record<string, unknown>>

const NOTHING: Values = {}
/** Of an envelope. */
const MESSAGE_FIELD = 2

/** What ends an envelope. */
export const ENVELOPE_TAIL = new BackwardsWriter().write(writeEncodings)

/** Tag and length of an item of a list. */
const ITEM_TAG = 2 * 8 + WIRE_BYTES

/** In bytes, for an item that is `length` bytes long. */
export function listItemLength(length: number): number {
  let size = length + 2
  for (let rest = length; rest >= 0x80; rest >>>= 7) size++
  return size
}

/** Writes `listItemLength` bytes. */
export function writeListItem(item: Uint8Array, target: Uint8Array, start: number): void {
  let at = start
  target[at++] = ITEM_TAG
  let rest = item.length
  for (; rest >= 0x80; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80
  target[at++] = rest
  target.set(item, at)
}

/** Encoding and content type of the message: none and the usual one. */
function writeEncodings(writer: BackwardsWriter): void {
  writer.text(4, '')
  writer.text(3, '')
}

function writeTypeAndMagic(writer: BackwardsWriter, apiVersion: string, kind: string): void {
  const end = writer.position
  writer.text(2, kind)
  writer.text(1, apiVersion)
  writer.head(1, end)
  writer.raw(MAGIC)
}

/** Magic, then the kind and the message. */
export function writeEnvelope(writer: BackwardsWriter, apiVersion: string, kind: string, message: Uint8Array): void {
  writeEncodings(writer)
  writer.raw(message)
  writeEnvelopeHead(writer, apiVersion, kind, message.length)
}

/** What goes before a message of `length` bytes; behind it comes `ENVELOPE_TAIL`. */
export function writeEnvelopeHead(writer: BackwardsWriter, apiVersion: string, kind: string, length: number): void {
  writer.headOf(MESSAGE_FIELD, length)
  writeTypeAndMagic(writer, apiVersion, kind)
}

export class ProtobufEncoder {
  readonly #messages: ProtobufMessages
  readonly #isShared: (value: object) => boolean
  readonly #contents = new Map<string, ContentWriter>()
  readonly #writer = new BackwardsWriter()

  /** `isShared`: whether an object is frozen, and there for many that are encoded. */
  constructor(messages: ProtobufMessages, isShared: (value: object) => boolean = () => false) {
    this.#messages = messages
    this.#isShared = isShared
  }

  knows(message: string): boolean {
    return Object.hasOwn(this.#messages, message)
  }

  /** `value` must be of the type that the message stands for; fields that the message does not have are left out. */
  encode(message: string, value: object): Uint8Array {
    return this.#writer.write((writer) => this.#content(message)(writer, value))
  }

  /**
   * What goes over the wire before the items of a list. `itemsBytes` is the sum of their `listItemLength`; after them comes
   * `ENVELOPE_TAIL`.
   */
  listHead(apiVersion: string, kind: string, metadata: object, itemsBytes: number): Uint8Array {
    return this.#writer.write((writer) => {
      this.#content('meta.v1.ListMeta')(writer, metadata)
      writer.head(1, 0)
      writeEnvelopeHead(writer, apiVersion, kind, writer.position + itemsBytes)
    })
  }

  /** What goes over the wire. */
  envelope(apiVersion: string, kind: string, message: Uint8Array): Uint8Array {
    return this.#writer.write((writer) => writeEnvelope(writer, apiVersion, kind, message))
  }

  #content(message: string): ContentWriter {
    const known = this.#contents.get(message)
    if (known) return known
    // Messages contain themselves: what looks this one up while it is made finds it later.
    let made: ContentWriter | undefined
    this.#contents.set(message, (writer, value) => made?.(writer, value))
    made = SPECIAL_MESSAGES.get(message)?.((name) => this.#content(name)) ?? this.#fieldsOf(message)
    this.#contents.set(message, made)
    return made
  }

  #fieldsOf(message: string): ContentWriter {
    const facts = Object.hasOwn(this.#messages, message) ? (this.#messages[message] ?? []) : []
    const fields = facts.map(parseField).sort((left, right) => right.number - left.number)
    const writers = fields.map((field) => this.#fieldWriter(field))
    return (writer, value) => {
      const object = isRecord(value) ? value : NOTHING
      for (const write of writers) write(writer, object)
    }
  }

  #fieldWriter(field: Field): FieldWriter {
    if (field.shape === 'map') return this.#mapWriter(field)
    if (field.shape === 'list') return this.#listWriter(field)
    if (isScalar(field)) return scalarWriter(field)
    const { number, name, nullable, embedded, type } = field
    const content = name === SHARED_FIELD ? this.#remembering(this.#lazily(type)) : this.#lazily(type)
    return (writer, object) => {
      const value = embedded ? object : object[name]
      if (nullable && (value === undefined || value === null)) return
      const end = writer.position
      content(writer, value)
      writer.head(number, end)
    }
  }

  #listWriter(field: Field): FieldWriter {
    const { number, name } = field
    const item = this.#itemWriter(field)
    return (writer, object) => {
      const list = object[name]
      if (!Array.isArray(list)) return
      for (let index = list.length - 1; index >= 0; index--) item(writer, number, list[index])
    }
  }

  #mapWriter(field: Field): FieldWriter {
    const { number, name } = field
    const item = this.#itemWriter(field)
    return (writer, object) => {
      const map = object[name]
      if (!isRecord(map)) return
      for (const key of Object.keys(map).sort(byCodeUnit).reverse()) {
        const end = writer.position
        item(writer, 2, map[key])
        writer.text(1, key)
        writer.head(number, end)
      }
    }
  }

  #itemWriter(field: Field): (writer: BackwardsWriter, number: number, value: unknown) => void {
    const { type } = field
    if (isScalar(field)) return (writer, number, value) => writer.scalar(number, type, value ?? ZEROS[type])
    const content = this.#lazily(type)
    return (writer, number, value) => {
      const end = writer.position
      content(writer, value)
      writer.head(number, end)
    }
  }

  /** A shared value is of one message, and written as it was before. */
  #remembering(content: ContentWriter): ContentWriter {
    const written = new WeakMap<object, Uint8Array>()
    return (writer, value) => {
      if (typeof value !== 'object' || value === null || !this.#isShared(value)) {
        content(writer, value)
        return
      }
      const end = writer.position
      const known = written.get(value)
      if (known) writer.raw(known)
      else {
        content(writer, value)
        written.set(value, writer.since(end))
      }
    }
  }

  /** The fields of a message are read when one is first written: most of the thousand never are. */
  #lazily(message: string): ContentWriter {
    let content: ContentWriter | undefined
    return (writer, value) => {
      content ??= this.#content(message)
      content(writer, value)
    }
  }
}

/** What many objects have in common stands here, as one object: the spec of pods of one family. */
const SHARED_FIELD = 'spec'

function scalarWriter(field: Field): FieldWriter {
  const { number, name, type } = field
  const mayBeAbsent = field.nullable || type === 'bytes'
  const zero = ZEROS[type]
  return (writer, object) => {
    const value = object[name]
    if (value !== undefined && value !== null) writer.scalar(number, type, value)
    else if (!mayBeAbsent) writer.scalar(number, type, zero)
  }
}
