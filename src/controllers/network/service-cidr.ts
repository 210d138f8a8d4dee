/**
 * service-cidr-controller: says of the ranges that cluster IPs are really taken from that they are ready. A range that
 * nothing is taken from gets no such condition.
 */

import { serviceCidrs } from '../../apis/networking/service-cidr.ts'
import type { ServiceCIDR } from '../../apis/networking/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { setCondition } from '../../machinery/meta/conditions.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { updateStatusAction } from '../runtime/action.ts'
import { defineController, type Plan, type ReconcilingController } from '../runtime/controller.ts'

export interface ServiceCidrView {
  readonly range: ServiceCIDR
  /** What cluster IPs are taken from. */
  readonly allocated: readonly string[]
}

export function serviceCidrController(allocated: readonly string[]): ReconcilingController<ServiceCidrView> {
  return defineController({
    name: 'service-cidr-controller',
    reconciles: serviceCidrs,
    observe: (cache, key): ServiceCidrView | undefined => {
      const range = cache.get(serviceCidrs, key)
      return range && !range.metadata.deletionTimestamp ? { range, allocated } : undefined
    },
    plan: planServiceCidr,
  })
}

export function planServiceCidr({ range, allocated }: ServiceCidrView, nowMs: number): Plan {
  const cidrs = range.spec.cidrs ?? []
  if (cidrs.length === 0 || !cidrs.every((cidr) => allocated.includes(cidr))) return { actions: [] }
  const ready = { type: 'Ready', status: 'True' as const, reason: '', message: 'Kubernetes Service CIDR is ready' }
  const nowText = formatTime(nowMs)
  const conditions = setCondition(range.status?.conditions, { ...ready, lastTransitionTime: nowText }, nowText)
  if (deepEqual(conditions, range.status?.conditions)) return { actions: [] }
  return { actions: [updateStatusAction(serviceCidrs, { ...range, status: { ...range.status, conditions } })] }
}
