/** The handlers of metrics.k8s.io: usage of the nodes and pods that there are, as far as their kubelets tell it. */

import { nodes } from '../../apis/core/node.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { nodeMetrics, podMetrics } from '../../apis/metrics/resource-metrics.ts'
import type { NodeMetrics, PodMetrics } from '../../apis/metrics/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import { notFound } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { quantityFromValue, quantityText } from '../../machinery/meta/quantity.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import type { ApiResponse } from '../../machinery/wire/message.ts'
import type { Exchange } from '../handlers/exchange.ts'
import { listResponse } from '../handlers/lists/list-response.ts'
import { selectorsOf } from '../handlers/options.ts'
import { objectResponse } from '../handlers/respond.ts'
import type { SubresourceHandler } from '../handlers/routes.ts'
import { createCodec } from '../registry/codec.ts'
import type { ContainerUsage, NodeUsage } from './samples.ts'
import type { UsageSource } from './usage-source.ts'

export interface ResourceMetricsParts {
  /** In all namespaces for ''. */
  list<T extends KubeObject>(definition: ResourceDefinition<T>, namespace: string): Promise<readonly T[]>
  readonly source: UsageSource
  readonly clock: Clock
}

type Usages = ReadonlyMap<string, NodeUsage>

/** What the metrics of one kind are made of. */
interface Measured<T extends KubeObject, Metrics extends KubeObject> {
  readonly objects: ResourceDefinition<T>
  readonly metrics: ResourceDefinition<Metrics>
  nodeOf(object: T): string | undefined
  /** Undefined: nothing is known of it. */
  measure(object: T, usage: NodeUsage, creationTimestamp: string): Metrics | undefined
}

export function resourceMetricsHandlers(
  parts: ResourceMetricsParts,
): readonly (readonly [string, SubresourceHandler])[] {
  return [handlerOf(parts, OF_NODES), handlerOf(parts, OF_PODS)]
}

const OF_NODES: Measured<KubeObject, NodeMetrics> = {
  objects: nodes as unknown as ResourceDefinition<KubeObject>,
  metrics: nodeMetrics,
  nodeOf: ({ metadata }) => metadata.name,
  measure: (node, usage, creationTimestamp) => ({
    metadata: metadataOf(node, creationTimestamp),
    ...measuredAt(usage),
    usage: amounts([...usage.pods.values()].flat()),
  }),
}

const OF_PODS: Measured<Pod, PodMetrics> = {
  objects: pods,
  metrics: podMetrics,
  nodeOf: ({ spec }) => spec.nodeName,
  measure(pod, usage, creationTimestamp) {
    const used = usage.pods.get(pod.metadata.uid ?? '')
    return (
      used && {
        metadata: metadataOf(pod, creationTimestamp),
        ...measuredAt(usage),
        containers: used.map((container) => ({ name: container.name, usage: amounts([container]) })),
      }
    )
  },
}

function handlerOf<T extends KubeObject, Metrics extends KubeObject>(
  parts: ResourceMetricsParts,
  kind: Measured<T, Metrics>,
): readonly [string, SubresourceHandler] {
  const { group, resource } = kind.metrics
  const codec = createCodec(kind.metrics)
  const measured = async (found: readonly T[]) => {
    const now = formatTime(parts.clock.now())
    const usages = await usagesOf(parts.source, found.map(kind.nodeOf))
    return found.flatMap((object) => {
      const usage = usages.get(kind.nodeOf(object) ?? '')
      const metrics = usage && kind.measure(object, usage, now)
      return metrics ? [codec.stored(metrics, 0)] : []
    })
  }
  const handle = async (exchange: Exchange, name: string, namespace: string): Promise<ApiResponse> => {
    const all = await parts.list(kind.objects, namespace)
    if (name === '') return listResponse(exchange, { metadata: {}, items: await measured(selected(exchange, all)) })
    const [one] = await measured(all.filter(({ metadata }) => metadata.name === name))
    if (one === undefined) throw notFound(kind.metrics, namespace === '' ? name : `${namespace}/${name}`)
    return objectResponse(exchange, one)
  }
  return [
    `${group}/${resource}/`,
    {
      handle: (exchange, { verb, name, namespace }) =>
        verb === 'get' || verb === 'list' ? handle(exchange, name, namespace) : undefined,
    },
  ]
}

function selected<T extends KubeObject>({ request, registry }: Exchange, all: readonly T[]): readonly T[] {
  const { labels, fields } = selectorsOf(request.query, registry.definition)
  return all.filter(({ metadata: { name = '', namespace, labels: own } }) => {
    const place = namespace === undefined ? {} : { 'metadata.namespace': namespace }
    return (labels?.matches(own ?? {}) ?? true) && (fields?.matches({ 'metadata.name': name, ...place }) ?? true)
  })
}

async function usagesOf(source: UsageSource, names: readonly (string | undefined)[]): Promise<Usages> {
  const usages = new Map<string, NodeUsage>()
  const measure = async (name: string | undefined) => {
    const usage = name ? await source.usageOf(name) : undefined
    if (name && usage) usages.set(name, usage)
  }
  await Promise.all([...new Set(names)].map(measure))
  return usages
}

function metadataOf({ metadata: { name, namespace, labels } }: KubeObject, creationTimestamp: string) {
  return { name, ...(namespace && { namespace }), creationTimestamp, ...(labels && { labels }) }
}

function measuredAt({ atMs, windowMs }: NodeUsage) {
  return { timestamp: formatTime(atMs), window: `${windowMs / 1000}s` }
}

function amounts(used: readonly ContainerUsage[]): Readonly<Record<string, string>> {
  const cpu = used.reduce((sum, container) => sum + container.cpu, 0n)
  const memory = used.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
  return {
    cpu: quantityText({ nano: cpu, format: 'DecimalSI' }),
    memory: quantityText(quantityFromValue(memory, 'BinarySI')),
  }
}
