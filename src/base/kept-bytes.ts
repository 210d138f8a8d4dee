/**
 * Bytes that are kept for long. Node carves small buffers out of shared blocks of 64 KB, and a block lives as long as
 * one buffer in it: a hundred thousand small values among short-lived ones would hold gigabytes. What is kept gets
 * memory of its own.
 */

export function joinKept(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** A text as bytes that are kept. */
export function keepText(text: string): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  bytes.write(text)
  return bytes
}
