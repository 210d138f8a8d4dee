/** Counts and times requests under upstream's metric names. */

import type { Clock } from '../../base/clock.ts'
import type { Metrics } from '../../base/metrics.ts'
import type { ApiResponse } from '../../machinery/wire/message.ts'
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
  const labelsFor = createLabels()
  const underWay = { readOnly: 0, mutating: 0 }
  const lasting = new Map<string, number>()
  const countLasting = (labels: Labels, by: number) => {
    const key = Object.values(labels).join('\n')
    const count = (lasting.get(key) ?? 0) + by
    lasting.set(key, count)
    metrics.longRunning(labels, count)
  }
  return (next) => async (call) => {
    const { request, target } = call
    const dryRun = request.query.get('dryRun') === 'All' ? 'All' : ''
    if (isLongRunning(target)) {
      const answer = await next(call)
      const labels = labelsFor(target, answer.status)
      metrics.total({ ...labels, dry_run: dryRun, code: answer.status })
      if (!isLasting(answer) || request.signal.aborted) return answer
      countLasting(labels, 1)
      request.signal.addEventListener('abort', () => countLasting(labels, -1), { once: true })
      return answer
    }
    const kind = READING.has(target.verb) ? 'readOnly' : 'mutating'
    const startMs = clock.monotonic()
    metrics.current({ request_kind: kind }, ++underWay[kind])
    const answer = await next(call).finally(() => metrics.current({ request_kind: kind }, --underWay[kind]))
    const labels = labelsFor(target, answer.status)
    metrics.total({ ...labels, dry_run: dryRun, code: answer.status })
    metrics.seconds({ ...labels, dry_run: dryRun }, (clock.monotonic() - startMs) / 1_000)
    return answer
  }
}

/** Watches in this process have a signal that outlives them, so they are not counted. */
function isLasting({ body }: ApiResponse): boolean {
  return body.type === 'stream' || body.type === 'upgrade'
}

const READING: ReadonlySet<string> = new Set(['get', 'list', 'head', 'options'])
const KNOWN_METHODS: ReadonlySet<string> = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'options'])
const KNOWN_VERBS: ReadonlySet<string> = new Set([
  ...['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection', 'options'],
])
/** Answers that say nothing on whether the resource exists. */
const INCONCLUSIVE: ReadonlySet<number> = new Set([400, 401, 403, 404, 405, 429])
/** Resources times versions, subresources included: several hundred with many custom resources. */
const KNOWN_RESOURCES_MAX = 5_000

type Labels = Readonly<Record<(typeof LABELS)[number], string>>

/**
 * Strangers must not make new time series: a resource gets labels of its own from the first answer on that shows
 * that it exists. Paths that name no resource count as one.
 */
function createLabels(): (target: RequestTarget, status: number) => Labels {
  const known = new Set<string>()
  return (target, status) => {
    const component = 'apiserver'
    const unknown = { group: '', version: '', resource: '', subresource: '', scope: '', component }
    const method = KNOWN_METHODS.has(target.verb) ? target.verb.toUpperCase() : 'other'
    if (target.type === 'path') return { verb: method, ...unknown }
    const { group, version, resource, subresource, namespace, name } = target
    // Over HTTP/2 a method is any word.
    const verb = KNOWN_VERBS.has(target.verb) ? target.verb.toUpperCase() : 'other'
    const key = [group, version, resource, subresource].join('/')
    if (!INCONCLUSIVE.has(status) && known.size < KNOWN_RESOURCES_MAX) known.add(key)
    if (!known.has(key)) return { verb, ...unknown }
    const scope = name !== '' ? 'resource' : namespace === '' ? 'cluster' : 'namespace'
    return { verb, group, version, resource, subresource, scope, component }
  }
}
