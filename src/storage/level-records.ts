/**
 * The bytes in the database. All numbers are big-endian, so keys sort by revision.
 *
 *   key                        value
 *   'a'                        anchor: where the kept log begins: revision, checksum, highest fence
 *   'i' key                    current version of a key: revision, created, position
 *   'l' revision               one transaction: header, cause, writes, checksum
 *   'v' revision position      one value: checksum, bytes
 *
 * A transaction's record names the checksum of the record before: a log with a missing, foreign or reordered record
 * does not verify. It holds the checksums of its values, not the values, so verifying the log is cheap.
 */

import { crc32 } from 'node:zlib'
import { assert } from '../base/assert.ts'
import { Corrupt, type Revision } from './storage.ts'

export interface Anchor {
  readonly revision: Revision
  readonly checksum: number
  readonly fence: number
}

/** Where a value is: the transaction that wrote it and its place among the transaction's writes. */
export interface Place {
  readonly revision: Revision
  readonly position: number
}

export interface IndexEntry extends Place {
  readonly created: Revision
}

export interface LoggedWrite {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly created: Revision
  /** Where the value before is; undefined when the key did not exist. */
  readonly previous: Place | undefined
  readonly valueChecksum: number
}

export interface LogRecord {
  readonly revision: Revision
  readonly previousChecksum: number
  readonly timeMs: number
  /** The highest fence so far. */
  readonly fence: number
  readonly cause: string | undefined
  readonly writes: readonly LoggedWrite[]
}

/** `t8` and the version of this format. */
const MAGIC = 0x7438
const RECORD_FORMAT = 1
const NO_CAUSE = 0xffffffff

/** Where checksums start: with 0, a run of zero bytes would verify. */
const CHECKSUM_START = 0x74387321

const LOG_LETTER = 'l'.charCodeAt(0)
const VALUE_LETTER = 'v'.charCodeAt(0)

const CHECKSUM_BYTES = 4
const HEADER_BYTES = 2 + 1 + 1 + 8 + 4 + 8 + 8 + 4 + 4
const WRITE_BYTES = 1 + 4 + 8 + 8 + 4 + 4

export const ANCHOR_KEY = Buffer.from('a')
/** With keys as texts, without a buffer for each. */
export const INDEX_RANGE = { gt: 'i', lt: 'j', keyEncoding: 'utf8' } as const
export const LOG_RANGE = { gt: Buffer.from('l'), lt: Buffer.from('m') }
export const VALUE_RANGE = { gt: Buffer.from('v'), lt: Buffer.from('w') }

export const indexKey = (key: string): Buffer => Buffer.from(`i${key}`)
export const keyOfIndex = (text: string): string => text.slice(1)

export function logKey(revision: Revision): Buffer {
  const writer = new Writer(9)
  writer.u8(LOG_LETTER)
  writer.u64(revision)
  return writer.bytes
}

export function valueKey({ revision, position }: Place): Buffer {
  const writer = new Writer(13)
  writer.u8(VALUE_LETTER)
  writer.u64(revision)
  writer.u32(position)
  return writer.bytes
}

export function placeOfValue(bytes: Buffer): Place {
  return { revision: Number(bytes.readBigUInt64BE(1)), position: bytes.readUInt32BE(9) }
}

export function encodeAnchor({ revision, checksum, fence }: Anchor): Buffer {
  const writer = new Writer(20 + CHECKSUM_BYTES)
  writer.u64(revision)
  writer.u32(checksum)
  writer.u64(fence)
  return writer.sealed()
}

export function decodeAnchor(bytes: Buffer): Anchor {
  const reader = new Reader(verified(bytes, () => 'the anchor of the log'))
  return { revision: reader.u64(), checksum: reader.u32(), fence: reader.u64() }
}

export function encodeIndexEntry({ revision, created, position }: IndexEntry): Buffer {
  const writer = new Writer(20 + CHECKSUM_BYTES)
  writer.u64(revision)
  writer.u64(created)
  writer.u32(position)
  return writer.sealed()
}

export function decodeIndexEntry(key: string, bytes: Buffer): IndexEntry {
  const reader = new Reader(verified(bytes, () => `the index entry of ${key}`))
  return { revision: reader.u64(), created: reader.u64(), position: reader.u32() }
}

/** What stands before a value: its checksum. */
export const VALUE_HEADER_BYTES = 4

/** Writes a value and its checksum to `bytes`, which has the room for both. */
export function encodeValue(value: Uint8Array, checksum: number, bytes: Buffer): void {
  bytes.writeUInt32BE(checksum)
  bytes.set(value, VALUE_HEADER_BYTES)
}

export function decodeValue(key: string, revision: Revision, bytes: Buffer): Uint8Array {
  const value = bytes.subarray(VALUE_HEADER_BYTES)
  if (bytes.length < VALUE_HEADER_BYTES || checksumOfValue(value) !== bytes.readUInt32BE()) {
    throw new Corrupt(`the value of ${key} at revision ${revision} does not match its checksum`)
  }
  return value
}

