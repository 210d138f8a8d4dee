/** Protobuf's wire format, written from the end of a buffer to its beginning. */

import { joinKept } from '../../base/kept-bytes.ts'
import { WIRE_BYTES, WIRE_FIXED64, WIRE_VARINT } from './protobuf-fields.ts'

/** Bytes to begin with: most objects fit. */
const BUFFER_BYTES = 16 * 1024
/** Bytes above which the buffer is not kept for the next message. */
const BUFFER_BYTES_KEPT = 1024 * 1024
/** Characters. */
const SHORT_TEXT_MAX = 48
/** A varint of 64 bits. */
const VARINT_BYTES_MAX = 10

export class BackwardsWriter {
  #bytes = Buffer.allocUnsafe(BUFFER_BYTES)
  /** Everything from here to the end is written. */
  #start = BUFFER_BYTES

  /** The bytes that `content` writes, as a copy of their own. */
  write(content: (writer: BackwardsWriter) => void): Uint8Array {
    this.#start = this.#bytes.length
    content(this)
    const result = joinKept([this.#bytes.subarray(this.#start)])
    if (this.#bytes.length > BUFFER_BYTES_KEPT) this.#bytes = Buffer.allocUnsafe(BUFFER_BYTES)
    return result
  }

  /** What was written since the position was `end`, as bytes of their own. */
  since(end: number): Uint8Array {
    return joinKept([this.#bytes.subarray(this.#start, this.#bytes.length - end)])
  }

  /** How many bytes are written: what `head` measures from. */
  get position(): number {
    return this.#bytes.length - this.#start
  }

  /** Tag and length of a part that was written since the position was `end`. */
  head(number: number, end: number): void {
    this.headOf(number, this.position - end)
  }

  /** Tag and length of a part that is `length` bytes long. */
  headOf(number: number, length: number): void {
    this.#varint(length)
    this.#varint(number * 8 + WIRE_BYTES)
  }

  field(number: number, content: Uint8Array): void {
    const end = this.position
    this.raw(content)
    this.head(number, end)
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#start -= bytes.length
    this.#bytes.set(bytes, this.#start)
  }

  text(number: number, text: string): void {
    const end = this.position
    if (text.length > SHORT_TEXT_MAX || !this.#ascii(text)) {
      const length = Buffer.byteLength(text)
      this.#room(length)
      this.#start -= length
      this.#bytes.write(text, this.#start, length)
    }
    this.head(number, end)
  }

  /** Short texts are written faster here than by a call into the engine. False: `text` is not ASCII, nothing is written. */
  #ascii(text: string): boolean {
    const { length } = text
    this.#room(length)
    const start = this.#start - length
    for (let index = 0; index < length; index++) {
      const code = text.charCodeAt(index)
      if (code >= 0x80) return false
      this.#bytes[start + index] = code
    }
    this.#start = start
    return true
  }

  /** A value of one of the scalar types; a value of another type is written as zero. */
  scalar(number: number, type: string, value: unknown): void {
    if (type === 'string') this.text(number, typeof value === 'string' ? value : '')
    else if (type === 'bytes') this.#base64(number, typeof value === 'string' ? value : '')
    else if (type === 'double') this.#double(number, typeof value === 'number' ? value : 0)
    else {
      const wanted = type === 'bool' ? Number(value === true) : value
      this.#integer(typeof wanted === 'number' ? wanted : 0)
      this.#varint(number * 8 + WIRE_VARINT)
    }
  }

  /** Base64 with blanks or without padding is shorter than its length says. */
  #base64(number: number, text: string): void {
    this.field(number, Buffer.from(text, 'base64'))
  }

  #double(number: number, value: number): void {
    this.#room(8)
    this.#start -= 8
    this.#bytes.writeDoubleLE(value, this.#start)
    this.#varint(number * 8 + WIRE_FIXED64)
  }

  #integer(value: number): void {
    if (value >= 0) {
      this.#varint(Math.trunc(value))
      return
    }
    // Negative numbers are written as if they had 64 bits.
    let rest = BigInt.asUintN(64, BigInt(Math.trunc(value)))
    const digits: number[] = []
    for (; rest > 0x7fn; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80)
    digits.push(Number(rest))
    this.raw(Uint8Array.from(digits))
  }

  /** `value` is a whole number from 0 to 2^53. */
  #varint(value: number): void {
    this.#room(VARINT_BYTES_MAX)
    if (value < 0x80) {
      this.#bytes[--this.#start] = value
      return
    }
    let length = 1
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++
    this.#start -= length
    let at = this.#start
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes[at++] = (rest % 0x80) | 0x80
    this.#bytes[at] = rest
  }

  #room(bytes: number): void {
    if (this.#start >= bytes) return
    const written = this.#bytes.subarray(this.#start)
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, written.length + bytes + BUFFER_BYTES))
    grown.set(written, grown.length - written.length)
    this.#start = grown.length - written.length
    this.#bytes = grown
  }
}
