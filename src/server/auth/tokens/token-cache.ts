/**
 * Answers about tokens that are costly to come by, kept for a short time: under a keyed digest of token and audiences,
 * so that no token is kept and nobody can aim at an entry. Callers with the same token share one question.
 */

import { createHmac } from 'node:crypto'
import type { Clock } from '../../../base/clock.ts'
import { LruMap } from '../../../base/lru.ts'
import type { Random } from '../../../base/random.ts'
import type { TokenVerifier, VerifiedToken } from '../bearer-token.ts'

export interface TokenCacheParts {
  readonly clock: Clock
  readonly random: Random
  /** How long the answer for a token that is good is kept; 0: not at all. */
  readonly successMs: number
  /** The same for a token that nobody knows. Errors are not kept: they may pass. */
  readonly unknownMs: number
}

export interface TokenCache extends TokenVerifier {
  /** Forgets everything, and what is being asked: those who decide have changed. */
  clear(): void
}

/** An entry is a digest and a user, less than 1 KB. Upstream's size, for 10,000 namespaces and 5,000 nodes. */
const ENTRIES_MAX = 32_768
const KEY_BYTES = 32
/** Questions at a time: strangers can make up tokens faster than anybody answers. */
const ASKED_MAX = 1_000

interface Entry {
  readonly verified: VerifiedToken | undefined
  readonly untilMs: number
}

export function cachedTokens(verifier: TokenVerifier, parts: TokenCacheParts): TokenCache {
  const { clock } = parts
  const secret = parts.random.bytes(KEY_BYTES)
  const digest = (token: string, audiences: readonly string[]) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([token, audiences]))
      .digest('base64')
  const fresh = () => ({
    known: new LruMap<string, Entry>(ENTRIES_MAX),
    asked: new Map<string, Promise<VerifiedToken | undefined>>(),
  })
  let state = fresh()
  return {
    async verify(token, audiences) {
      const { known, asked } = state
      const key = digest(token, audiences)
      const entry = known.get(key)
      if (entry && entry.untilMs > clock.monotonic()) return entry.verified
      const before = asked.get(key)
      if (before) return before
      if (asked.size >= ASKED_MAX) throw new Error('too many tokens are being asked about')
      const asking = verifier
        .verify(token, audiences)
        .then((verified) => {
          const keepMs = verified ? parts.successMs : parts.unknownMs
          if (keepMs > 0) known.set(key, { verified, untilMs: clock.monotonic() + keepMs })
          return verified
        })
        .finally(() => asked.delete(key))
      asked.set(key, asking)
      return asking
    },
    clear: () => {
      state = fresh()
    },
  }
}
