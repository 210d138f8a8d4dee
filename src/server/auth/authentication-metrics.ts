/** How requests over the wire prove who sent them, under upstream's metric names. Users are told apart coarsely. */

import { whenThere } from '../../base/awaitable.ts'
import type { Clock } from '../../base/clock.ts'
import type { MetricLabels, Metrics } from '../../base/metrics.ts'
import type { Authentication, Authenticator } from './authenticator.ts'

/** Seconds; upstream's: doubling from a millisecond on. */
const BUCKETS = Array.from({ length: 15 }, (_, power) => 0.001 * 2 ** power)
const RESULTS: Readonly<Record<Authentication['outcome'], string>> = {
  user: 'success',
  absent: 'failure',
  failed: 'error',
}

export function countedAuthenticator(authenticator: Authenticator, metrics: Metrics, clock: Clock): Authenticator {
  const users = byLabel(
    'username',
    metrics.counts('authenticated_user_requests', 'Authenticated requests, by kind of user.'),
  )
  const attempts = byLabel('result', metrics.counts('authentication_attempts', 'Attempts to authenticate a request.'))
  const seconds = byLabel(
    'result',
    metrics.histograms('authentication_duration_seconds', 'How long it took to find out who sent a request.', BUCKETS),
  )
  const counted = (authentication: Authentication, startMs: number): Authentication => {
    const result = RESULTS[authentication.outcome]
    attempts(result).total++
    seconds(result).observe((clock.monotonic() - startMs) / 1_000)
    if (authentication.outcome === 'user') users(kindOf(authentication.user.name)).total++
    return authentication
  }
  return {
    authenticate(request) {
      // Those of this process have nothing to prove.
      if (request.wants === 'object') return authenticator.authenticate(request)
      const startMs = clock.monotonic()
      return whenThere(authenticator.authenticate(request), (authentication) => counted(authentication, startMs))
    },
  }
}

/** The series of a metric with one label, kept by its few values. */
function byLabel<Series>(label: string, of: (labels: MetricLabels) => Series): (value: string) => Series {
  const known = new Map<string, Series>()
  return (value) => {
    const series = known.get(value) ?? of({ [label]: value })
    known.set(value, series)
    return series
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
