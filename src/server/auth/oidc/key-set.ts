/**
 * The public keys of an issuer, from where it publishes them. Fetched with the first token; again, not too often, when
 * a token is signed by a key that is not among them; and from time to time, so that withdrawn keys are forgotten.
 */

import type { CryptoKey, JWK } from 'jose'
import type { Clock } from '../../../base/clock.ts'
import { isRecord } from '../../../base/is-record.ts'
import type { TokenHeader } from './id-token.ts'

export interface KeySet {
  /** The payload, when one of the keys has signed the token. Throws otherwise. */
  verify(token: string, header: TokenHeader): Promise<Uint8Array>
}

export interface KeySetParts {
  readonly clock: Clock
  /** The published document. Throws why there is none. */
  fetch(): Promise<unknown>
}

/** Between two fetches, whoever asks: strangers can make up as many key ids as they like. */
const FETCH_INTERVAL_MS = 10_000
/** Keys that are older are fetched anew while they are still used. */
const FRESH_MS = 5 * 60_000
/** Keys of one document that are used; issuers have a handful. */
const KEYS_MAX = 100

interface Keys {
  readonly list: readonly PublishedKey[]
  readonly fetchedMs: number
}

/** A key and what became of it, by algorithm. */
interface PublishedKey {
  readonly jwk: JWK
  readonly imported: Map<string, Promise<CryptoKey | Uint8Array | undefined>>
}

export function createKeySet({ clock, fetch }: KeySetParts): KeySet {
  let keys: Keys = { list: [], fetchedMs: Number.NEGATIVE_INFINITY }
  let attemptedMs = Number.NEGATIVE_INFINITY
  let fetching: Promise<void> | undefined
  const refetch = (): Promise<void> => {
    attemptedMs = clock.monotonic()
    fetching ??= fetch()
      .then((document) => {
        keys = { list: publishedKeys(document), fetchedMs: clock.monotonic() }
      })
      .finally(() => {
        fetching = undefined
      })
    return fetching
  }
  const signedBy = async (token: string, header: TokenHeader): Promise<Uint8Array | undefined> => {
    for (const key of keys.list) {
      if (header.keyId !== '' && key.jwk.kid !== header.keyId) continue
      const payload = await verifiedBy(key, token, header.algorithm)
      if (payload) return payload
    }
    return undefined
  }
  return {
    async verify(token, header) {
      const payload = await signedBy(token, header)
      const nowMs = clock.monotonic()
      const mayFetch = fetching !== undefined || nowMs - attemptedMs >= FETCH_INTERVAL_MS
      if (payload) {
        // An issuer that cannot be reached for the moment has still signed this.
        if (mayFetch && nowMs - keys.fetchedMs > FRESH_MS) refetch().catch(() => {})
        return payload
      }
      if (mayFetch) {
        await (fetching ?? refetch())
        const found = await signedBy(token, header)
        if (found) return found
      }
      throw new Error('failed to verify id token signature')
    },
  }
}

/** Key types by the first letters of algorithms: a key is used for what it is made for, whatever a token says. */
const KEY_TYPES: Readonly<Record<string, string>> = { RS: 'RSA', PS: 'RSA', ES: 'EC' }

function publishedKeys(document: unknown): readonly PublishedKey[] {
  const keys = isRecord(document) ? document.keys : undefined
  if (!Array.isArray(keys)) throw new Error('the document of keys has no list of keys')
  const usable = keys.filter((key) => isRecord(key) && (key.kty === 'RSA' || key.kty === 'EC') && key.use !== 'enc')
  return usable.slice(0, KEYS_MAX).map((jwk) => ({ jwk, imported: new Map() }))
}

async function verifiedBy(key: PublishedKey, token: string, algorithm: string): Promise<Uint8Array | undefined> {
  if (KEY_TYPES[algorithm.slice(0, 2)] !== key.jwk.kty) return undefined
  const { compactVerify, importJWK } = await import('jose')
  let imported = key.imported.get(algorithm)
  if (!imported) {
    imported = importJWK(key.jwk, algorithm).catch(() => undefined)
    key.imported.set(algorithm, imported)
  }
  const publicKey = await imported
  if (!publicKey) return undefined
  try {
    return (await compactVerify(token, publicKey, { algorithms: [algorithm] })).payload
  } catch {
    return undefined
  }
}
