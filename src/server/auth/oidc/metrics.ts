/** What authenticators of JSON web tokens count, under upstream's metric names. Issuers are told apart by hash. */

import type { Clock } from '../../../base/clock.ts'
import { sha256Hex } from '../../../base/hash.ts'
import type { Metrics } from '../../../base/metrics.ts'

export interface JwtMetrics {
  /** Issuer, and whether its keys could be fetched. */
  keysFetched(issuer: string, result: 'success' | 'failure'): void
  /** How long a token took that was not remembered. */
  verified(issuer: string, result: 'success' | 'failure', seconds: number): void
}

/** Seconds; upstream's buckets. */
const BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const LABELS = ['result', 'jwt_issuer_hash']

export function createJwtMetrics(metrics: Metrics, clock: Clock): JwtMetrics {
  const named = (name: string) => `apiserver_authentication_jwt_authenticator_${name}`
  const latency = metrics.histogram(
    named('latency_seconds'),
    'How long JSON web tokens took to be authenticated, where the result was not remembered.',
    BUCKETS,
    LABELS,
  )
  const fetched = metrics.gauge(
    named('jwks_fetch_last_timestamp_seconds'),
    'When the keys of an issuer were last fetched.',
    LABELS,
  )
  const labels = (issuer: string, result: string) => ({ result, jwt_issuer_hash: `sha256:${sha256Hex(issuer)}` })
  return {
    keysFetched: (issuer, result) => fetched(labels(issuer, result), clock.now() / 1_000),
    verified: (issuer, result, seconds) => latency(labels(issuer, result), seconds),
  }
}
