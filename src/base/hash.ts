/** Digests, as text. */

import { createHash } from 'node:crypto'

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

export function sha512HexUpper(data: string | Uint8Array): string {
  return createHash('sha512').update(data).digest('hex').toUpperCase()
}

/** 32-bit FNV-1a over UTF-8. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
