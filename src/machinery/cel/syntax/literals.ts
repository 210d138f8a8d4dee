/** The values of literal tokens. A failure is the message of the issue. */

import { Uint } from '../values.ts'

const INT_MIN = -(2n ** 63n)
const INT_MAX = 2n ** 63n - 1n
const UINT_MAX = 2n ** 64n - 1n

export class LiteralError {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}

export function intLiteral(text: string, negative: boolean): bigint | LiteralError {
  const value = negative ? -BigInt(text) : BigInt(text)
  return value < INT_MIN || value > INT_MAX ? new LiteralError('invalid int literal') : value
}

export function uintLiteral(text: string): Uint | LiteralError {
  const value = BigInt(text.slice(0, -1))
  return value > UINT_MAX ? new LiteralError('invalid uint literal') : new Uint(value)
}

export function doubleLiteral(text: string): number | LiteralError {
  const value = Number(text)
  return Number.isFinite(value) ? value : new LiteralError('invalid double literal')
}

const PLAIN_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
  '?': '?',
}

/** The content of a quoted token, prefixes included: `r"…"`, `'''…'''`. */
export function stringLiteral(token: string): string | LiteralError {
  const { text, raw } = unquote(token)
  if (raw || !text.includes('\\')) return text
  let failure: LiteralError | undefined
  const value = text.replace(/\\(?:[xX](..)|u(.{4})|U(.{8})|([0-3][0-7]{2})|([\s\S]))/g, (_all, ...parts: string[]) => {
    const [byte, short, long, octal, plain] = parts
    const digits = byte ?? short ?? long
    if (digits === undefined && octal === undefined) return PLAIN_ESCAPES[plain ?? ''] ?? ''
    const code = octal === undefined ? Number.parseInt(digits ?? '', 16) : Number.parseInt(octal, 8)
    if (isCharacter(code)) return String.fromCodePoint(code)
    failure ??= new LiteralError('invalid unicode code point')
    return ''
  })
  return failure ?? value
}

/** The content of a bytes token, without its `b`: escapes are bytes, other characters their UTF-8. */
export function bytesLiteral(token: string): Uint8Array | LiteralError {
  const { text, raw } = unquote(token)
  const encoder = new TextEncoder()
  if (raw || !text.includes('\\')) return encoder.encode(text)
  const bytes: number[] = []
  for (const [part] of text.matchAll(/\\(?:[xX]..|[0-3][0-7]{2}|[\s\S])|[^\\]+/g)) {
    if (!part.startsWith('\\')) {
      for (const byte of encoder.encode(part)) bytes.push(byte)
    } else if (/^\\[xX]/.test(part)) {
      bytes.push(Number.parseInt(part.slice(2), 16))
    } else if (/^\\[0-3]/.test(part)) {
      bytes.push(Number.parseInt(part.slice(1), 8))
    } else {
      const plain = PLAIN_ESCAPES[part.slice(1)]
      if (plain === undefined) return new LiteralError('unable to unescape string')
      bytes.push(plain.charCodeAt(0))
    }
  }
  return Uint8Array.from(bytes)
}

function unquote(token: string): { readonly text: string; readonly raw: boolean } {
  const normal = token.replace(/\r\n?/g, '\n')
  const raw = /^[rR]/.test(normal)
  const quoted = raw ? normal.slice(1) : normal
  const width = /^(?:"""|''')/.test(quoted) && quoted.length >= 6 ? 3 : 1
  return { text: quoted.slice(width, -width), raw }
}

function isCharacter(code: number): boolean {
  return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
}
