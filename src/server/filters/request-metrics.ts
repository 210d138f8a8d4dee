/** Counts and times requests under upstream's metric names. */

import type { Clock } from '../../base/clock.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import { type Filter, isLongRunning } from './filter.ts'

/** Seconds; upstream's buckets. */
const DURATION_BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]
const LABELS = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'] as const

export type RequestMetrics = ReturnType<typeof createRequestMetrics>

export function createRequestMetrics(metrics: Metrics) {
  return {
    total: metrics.counter('apiserver_request_total', 'Requests answered, by verb, resource and code.', [
      ...LABELS,
      'dry_run',
      'code',
    ]),
    seconds: metrics.histogram(
      'apiserver_request_duration_seconds',
      'Time until the answer was ready, without watches and streams.',
      DURATION_BUCKETS,
      [...LABELS, 'dry_run'],
    ),
    longRunning: metrics.gauge('apiserver_longrunning_requests', 'Watches and streams under way.', LABELS),
    current: metrics.gauge('apiserver_current_inflight_requests', 'Requests under way.', ['request_kind']),
  }
}

export function requestMetrics(parts: { readonly metrics: RequestMetrics; readonly clock: Clock }): Filter {
  const { metrics, clock } = parts
  const underWay = { readOnly: 0, mutating: 0 }
  const lasting = new Map<string, number>()
  return (next) => async (call) => {
    const { request, target } = call
    const labels = labelsOf(target)
    const dryRun = request.query.get('dryRun') ?? ''
    const startMs = clock.monotonic()
    if (isLongRunning(target)) {
      const change = (by: number) => {
        const key = Object.values(labels).join('\n')
        const count = (lasting.get(key) ?? 0) + by
        lasting.set(key, count)
        metrics.longRunning(labels, count)
      }
      change(1)
      request.signal.addEventListener('abort', () => change(-1), { once: true })
      const answer = await next(call)
      metrics.total({ ...labels, dry_run: dryRun, code: answer.status })
      return answer
    }
    const kind = ['get', 'list', 'head', 'options'].includes(target.verb) ? 'readOnly' : 'mutating'
    metrics.current({ request_kind: kind }, ++underWay[kind])
    const answer = await next(call).finally(() => metrics.current({ request_kind: kind }, --underWay[kind]))
    metrics.total({ ...labels, dry_run: dryRun, code: answer.status })
    metrics.seconds({ ...labels, dry_run: dryRun }, (clock.monotonic() - startMs) / 1_000)
    return answer
  }
}

/** Paths that name no resource count as one, and unknown methods too: strangers must not make new time series. */
const KNOWN_METHODS: ReadonlySet<string> = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'options'])

function labelsOf(target: RequestTarget) {
  const component = 'apiserver'
  if (target.type === 'path') {
    const verb = KNOWN_METHODS.has(target.verb) ? target.verb.toUpperCase() : 'other'
    return { verb, group: '', version: '', resource: '', subresource: '', scope: '', component }
  }
  const { verb, group, version, resource, subresource, namespace, name } = target
  const scope = name !== '' ? 'resource' : namespace === '' ? 'cluster' : 'namespace'
  return { verb: verb.toUpperCase(), group, version, resource, subresource, scope, component }
}