export function encodeLogRecord(record: LogRecord): Buffer {
  const cause = record.cause === undefined ? undefined : Buffer.from(record.cause)
  const keys = record.writes.map(({ key }) => Buffer.from(key))
  const keyBytes = keys.reduce((sum, key) => sum + key.length, 0)
  const bodyBytes = (cause?.length ?? 0) + keyBytes + WRITE_BYTES * keys.length
  const writer = new Writer(HEADER_BYTES + bodyBytes + CHECKSUM_BYTES)
  writer.u16(MAGIC)
  writer.u8(RECORD_FORMAT)
  writer.u8(0)
  writer.u64(record.revision)
  writer.u32(record.previousChecksum)
  writer.u64(record.timeMs)
  writer.u64(record.fence)
  writer.u32(cause?.length ?? NO_CAUSE)
  writer.u32(record.writes.length)
  if (cause) writer.raw(cause)
  for (const [index, { type, created, previous, valueChecksum }] of record.writes.entries()) {
    const key = keys[index] ?? Buffer.alloc(0)
    writer.u8(type === 'put' ? 1 : 0)
    writer.u32(key.length)
    writer.raw(key)
    writer.u64(created)
    writer.u64(previous?.revision ?? 0)
    writer.u32(previous?.position ?? 0)
    writer.u32(valueChecksum)
  }
  return writer.sealed()
}

export function decodeLogRecord(bytes: Buffer): LogRecord {
  const reader = new Reader(verified(bytes, () => 'a record of the log'))
  if (reader.u16() !== MAGIC) throw new Corrupt('a record of the log does not begin like one')
  const format = reader.u8()
  if (format !== RECORD_FORMAT) throw new Corrupt(`a record of the log has the unknown format ${format}`)
  reader.u8()
  const [revision, previousChecksum, timeMs, fence] = [reader.u64(), reader.u32(), reader.u64(), reader.u64()]
  const causeBytes = reader.u32()
  const count = reader.u32()
  const cause = causeBytes === NO_CAUSE ? undefined : reader.text(causeBytes)
  const writes = Array.from({ length: count }, () => readWrite(reader))
  return { revision, previousChecksum, timeMs, fence, cause, writes }
}

function readWrite(reader: Reader): LoggedWrite {
  const type = reader.u8() === 1 ? 'put' : 'delete'
  const key = reader.text(reader.u32())
  const [created, revision, position, valueChecksum] = [reader.u64(), reader.u64(), reader.u32(), reader.u32()]
  return { type, key, created, previous: revision === 0 ? undefined : { revision, position }, valueChecksum }
}

/** The checksum that the next record names: the one at the end of this record. */
export function checksumOf(record: Buffer): number {
  return record.readUInt32BE(record.length - CHECKSUM_BYTES)
}

export const checksumOfValue = (value: Uint8Array): number => crc32(value, CHECKSUM_START)

function verified(bytes: Buffer, what: () => string): Buffer {
  const content = bytes.subarray(0, -CHECKSUM_BYTES)
  if (bytes.length < CHECKSUM_BYTES || crc32(content, CHECKSUM_START) !== checksumOf(bytes)) {
    throw new Corrupt(`${what()} does not match its checksum`)
  }
  return content
}

class Writer {
  readonly #buffer: Buffer
  #offset = 0

  constructor(bytesMax: number) {
    this.#buffer = Buffer.allocUnsafe(bytesMax)
  }

  get bytes(): Buffer {
    return this.#offset === this.#buffer.length ? this.#buffer : this.#buffer.subarray(0, this.#offset)
  }

  u8(value: number): void {
    this.#offset = this.#buffer.writeUInt8(value, this.#offset)
  }

  u16(value: number): void {
    this.#offset = this.#buffer.writeUInt16BE(value, this.#offset)
  }

  u32(value: number): void {
    this.#offset = this.#buffer.writeUInt32BE(value, this.#offset)
  }

  u64(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'what is written is a natural number')
    this.u32(Math.floor(value / 0x1_0000_0000))
    this.u32(value % 0x1_0000_0000)
  }

  raw(bytes: Uint8Array): void {
    this.#buffer.set(bytes, this.#offset)
    this.#offset += bytes.length
  }

  /** What was written, and its checksum behind it. */
  sealed(): Buffer {
    this.u32(crc32(this.bytes, CHECKSUM_START))
    return this.bytes
  }
}

/** Over bytes whose checksum holds: reading beyond the end is a programmer error, and throws. */
class Reader {
  readonly #buffer: Buffer
  #offset = 0

  constructor(buffer: Buffer) {
    this.#buffer = buffer
  }

  u8(): number {
    return this.#buffer.readUInt8(this.#advance(1))
  }

  u16(): number {
    return this.#buffer.readUInt16BE(this.#advance(2))
  }

  u32(): number {
    return this.#buffer.readUInt32BE(this.#advance(4))
  }

  u64(): number {
    const start = this.#advance(8)
    return this.#buffer.readUInt32BE(start) * 0x1_0000_0000 + this.#buffer.readUInt32BE(start + 4)
  }

  text(bytes: number): string {
    const start = this.#advance(bytes)
    return this.#buffer.toString('utf8', start, start + bytes)
  }

  #advance(bytes: number): number {
    const start = this.#offset
    this.#offset += bytes
    return start
  }
}
