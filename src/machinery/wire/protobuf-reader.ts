/** Protobuf's wire format, read: tags, varints, lengths. Every read checks that the bytes are there. */

import { DecodeError } from './json.ts'
import { WIRE_BYTES, WIRE_FIXED32, WIRE_FIXED64, WIRE_VARINT } from './protobuf-fields.ts'

/** A window on a buffer: one message. */
export class ProtobufReader {
  readonly #bytes: Buffer
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
  }

  get done(): boolean {
    return this.#at >= this.#end
  }

  /** The number of a field times eight, and how its value lies in the bytes. */
  tag(): number {
    const tag = this.#whole()
    if (tag < 8) throw new DecodeError(`proto: illegal tag 0 (wire type ${tag})`)
    return tag
  }

  /** The message that comes next. */
  message(): ProtobufReader {
    const start = this.#past(this.#whole())
    return new ProtobufReader(this.#bytes, start, this.#at)
  }

  bytes(): Buffer {
    const start = this.#past(this.#whole())
    return this.#bytes.subarray(start, this.#at)
  }

  text(): string {
    const start = this.#past(this.#whole())
    return this.#bytes.toString('utf8', start, this.#at)
  }

  scalar(type: string): unknown {
    switch (type) {
      case 'string':
        return this.text()
      case 'bytes':
        return this.bytes().toString('base64')
      case 'bool':
        return this.#whole() !== 0
      case 'double':
        return this.#bytes.readDoubleLE(this.#past(8))
      case 'int32':
        return this.#isSmall() ? this.#whole() : Number(BigInt.asIntN(32, this.#varint()))
      default:
        return this.#isSmall() ? this.#whole() : this.#integer()
    }
  }

  skip(wire: number): void {
    if (wire === WIRE_VARINT) this.#whole()
    else if (wire === WIRE_FIXED64) this.#past(8)
    else if (wire === WIRE_BYTES) this.#past(this.#whole())
    else if (wire === WIRE_FIXED32) this.#past(4)
    else throw new DecodeError(`proto: illegal wireType ${wire}`)
  }

  #integer(): number {
    const value = Number(BigInt.asIntN(64, this.#varint()))
    if (!Number.isSafeInteger(value)) throw new DecodeError('an integer is beyond 2^53')
    return value
  }

  /** Whether the next varint is one byte. */
  #isSmall(): boolean {
    return (this.#bytes[this.#at] ?? 0x80) < 0x80
  }

  /** A varint that is no negative number: a tag, a length. Nearly always of one byte or two. */
  #whole(): number {
    const first = this.#bytes[this.#at] ?? 0x80
    if (first < 0x80) {
      this.#past(1)
      return first
    }
    const second = this.#bytes[this.#at + 1] ?? 0x80
    if (second >= 0x80) return Number(this.#varint())
    this.#past(2)
    return (first & 0x7f) | (second << 7)
  }

  #varint(): bigint {
    let result = 0n
    for (let shift = 0n; shift < 70n && this.#at < this.#end; shift += 7n) {
      const byte = this.#bytes[this.#at++] ?? 0
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asUintN(64, result)
    }
    throw new DecodeError('proto: illegal varint')
  }

  /** Goes on behind the next `length` bytes; where they begin. */
  #past(length: number): number {
    if (length > this.#end - this.#at) throw new DecodeError('unexpected EOF')
    const start = this.#at
    this.#at += length
    return start
  }
}
