/** How requests over the wire prove who sent them, under upstream's metric names. Users are told apart coarsely. */

import type { Clock } from '../../base/clock.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { Authentication, Authenticator } from './authenticator.ts'

/** Seconds; upstream's: doubling from a millisecond on. */
const BUCKETS = Array.from({ length: 15 }, (_, power) => 0.001 * 2 ** power)
const RESULTS: Readonly<Record<Authentication['outcome'], string>> = {
  user: 'success',
  absent: 'failure',
  failed: 'error',
}

export function countedAuthenticator(authenticator: Authenticator, metrics: Metrics, clock: Clock): Authenticator {
  const users = metrics.counter('authenticated_user_requests', 'Authenticated requests, by kind of user.', ['username'])
  const attempts = metrics.counter('authentication_attempts', 'Attempts to authenticate a request.', ['result'])
  const seconds = metrics.histogram(
    'authentication_duration_seconds',
    'How long it took to find out who sent a request.',
    BUCKETS,
    ['result'],
  )
  return {
    async authenticate(request) {
      // Those of this process have nothing to prove.
      if (request.wants === 'object') return authenticator.authenticate(request)
      const startMs = clock.monotonic()
      const authentication = await authenticator.authenticate(request)
      const result = RESULTS[authentication.outcome]
      attempts({ result })
      seconds({ result }, (clock.monotonic() - startMs) / 1_000)
      if (authentication.outcome === 'user') users({ username: kindOf(authentication.user.name) })
      return authentication
    },
  }
}

const KNOWN: ReadonlySet<string> = new Set([
  'admin',
  'client',
  'kube_proxy',
  'kubelet',
  'system:serviceaccount:kube-system:default',
])

/** Few enough to count, and nobody's name or address. */
function kindOf(name: string): string {
  if (KNOWN.has(name)) return name
  return name.includes('@') ? 'email_id' : 'other'
}
