/**
 * metrics.k8s.io: what nodes and pods use right now, with metrics-server's names and columns. Measured when it is
 * asked for, never stored; only servers that reach kubelets have it.
 */

import type { KubeObject } from '../../machinery/meta/object.ts'
import { addQuantities, quantityOf, quantityText, zeroQuantity } from '../../machinery/meta/quantity.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import type { Column, ResourceDefinition } from '../definition.ts'
import type { NodeMetrics, PodMetrics } from './types.gen.ts'

const usageOfPod = ({ containers }: PodMetrics, resource: string): string =>
  quantityText(containers.map(({ usage }) => quantityOf(usage[resource])).reduce(addQuantities, zeroQuantity))

export const nodeMetrics = defineResource<NodeMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'NodeMetrics',
  resource: 'nodes',
  singular: '',
  scope: 'Cluster',
  schema: builtinSchema('metrics.v1beta1.NodeMetrics'),
  verbs: ['get', 'list'],
  columns: columns(({ usage }, resource) => usage[resource] ?? ''),
})

export const podMetrics = defineResource<PodMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  resource: 'pods',
  singular: '',
  scope: 'Namespaced',
  schema: builtinSchema('metrics.v1beta1.PodMetrics'),
  verbs: ['get', 'list'],
  columns: columns(usageOfPod),
})

export const resourceMetrics: readonly ResourceDefinition[] = [nodeMetrics, podMetrics]

function columns<T extends KubeObject & { readonly window: string }>(
  usage: (object: T, resource: string) => string,
): readonly Column<T>[] {
  return [
    nameColumn,
    { name: 'cpu', type: 'string', value: (object) => usage(object, 'cpu') },
    { name: 'memory', type: 'string', value: (object) => usage(object, 'memory') },
    { name: 'Window', type: 'string', format: 'duration', value: ({ window }) => window },
  ]
}
