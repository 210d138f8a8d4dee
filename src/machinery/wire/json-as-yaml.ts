/**
 * JSON under the name of YAML: what clients apply is JSON on one line, and reading that as YAML takes ten times as long.
 * Only documents in which both say the same are read here; whatever else, errors included, is left to the reader of YAML.
 */

import { keysOfValue } from './json.ts'

/** Bytes: no limit of YAML's reader on numbers of values is reached below. */
const BYTES_MAX = 64 * 1024
/** Levels of nesting; YAML's reader takes more. */
const DEPTH_MAX = 50
/** Bytes of a key; YAML has a limit of 1,024 characters. */
const KEY_BYTES_MAX = 1_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COLON = 0x3a
const LINE_FEED = 0x0a
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
/** Exponents: YAML wants a sign in them. */
const EXPONENT = /[eE][-+0-9]/

/** The value; undefined when the bytes have to be read as YAML. */
export function readAsJson(bytes: Uint8Array): unknown {
  if (bytes.length > BYTES_MAX || bytes[0] !== OPEN_OBJECT) return undefined
  const keys = plainKeys(bytes)
  if (keys === undefined) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'))
    // A key that stands twice is one in the value.
    return keysOfValue(value) === keys ? value : undefined
  } catch {
    return undefined
  }
}

/** How many keys there are; undefined for anything but printable ASCII on one line, and for what YAML reads differently. */
function plainKeys(bytes: Uint8Array): number | undefined {
  const end = bytes.at(-1) === LINE_FEED ? bytes.length - 1 : bytes.length
  let depth = 0
  let keys = 0
  for (let position = 0; position < end; position++) {
    const byte = bytes[position] ?? 0
    if (byte === QUOTE) {
      const close = endOfString(bytes, position)
      if (close === undefined || (bytes[close + 1] === COLON && close - position > KEY_BYTES_MAX)) return undefined
      position = close
    } else if (byte === COLON) keys++
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      if (++depth > DEPTH_MAX) return undefined
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--
    else if (!isPrintable(byte) || isExponent(bytes, position)) return undefined
  }
  return keys
}

/** Undefined when the string does not end, or has something else than printable ASCII in it. */
function endOfString(bytes: Uint8Array, start: number): number | undefined {
  for (let position = start + 1; position < bytes.length; position++) {
    const byte = bytes[position] ?? 0
    if (byte === QUOTE) return position
    if (!isPrintable(byte)) return undefined
    if (byte === BACKSLASH) position++
  }
  return undefined
}

function isPrintable(byte: number): boolean {
  return byte >= 0x20 && byte <= 0x7e
}

function isExponent(bytes: Uint8Array, position: number): boolean {
  const byte = bytes[position]
  if (byte !== 0x65 && byte !== 0x45) return false
  return EXPONENT.test(String.fromCharCode(byte, bytes[position + 1] ?? 0))
}
