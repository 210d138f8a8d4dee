/** The quality of service class of a pod: who is throttled and evicted first. Fixed for its life. */

import { compareQuantities, isNegative, isZero, type Quantity, quantityOf } from '../../../machinery/meta/quantity.ts'
import { sharedFact } from '../../../machinery/schema/shared.ts'
import type { Pod, PodSpec, ResourceRequirements } from '../types.gen.ts'
import type { ResourceList } from './resource-list.ts'

export type QosClass = 'BestEffort' | 'Burstable' | 'Guaranteed'

/** The resources that decide; others do not count. */
const DECIDING = ['cpu', 'memory']

/** The class of the status where it is recorded, else computed. */
export function podQosClass(pod: Pod): QosClass {
  return pod.status?.qosClass ?? computeQosClass(pod.spec ?? { containers: [] })
}

/**
 * Guaranteed: every container (or the pod itself) limits CPU and memory and requests exactly that.
 * BestEffort: nobody asks for anything. Burstable: the rest.
 */
export const computeQosClass = sharedFact(qosClassOf)

function qosClassOf(spec: PodSpec): QosClass {
  const ownFigures = spec.resources !== undefined
  const parts: readonly (ResourceRequirements | undefined)[] = ownFigures
    ? [spec.resources]
    : [...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ resources }) => resources)
  const asked = parts.map((part) => ({ requests: positive(part?.requests), limits: positive(part?.limits) }))
  if (asked.every(({ requests, limits }) => requests.size === 0 && limits.size === 0)) return 'BestEffort'
  const guaranteed = asked.every(({ requests, limits }) =>
    DECIDING.every((name) => {
      const request = requests.get(name)
      const limit = limits.get(name)
      return limit !== undefined && request !== undefined && compareQuantities(request, limit) === 0
    }),
  )
  return guaranteed ? 'Guaranteed' : 'Burstable'
}

function positive(list: ResourceList | undefined): ReadonlyMap<string, Quantity> {
  const quantities = new Map<string, Quantity>()
  for (const name of DECIDING) {
    const quantity = quantityOf(list?.[name])
    if (!isZero(quantity) && !isNegative(quantity)) quantities.set(name, quantity)
  }
  return quantities
}
