/** Counts and times requests under upstream's metric names. */

import { whenDone, whenThere } from '../../base/awaitable.ts'
import type { Clock } from '../../base/clock.ts'
import type { Histogram } from '../../base/histogram.ts'
import type { Count, Metrics } from '../../base/metrics.ts'
import type { ApiResponse } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import { type Call, type Filter, isLongRunning } from './filter.ts'

/** Seconds; upstream's buckets. */
const DURATION_BUCKETS = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
]
const LABELS = ['verb', 'group', 'version', 'resource', 'subresource', 'scope', 'component'] as const

export type RequestMetrics = ReturnType<typeof createRequestMetrics>

export function createRequestMetrics(metrics: Metrics) {
  const current = { readOnly: 0, mutating: 0 }
  metrics.readings('apiserver_current_inflight_requests', 'Requests under way.', 'request_kind', () => current)
  return {
    total: metrics.counts('apiserver_request_total', 'Requests answered, by verb, resource and code.'),
    seconds: metrics.histograms(
      'apiserver_request_duration_seconds',
      'Time until the answer was ready, without watches and streams.',
      DURATION_BUCKETS,
    ),
    longRunning: metrics.gauge('apiserver_longrunning_requests', 'Watches and streams under way.', LABELS),
    current,
  }
}

export function requestMetrics(parts: { readonly metrics: RequestMetrics; readonly clock: Clock }): Filter {
  const { metrics, clock } = parts
  const labelsFor = createLabels()
  const seriesFor = createSeries(metrics, labelsFor)
  const lasting = new Map<string, number>()
  const countLasting = (labels: Labels, by: number) => {
    const key = Object.values(labels).join('\n')
    const count = (lasting.get(key) ?? 0) + by
    lasting.set(key, count)
    metrics.longRunning(labels, count)
  }
  const begun = ({ request: { signal }, target }: Call, answer: ApiResponse): void => {
    if (!isLasting(answer) || signal.aborted) return
    const labels = labelsFor(target, answer.status)
    countLasting(labels, 1)
    signal.addEventListener('abort', () => countLasting(labels, -1), { once: true })
  }
  return (next) => (call) => {
    const { request, target } = call
    const dryRun = request.query.get('dryRun') === 'All' ? 'All' : ''
    if (isLongRunning(target))
      return whenThere(next(call), (answer) => {
        seriesFor(target, answer.status, dryRun).total.total++
        begun(call, answer)
        return answer
      })
    const kind = READING.has(target.verb) ? 'readOnly' : 'mutating'
    const startMs = clock.monotonic()
    metrics.current[kind]++
    return whenDone(
      () => next(call),
      (answer) => {
        metrics.current[kind]--
        const { total, seconds } = seriesFor(target, answer.status, dryRun)
        total.total++
        seconds.observe((clock.monotonic() - startMs) / 1_000)
        return answer
      },
      (error) => {
        metrics.current[kind]--
        throw error
      },
    )
  }
}

interface Series {
  readonly total: Count
  readonly seconds: Histogram
}

/** Series that are found without their labels; with one more all are looked up anew. About 200 bytes each. */
const SERIES_AT_HAND_MAX = 5_000

/** The series of a request, by what tells its labels. Those of resources that are not known (yet) are not kept. */
function createSeries(
  metrics: RequestMetrics,
  labelsFor: (target: RequestTarget, status: number) => Labels,
): (target: RequestTarget, status: number, dryRun: string) => Series {
  const known = new Map<string, Series>()
  return (target, status, dryRun) => {
    const key = target.type === 'resource' ? seriesKey(target, status, dryRun) : ''
    const before = known.get(key)
    if (before !== undefined) return before
    const labels = { ...labelsFor(target, status), dry_run: dryRun }
    const series = { total: metrics.total({ ...labels, code: status }), seconds: metrics.seconds(labels) }
    if (labels.resource === '') return series
    if (known.size >= SERIES_AT_HAND_MAX) known.clear()
    known.set(key, series)
    return series
  }
}

function seriesKey(target: ResourceTarget, status: number, dryRun: string): string {
  const { verb, group, version, resource, subresource } = target
  return `${verb} ${group}/${version}/${resource}/${subresource} ${scopeOf(target)} ${status} ${dryRun}`
}

type ResourceTarget = Extract<RequestTarget, { readonly type: 'resource' }>

function scopeOf({ namespace, name }: ResourceTarget): string {
  if (name !== '') return 'resource'
  return namespace === '' ? 'cluster' : 'namespace'
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
    const { group, version, resource, subresource } = target
    // Over HTTP/2 a method is any word.
    const verb = KNOWN_VERBS.has(target.verb) ? target.verb.toUpperCase() : 'other'
    const key = [group, version, resource, subresource].join('/')
    if (!INCONCLUSIVE.has(status) && known.size < KNOWN_RESOURCES_MAX) known.add(key)
    if (!known.has(key)) return { verb, ...unknown }
    return { verb, group, version, resource, subresource, scope: scopeOf(target), component }
  }
}
