/** What services use of quotas: themselves, node ports and load balancers. */

import type { KubeObject } from '../../../machinery/meta/object.ts'
import { quantityFromValue } from '../../../machinery/meta/quantity.ts'
import type { Service } from '../types.gen.ts'
import { type Amounts, NONE, ONE } from './amounts.ts'
import { countName, type QuotaEvaluator } from './evaluator.ts'

const COUNT = countName('', 'services')
const NAMES: ReadonlySet<string> = new Set([COUNT, 'services', 'services.nodeports', 'services.loadbalancers'])

// Whoever asks this evaluator asks about objects of the resource that it names.
const serviceOf = (object: KubeObject): Service => object as Service

export const serviceEvaluator: QuotaEvaluator = {
  group: '',
  resource: 'services',
  handles: ({ operation, subresource }) => subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'),
  matchingNames: (names) => [...names].filter((name) => NAMES.has(name)),
  matchesScope: () => false,
  usage: (object) => serviceUsage(serviceOf(object)),
  replenishes: (object, previous) => costlyType(serviceOf(object)) !== costlyType(serviceOf(previous)),
}

/** The types of which quotas know more than the number. */
function costlyType({ spec }: Service): string {
  return spec?.type === 'NodePort' || spec?.type === 'LoadBalancer' ? spec.type : ''
}

function serviceUsage(service: Service): Amounts {
  return new Map([
    [COUNT, ONE],
    ['services', ONE],
    ['services.loadbalancers', service.spec?.type === 'LoadBalancer' ? ONE : NONE],
    ['services.nodeports', quantityFromValue(nodePorts(service), 'DecimalSI')],
  ])
}

/** Ports may not be allocated yet: what counts is how many there will be. */
function nodePorts({ spec }: Service): number {
  const ports = spec?.ports ?? []
  if (spec?.type === 'NodePort') return ports.length
  if (spec?.type !== 'LoadBalancer') return 0
  if (spec.allocateLoadBalancerNodePorts !== false) return ports.length
  return ports.filter(({ nodePort }) => Boolean(nodePort)).length
}
