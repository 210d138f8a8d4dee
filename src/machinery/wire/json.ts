/**
 * JSON in and out of bytes, with limits: nothing that recurses over a decoded value may meet one that is
 * deeper than `JSON_DEPTH_MAX`. Every key, `__proto__` included, becomes an own property. `duplicateKeys`
 * tells what strict field validation has to report, because decoding keeps the last of several equal keys.
 */

/** Levels of nesting; deep enough for every schema, shallow enough for recursive walkers. */
export const JSON_DEPTH_MAX = 1_000

/**
 * Values in one document, by its commas and brackets. An object may have as many as etcd's limit has room for and
 * more; what has a million of them keeps the one thread that serves everybody busy for half a minute.
 */
export const JSON_VALUES_MAX = 100_000

/** Duplicate keys reported per document: the message is for a person. */
const DUPLICATES_MAX = 50

/** A body that is not what its content type says. The message is fit for the caller. */
export class DecodeError extends Error {
  override readonly name: string = 'DecodeError'
}

/** A body that may be well formed, and is more than is read. */
export class TooLargeError extends DecodeError {
  override readonly name = 'TooLargeError'
}

const utf8 = new TextDecoder('utf-8', { fatal: false })
const encoder = new TextEncoder()

/** Throws `DecodeError` for text that is not exactly one JSON value, nested too deeply, or of too many parts. */
export function decodeJson(bytes: Uint8Array): unknown {
  checkLimits(bytes)
  return parseJson(utf8.decode(bytes))
}

/** Without the limits: for what a server says. */
export function decodeTrustedJson(bytes: Uint8Array): unknown {
  return parseJson(utf8.decode(bytes))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DecodeError(syntaxText(text, error instanceof Error ? error.message : ''))
  }
}

/** Which finding of the engine is which of upstream's decoder, behind the character it stopped at. */
const SYNTAX_TEXTS: readonly (readonly [RegExp, string])[] = [
  [/after JSON/, 'after top-level value'],
  [/^Expected ':'/, 'after object key'],
  [/^Expected property name|^Expected double-quoted/, 'looking for beginning of object key string'],
  [/after property value/, 'after object key:value pair'],
  [/after array element/, 'after array element'],
  [/control character/, 'in string literal'],
  [/escape/i, 'in string escape code'],
]

/** What is wrong with a text that is no JSON, in the words of upstream's decoder. */
function syntaxText(text: string, found: string): string {
  const end = 'unexpected end of JSON input'
  if (found === '' || /^Unexpected end|^Unterminated/.test(found)) return end
  const place = /at position (\d+)/.exec(found)
  const position = place ? Number(place[1]) : text.search(/\S/)
  if (position < 0 || position >= text.trimEnd().length) return end
  const where = SYNTAX_TEXTS.find(([pattern]) => pattern.test(found))?.[1] ?? 'looking for beginning of value'
  return `invalid character '${String.fromCodePoint(text.codePointAt(position) ?? 0)}' ${where}`
}

export function encodeJson(value: unknown): Uint8Array {
  return encoder.encode(JSON.stringify(value))
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN_OBJECT = 0x7b
const OPEN_ARRAY = 0x5b
const CLOSE_OBJECT = 0x7d
const CLOSE_ARRAY = 0x5d
const COMMA = 0x2c
const COLON = 0x3a

function checkLimits(bytes: Uint8Array): void {
  let depth = 0
  let values = 0
  for (let position = 0; position < bytes.length; position++) {
    const byte = bytes[position]
    if (byte === QUOTE) position = endOfString(bytes, position)
    else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) {
      values++
      if (++depth > JSON_DEPTH_MAX)
        throw new DecodeError(`invalid character '${String.fromCodePoint(byte)}' exceeded max depth`)
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) depth--
    else if (byte === COMMA) values++
  }
  if (values > JSON_VALUES_MAX) throw new TooLargeError(`the document exceeds ${JSON_VALUES_MAX} values`)
}

/** The position of the quote that closes the string which opens at `start`; the end of the text when none does. */
function endOfString(bytes: Uint8Array, start: number): number {
  let position = start + 1
  while (position < bytes.length && bytes[position] !== QUOTE) position += bytes[position] === BACKSLASH ? 2 : 1
  return position
}

type Container = { readonly keys: Set<string>; readonly path: string } | { index: number; readonly path: string }

/**
 * The paths of keys that stand twice in one object (`spec.replicas`, `spec.containers[0].name`), in order of
 * appearance, each once. `value` is what `decodeJson` has made of the bytes: seldom is there anything to look for.
 */
export function duplicateKeys(bytes: Uint8Array, value: unknown): readonly string[] {
  if (keysOfText(bytes) === keysOfValue(value)) return []
  const found = new Set<string>()
  visitKeys(bytes, (path, isAgain) => {
    if (isAgain) found.add(path())
    return found.size < DUPLICATES_MAX
  })
  return [...found]
}

/** Keys of a valid document: each is followed by a colon. */
function keysOfText(bytes: Uint8Array): number {
  let keys = 0
  for (let position = 0; position < bytes.length; position++) {
    const byte = bytes[position]
    if (byte === QUOTE) position = endOfString(bytes, position)
    else if (byte === COLON) keys++
  }
  return keys
}

/** Keys of a decoded value: of equal ones in the text it has the last. */
export function keysOfValue<T>(value: T): number {
  if (typeof value !== 'object' || value === null) return 0
  let keys = 0
  if (Array.isArray(value)) for (const item of value) keys += keysOfValue(item)
  else for (const key in value) keys += 1 + keysOfValue(value[key])
  return keys
}

/**
 * Every key of a valid document in the order of the text, with its path, and whether its object had it before. Ends
 * when `visit` answers false.
 */
export function visitKeys(bytes: Uint8Array, visit: (path: () => string, isAgain: boolean) => boolean): void {
  const open: Container[] = []
  let key: string | undefined
  const pathHere = (): string => {
    const parent = open.at(-1)
    if (parent === undefined) return ''
    if ('index' in parent) return `${parent.path}[${parent.index}]`
    return parent.path === '' ? (key ?? '') : `${parent.path}.${key ?? ''}`
  }
  for (let position = 0; position < bytes.length; position++) {
    const byte = bytes[position]
    const parent = open.at(-1)
    if (byte === QUOTE) {
      const end = endOfString(bytes, position)
      if (parent && 'keys' in parent && isKey(bytes, end)) {
        key = String(parseJson(utf8.decode(bytes.subarray(position, end + 1))))
        if (!visit(pathHere, parent.keys.has(key))) return
        parent.keys.add(key)
      }
      position = end
    } else if (byte === OPEN_OBJECT) open.push({ keys: new Set(), path: pathHere() })
    else if (byte === OPEN_ARRAY) open.push({ index: 0, path: pathHere() })
    else if (byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) open.pop()
    else if (byte === COMMA && parent && 'index' in parent) parent.index++
  }
}

/** Whether the string that ends at `end` is followed by a colon. */
function isKey(bytes: Uint8Array, end: number): boolean {
  let position = end + 1
  while (position < bytes.length && (bytes[position] ?? 0) <= 0x20) position++
  return bytes[position] === COLON
}
