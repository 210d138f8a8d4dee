/** DER, as much of it as writing certificates and requests for them takes. */

import { SEQUENCE } from './der.ts'

const BOOLEAN = 0x01
const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const OBJECT_IDENTIFIER = 0x06
const UTF8_STRING = 0x0c
const UTC_TIME = 0x17
const GENERALIZED_TIME = 0x18
export const SET = 0x31

/** A value of this tag. What it contains is put together from the parts. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content])
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length]
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return [0x80 + bytes.length, ...bytes]
}

export function sequence(...parts: readonly Uint8Array[]): Buffer {
  return der(SEQUENCE, ...parts)
}

export const TRUE = der(BOOLEAN, Buffer.from([0xff]))

/** A natural number, the highest byte first. */
export function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0)
  const digits = start < 0 ? Buffer.alloc(1) : bytes.subarray(start)
  const sign = (digits[0] ?? 0) < 0x80 ? Buffer.alloc(0) : Buffer.alloc(1)
  return der(INTEGER, sign, digits)
}

export function octetString(content: Uint8Array): Buffer {
  return der(OCTET_STRING, content)
}

/** Whole bytes of bits. */
export function bitString(content: Uint8Array): Buffer {
  return der(BIT_STRING, Buffer.alloc(1), content)
}

/** Named bits, of which the lowest of `flags` is the first: without the zeros behind the last one. */
export function namedBits(flags: number): Buffer {
  const count = flags.toString(2).length
  const bytes = Buffer.alloc(Math.ceil(count / 8))
  for (let bit = 0; bit < count; bit++) {
    const place = bit >> 3
    if ((flags >> bit) & 1) bytes[place] = (bytes[place] ?? 0) | (0x80 >> (bit & 7))
  }
  return der(BIT_STRING, Buffer.from([bytes.length * 8 - count]), bytes)
}

/** From `2.5.29.37`. */
export function identifier(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number)
  return der(OBJECT_IDENTIFIER, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): readonly number[] {
  const bytes = [value & 0x7f]
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift(0x80 | (rest & 0x7f))
  return bytes
}

export function text(value: string): Buffer {
  return der(UTF8_STRING, Buffer.from(value))
}

/** To the second, in the form that RFC 5280 asks for that year. */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replace(/[-:T]|\..*/g, '')}Z`
  const isShort = digits >= '1950' && digits < '2050'
  return der(isShort ? UTC_TIME : GENERALIZED_TIME, Buffer.from(isShort ? digits.slice(2) : digits))
}
