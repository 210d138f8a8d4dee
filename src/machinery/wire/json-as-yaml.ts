/**
 * JSON under the name of YAML: what clients apply is JSON on one line, and reading that as YAML takes ten times as long.
 * Only documents in which both say the same are read here; whatever else, errors included, is left to the reader of YAML.
 */

import { duplicateKeys } from './json.ts'

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
const OPENING = new Set([0x5b, 0x7b])
const CLOSING = new Set([0x5d, 0x7d])
/** Exponents: YAML wants a sign in them. */
const EXPONENT = /[eE][-+0-9]/

/** The value; undefined when the bytes have to be read as YAML. */
export function readAsJson(bytes: Uint8Array): unknown {
  if (bytes.length > BYTES_MAX || bytes[0] !== 0x7b || !isPlain(bytes)) return undefined
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'))
    return duplicateKeys(bytes).length === 0 ? value : undefined
  } catch {
    return undefined
  }
}

/** Printable ASCII on one line, without long keys, deep nesting or exponents. */
function isPlain(bytes: Uint8Array): boolean {
  const end = bytes.at(-1) === LINE_FEED ? bytes.length - 1 : bytes.length
  let depth = 0
  for (let position = 0; position < end; position++) {
    const byte = bytes[position] ?? 0
    if (byte === QUOTE) {
      const close = endOfString(bytes, position)
      if (close === undefined || (bytes[close + 1] === COLON && close - position > KEY_BYTES_MAX)) return false
      position = close
    } else if (OPENING.has(byte)) {
      if (++depth > DEPTH_MAX) return false
    } else if (CLOSING.has(byte)) depth--
    else if (!isPrintable(byte) || isExponent(bytes, position)) return false
  }
  return true
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
