/**
 * AES as upstream writes it, so that either can read what the other has written.
 *
 *   GCM   nonce (12) ciphertext tag (16); the key that the value is stored under is authenticated with it
 *   CBC   vector (16) ciphertext, padded as PKCS#7; what was changed on disk may go unnoticed
 *
 * The nonces of GCM are random: a key is good for 2^32 writes, as NIST SP 800-38D has it.
 */

import { createCipheriv, createDecipheriv } from 'node:crypto'
import type { Random } from '../../base/random.ts'
import type { Transformer } from './transformers.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16
const BLOCK_BYTES = 16

const TOO_SHORT = 'the stored data was shorter than the required size'

type AesBits = '128' | '192' | '256'

/** `secret` has 16, 24 or 32 bytes. */
export function aesGcm(secret: Uint8Array, random: Random): Transformer {
  const algorithm = `aes-${bitsOf(secret)}-gcm` as const
  const options = { authTagLength: TAG_BYTES }
  return {
    seal(value, key) {
      const nonce = random.bytes(NONCE_BYTES)
      const cipher = createCipheriv(algorithm, secret, nonce, options)
      cipher.setAAD(Buffer.from(key))
      return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()])
    },
    open(stored, key) {
      if (stored.length < NONCE_BYTES) throw new Error(TOO_SHORT)
      if (stored.length < NONCE_BYTES + TAG_BYTES) throw new Error('cipher: message authentication failed')
      const decipher = createDecipheriv(algorithm, secret, stored.subarray(0, NONCE_BYTES), options)
      decipher.setAAD(Buffer.from(key))
      decipher.setAuthTag(stored.subarray(-TAG_BYTES))
      const value = decipher.update(stored.subarray(NONCE_BYTES, -TAG_BYTES))
      try {
        decipher.final()
      } catch {
        throw new Error('cipher: message authentication failed')
      }
      return { value, stale: false }
    },
  }
}

/** `secret` has 16, 24 or 32 bytes. */
export function aesCbc(secret: Uint8Array, random: Random): Transformer {
  const algorithm = `aes-${bitsOf(secret)}-cbc` as const
  return {
    seal(value) {
      const vector = random.bytes(BLOCK_BYTES)
      const cipher = createCipheriv(algorithm, secret, vector)
      return Buffer.concat([vector, cipher.update(value), cipher.final()])
    },
    open(stored) {
      if (stored.length < BLOCK_BYTES) throw new Error(TOO_SHORT)
      if (stored.length % BLOCK_BYTES !== 0) throw new Error('the stored data is not a multiple of the block size')
      const decipher = createDecipheriv(algorithm, secret, stored.subarray(0, BLOCK_BYTES))
      const value = decipher.update(stored.subarray(BLOCK_BYTES))
      try {
        return { value: Buffer.concat([value, decipher.final()]), stale: false }
      } catch {
        throw new Error('invalid padding on input')
      }
    },
  }
}

function bitsOf({ length }: Uint8Array): AesBits {
  switch (length) {
    case 16:
      return '128'
    case 24:
      return '192'
    case 32:
      return '256'
    default:
      throw new RangeError(`a key of AES has 16, 24 or 32 bytes, not ${length}`)
  }
}
