/** Service-account tokens for projected volumes: asked from the API, kept until four fifths of their life are over. */

import type { TokenRequest } from '../../apis/authentication/types.gen.ts'
import { serviceAccounts } from '../../apis/core/service-account.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { LruMap } from '../../base/lru.ts'
import type { Client } from '../../client/client.ts'
import { parseTime } from '../../machinery/meta/time.ts'

export interface TokenSource {
  /** `audience` empty: the API server's. */
  token(pod: Pod, audience: string, expirationSeconds: number): Promise<string>
}

interface Kept {
  readonly token: string
  readonly refreshAtMs: number
}

/** Tokens that are remembered: several for each of a large node's pods. */
const TOKENS_MAX = 2_000
/** Part of its life after which a token is replaced, and the age at which it is replaced in any case. */
const REFRESH_FRACTION = 0.8
const AGE_MS_MAX = 24 * 60 * 60 * 1000

export function createTokenSource(client: Client, clock: Clock): TokenSource {
  const kept = new LruMap<string, Kept>(TOKENS_MAX)
  return {
    async token(pod, audience, expirationSeconds) {
      const key = JSON.stringify([pod.metadata.uid, audience, expirationSeconds])
      const known = kept.get(key)
      if (known && clock.now() < known.refreshAtMs) return known.token
      const { token, expiresMs } = await request(client, pod, audience, expirationSeconds)
      const lifeMs = Math.min((expiresMs - clock.now()) * REFRESH_FRACTION, AGE_MS_MAX)
      kept.set(key, { token, refreshAtMs: clock.now() + lifeMs })
      return token
    },
  }
}

async function request(client: Client, { metadata, spec }: Pod, audience: string, expirationSeconds: number) {
  const key = { namespace: metadata.namespace, name: spec?.serviceAccountName ?? 'default' }
  const { status } = await client.of(serviceAccounts).call<TokenRequest>('POST', key, 'token', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: audience === '' ? [] : [audience],
      expirationSeconds,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: metadata.name, uid: metadata.uid },
    },
  })
  return { token: status?.token ?? '', expiresMs: parseTime(status?.expirationTimestamp ?? '') ?? 0 }
}
