/** DER, as much of it as reading the frame of a signed request takes: tags, lengths and object identifiers. */

export interface DerValue {
  readonly tag: number
  /** What the value contains. */
  readonly content: Buffer
  /** The value with its tag and length: what is signed. */
  readonly whole: Buffer
}

export const SEQUENCE = 0x30
export const BIT_STRING = 0x03
export const OBJECT_IDENTIFIER = 0x06

/** The values that fill the bytes; undefined when they are cut off or not DER. */
export function derValues(bytes: Buffer): readonly DerValue[] | undefined {
  const values: DerValue[] = []
  for (let at = 0; at < bytes.length; ) {
    const value = derValue(bytes.subarray(at))
    if (!value) return undefined
    values.push(value)
    at += value.whole.length
  }
  return values
}

/** The value that the bytes begin with. Lengths are at most four bytes long: nothing here is larger. */
function derValue(bytes: Buffer): DerValue | undefined {
  const [tag, short] = bytes
  if (tag === undefined || short === undefined || short === 0x80 || short > 0x84) return undefined
  const lengthBytes = short < 0x80 ? 0 : short - 0x80
  const start = 2 + lengthBytes
  if (bytes.length < start) return undefined
  const length = lengthBytes === 0 ? short : bytes.readUIntBE(2, lengthBytes)
  if (bytes.length < start + length) return undefined
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(0, start + length) }
}

/** `1.2.840.113549.1.1.11` from the content of an object identifier. */
export function objectIdentifier(content: Buffer): string {
  const [first = 0, ...rest] = content
  const parts = [Math.min(Math.floor(first / 40), 2), first - Math.min(Math.floor(first / 40), 2) * 40]
  let part = 0
  for (const byte of rest) {
    part = part * 128 + (byte & 0x7f)
    if (byte < 0x80) {
      parts.push(part)
      part = 0
    }
  }
  return parts.join('.')
}
