/**
 * NaCl's secretbox: XSalsa20 with Poly1305, as upstream's provider of that name writes it. Node's library has neither;
 * both are written here after their papers (Bernstein 2008, 2005) and held to upstream's own output.
 *
 *   nonce (24) tag (16) ciphertext
 */

import { timingSafeEqual } from 'node:crypto'
import type { Random } from '../../base/random.ts'
import type { Transformer } from './transformers.ts'

const NONCE_BYTES = 24
const TAG_BYTES = 16
const BLOCK_BYTES = 64

/** The first half block of the stream is the key of the tag. */
const TAG_KEY_BYTES = 32

/** `secret` has 32 bytes. */
export function secretbox(secret: Uint8Array, random: Random): Transformer {
  const key = words(secret)
  return {
    seal(value) {
      const nonce = random.bytes(NONCE_BYTES)
      const { tagKey, text } = xor(key, nonce, value)
      return Buffer.concat([nonce, poly1305(text, tagKey), text])
    },
    open(stored) {
      if (stored.length < NONCE_BYTES + TAG_BYTES) {
        throw new Error('the stored data was shorter than the required size')
      }
      const sealed = stored.subarray(NONCE_BYTES + TAG_BYTES)
      const { tagKey, text } = xor(key, stored.subarray(0, NONCE_BYTES), sealed)
      const tag = stored.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
      // Upstream's words for a tag that does not fit.
      if (!timingSafeEqual(poly1305(sealed, tagKey), tag)) {
        throw new Error('output array was not large enough for encryption')
      }
      return { value: text, stale: false }
    },
  }
}

function xor(
  key: Uint32Array,
  nonce: Uint8Array,
  input: Uint8Array,
): { readonly tagKey: Buffer; readonly text: Buffer } {
  const parts = words(nonce)
  const subkey = hsalsa20(key, parts)
  const shifted = Buffer.alloc(TAG_KEY_BYTES + input.length)
  shifted.set(input, TAG_KEY_BYTES)
  for (let block = 0; block * BLOCK_BYTES < shifted.length; block++) {
    const stream = salsaBlock(subkey, Uint32Array.of(at(parts, 4), at(parts, 5), block, 0), true)
    const end = Math.min(shifted.length, (block + 1) * BLOCK_BYTES)
    for (let index = block * BLOCK_BYTES; index < end; index++) {
      const offset = index % BLOCK_BYTES
      shifted[index] = at(shifted, index) ^ (at(stream, offset >> 2) >>> (8 * (offset & 3)))
    }
  }
  return { tagKey: shifted.subarray(0, TAG_KEY_BYTES), text: shifted.subarray(TAG_KEY_BYTES) }
}

/** The key for one nonce, from its first 16 bytes. */
function hsalsa20(key: Uint32Array, nonce: Uint32Array): Uint32Array {
  const out = salsaBlock(key, nonce.subarray(0, 4), false)
  return Uint32Array.from([0, 5, 10, 15, 6, 7, 8, 9], (index) => at(out, index))
}

/** `expand 32-byte k` */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const

const DOUBLE_ROUNDS = 10

/** Columns, then rows: which words a quarter round mixes. */
const QUARTERS: readonly (readonly [number, number, number, number])[] = [
  [0, 4, 8, 12],
  [5, 9, 13, 1],
  [10, 14, 2, 6],
  [15, 3, 7, 11],
  [0, 1, 2, 3],
  [5, 6, 7, 4],
  [10, 11, 8, 9],
  [15, 12, 13, 14],
]

function salsaBlock(key: Uint32Array, input: Uint32Array, added: boolean): Uint32Array {
  const [c0, c1, c2, c3] = CONSTANTS
  const start = Uint32Array.of(c0, ...key.subarray(0, 4), c1, ...input, c2, ...key.subarray(4), c3)
  const state = start.slice()
  for (let round = 0; round < DOUBLE_ROUNDS; round++) {
    for (const [a, b, c, d] of QUARTERS) {
      state[b] = at(state, b) ^ rotated(at(state, a) + at(state, d), 7)
      state[c] = at(state, c) ^ rotated(at(state, b) + at(state, a), 9)
      state[d] = at(state, d) ^ rotated(at(state, c) + at(state, b), 13)
      state[a] = at(state, a) ^ rotated(at(state, d) + at(state, c), 18)
    }
  }
  return added ? state.map((word, index) => word + at(start, index)) : state
}

function rotated(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits))
}

function words(bytes: Uint8Array): Uint32Array {
  const buffer = Buffer.from(bytes)
  return Uint32Array.from({ length: bytes.length / 4 }, (_, index) => buffer.readUInt32LE(index * 4))
}

const PRIME = (1n << 130n) - 5n
const CLAMP = 0x0ffffffc0ffffffc0ffffffc0fffffffn
const TAG_MODULUS = 1n << 128n

function poly1305(message: Uint8Array, key: Uint8Array): Buffer {
  const factor = number(key.subarray(0, 16)) & CLAMP
  let sum = 0n
  for (let start = 0; start < message.length; start += 16) {
    const block = message.subarray(start, start + 16)
    sum = ((sum + number(block) + (1n << BigInt(8 * block.length))) * factor) % PRIME
  }
  const tag = (sum + number(key.subarray(16))) % TAG_MODULUS
  return Buffer.from(tag.toString(16).padStart(2 * TAG_BYTES, '0'), 'hex').reverse()
}

function number(littleEndian: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(littleEndian).reverse().toString('hex') || '0'}`)
}

/** Every index here is within its array. */
function at(array: Uint32Array | Uint8Array, index: number): number {
  return array[index] ?? 0
}
