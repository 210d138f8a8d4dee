/** Chance as a dependency: secure in production, seeded in tests and simulation. */

import { randomBytes } from 'node:crypto'

export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  bytes(length: number): Uint8Array
}

/** Bytes that are fetched from the system at once: a call for few costs as much as one for many. */
const POOL_BYTES = 4096
/** Of a number from 0 to 1. */
const NUMBER_BYTES = 6

export const systemRandom: Random = createSystemRandom()

function createSystemRandom(): Random {
  let pool = Buffer.alloc(0)
  let used = 0
  /** Where that many bytes begin in the pool that nobody has had yet. */
  const take = (length: number): number => {
    if (used + length > pool.length) {
      pool = randomBytes(POOL_BYTES)
      used = 0
    }
    used += length
    return used - length
  }
  return {
    next: () => {
      const at = take(NUMBER_BYTES)
      return pool.readUIntBE(at, NUMBER_BYTES) / 2 ** (8 * NUMBER_BYTES)
    },
    bytes: (length) => {
      if (length > POOL_BYTES) return randomBytes(length)
      const at = take(length)
      return new Uint8Array(pool.subarray(at, at + length))
    },
  }
}

/** The same seed gives the same sequence (splitmix32). Not for secrets. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed ^= mixed >>> 15
    mixed = Math.imul(mixed, 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  return { next, bytes: (length) => Uint8Array.from({ length }, () => Math.floor(next() * 256)) }
}

/** Uniform integer in [0, bound). */
export function randomInteger(random: Random, bound: number): number {
  return Math.floor(random.next() * bound)
}

/** RFC 9562 version 4. */
export function randomUuid(random: Random): string {
  const bytes = random.bytes(16)
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  const variant = (((bytes[8] ?? 0) & 0x3f) | 0x80).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20)}`
}

/** Letters and digits that spell no word: the alphabet of generated names. */
const NAME_ALPHABET = 'bcdfghjklmnpqrstvwxz2456789'

export function randomSuffix(random: Random, length: number): string {
  let suffix = ''
  while (suffix.length < length) suffix += NAME_ALPHABET.charAt(randomInteger(random, NAME_ALPHABET.length))
  return suffix
}
