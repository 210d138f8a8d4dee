/** Reads what autoscalers are told to look at, from the three APIs of metrics: of resources, custom, and external ones. */

import type { CrossVersionObjectReference, MetricSpec } from '../../apis/autoscaling/types.gen.ts'
import type { PodMetrics } from '../../apis/metrics/types.gen.ts'
import type { Client } from '../../client/client.ts'
import type { ServedResource } from '../../client/discovery.ts'
import { rawObject } from '../../client/raw-object.ts'
import { ApiError } from '../../machinery/meta/api-error.ts'
import { parseApiVersion } from '../../machinery/meta/group-version.ts'
import { selectorFromLabelSelector } from '../../machinery/meta/labels.ts'
import type { KubeList, KubeObject } from '../../machinery/meta/object.ts'
import { milliValue } from '../../machinery/meta/quantity.ts'
import { parseDuration, parseTime } from '../../machinery/meta/time.ts'
import type { Reading } from './metric-proposal.ts'
import type { Measure } from './replica-calculator.ts'

export interface MetricsRequest {
  readonly client: Client
  readonly namespace: string
  /** Selects the pods of the workload, as text. */
  readonly selector: string
  /** Every kind that is served: custom metrics are named after resources. */
  readonly kinds: readonly ServedResource[]
  readonly signal: AbortSignal
}

/** How long a custom metric was measured where it does not say; upstream's. */
const WINDOW_MS = 60_000

export async function readMetric(spec: MetricSpec, request: MetricsRequest): Promise<Reading> {
  try {
    return await read(spec, request)
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { error: `unable to fetch metrics from ${apiOf(spec)} metrics API: ${error.message}` }
  }
}

function apiOf({ type }: MetricSpec): string {
  if (type === 'Resource' || type === 'ContainerResource') return 'resource'
  return type === 'External' ? 'external' : 'custom'
}

async function read(spec: MetricSpec, request: MetricsRequest): Promise<Reading> {
  switch (spec.type) {
    case 'Resource':
      return ofPods(request, spec.resource?.name ?? '', undefined)
    case 'ContainerResource':
      return ofPods(request, spec.containerResource?.name ?? '', spec.containerResource?.container)
    case 'Pods':
      return customOfPods(request, spec)
    case 'Object':
      return customOfObject(request, spec)
    case 'External':
      return external(request, spec)
    default:
      return { error: `unknown metric source type "${spec.type}"` }
  }
}

async function ofPods(
  { client, namespace, selector, signal }: MetricsRequest,
  resource: string,
  container: string | undefined,
): Promise<Reading> {
  const path = `/apis/metrics.k8s.io/v1beta1/namespaces/${namespace}/pods`
  const { items } = await rawObject<KubeList<PodMetrics>>(client, { path, query: { labelSelector: selector }, signal })
  if (items.length === 0) return { error: 'no metrics returned from resource metrics API' }
  return { measures: new Map(items.flatMap((item) => measureOf(item, resource, container))) }
}

/** Nothing when one of the containers that count was not measured. */
function measureOf(
  { metadata, timestamp, window, containers }: PodMetrics,
  resource: string,
  container: string | undefined,
): readonly (readonly [string, Measure])[] {
  const counting = containers.filter(({ name }) => container === undefined || name === container)
  const amounts = counting.map(({ usage }) => usage[resource])
  if (amounts.length === 0 || amounts.includes(undefined)) return []
  const milli = amounts.reduce((sum, amount) => sum + milliValue(amount), 0)
  return [[metadata.name ?? '', { milli, atMs: parseTime(timestamp) ?? 0, windowMs: parseDuration(window) ?? 0 }]]
}

interface CustomMetric extends KubeObject {
  readonly describedObject: { readonly name?: string }
  readonly timestamp: string
  readonly windowSeconds?: number
  readonly value: string
}

const CUSTOM = '/apis/custom.metrics.k8s.io/v1beta2'

async function customOfPods(
  { client, namespace, selector, signal }: MetricsRequest,
  spec: MetricSpec,
): Promise<Reading> {
  const { name = '', selector: metricSelector } = spec.pods?.metric ?? {}
  const path = `${CUSTOM}/namespaces/${namespace}/pods/*/${name}`
  const query = {
    labelSelector: selector,
    metricLabelSelector: selectorFromLabelSelector(metricSelector ?? {}).toString(),
  }
  const { items } = await rawObject<KubeList<CustomMetric>>(client, { path, query, signal })
  if (items.length === 0) return { error: 'no metrics returned from custom metrics API' }
  const measures = items.map(({ describedObject, timestamp, windowSeconds, value }): readonly [string, Measure] => {
    const windowMs = windowSeconds === undefined ? WINDOW_MS : windowSeconds * 1_000
    return [describedObject.name ?? '', { milli: milliValue(value), atMs: parseTime(timestamp) ?? 0, windowMs }]
  })
  return { measures: new Map(measures) }
}

async function customOfObject(request: MetricsRequest, spec: MetricSpec): Promise<Reading> {
  const { name = '', selector } = spec.object?.metric ?? {}
  const described = spec.object?.describedObject ?? { kind: '', name: '' }
  const place = placeOf(request, described)
  if (place === undefined) return { error: `no matches for kind "${described.kind}"` }
  const query = { metricLabelSelector: selectorFromLabelSelector(selector ?? {}).toString() }
  const path = `${CUSTOM}/${place}/${name}`
  const { items } = await rawObject<KubeList<CustomMetric>>(request.client, { path, query, signal: request.signal })
  const [first] = items
  return first ? { milli: milliValue(first.value) } : { error: 'no metrics returned from custom metrics API' }
}

function placeOf(
  { namespace, kinds }: MetricsRequest,
  { apiVersion = 'v1', kind, name }: CrossVersionObjectReference,
): string | undefined {
  const { group = '' } = parseApiVersion(apiVersion) ?? {}
  if (kind === 'Namespace' && group === '') return `namespaces/${namespace}/metrics`
  const served = kinds.find((candidate) => candidate.group === group && candidate.kind === kind)
  if (!served) return undefined
  const resource = group === '' ? served.resource : `${served.resource}.${group}`
  return `namespaces/${namespace}/${resource}/${name}`
}

interface ExternalMetric extends KubeObject {
  readonly value: string
}

async function external({ client, namespace, signal }: MetricsRequest, spec: MetricSpec): Promise<Reading> {
  const { name = '', selector } = spec.external?.metric ?? {}
  const path = `/apis/external.metrics.k8s.io/v1beta1/namespaces/${namespace}/${name}`
  const query = { labelSelector: selectorFromLabelSelector(selector ?? {}).toString() }
  const { items } = await rawObject<KubeList<ExternalMetric>>(client, { path, query, signal })
  if (items.length === 0) return { error: 'no metrics returned from external metrics API' }
  return { milli: items.reduce((sum, { value }) => sum + milliValue(value), 0) }
}
