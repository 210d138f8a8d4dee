/** What a pod asks for as a whole, filled in from its containers and from its own limits. */

import { quantityText } from '../../../machinery/meta/quantity.ts'
import type { PodSpec } from '../types.gen.ts'
import { containersTotal } from './pod-resources.ts'
import { isHugePages, isOvercommitAllowed, isPodLevelResource, roundedResources } from './resource-list.ts'

export function defaultPodResources(spec: PodSpec): PodSpec {
  if (!spec.resources) return spec
  const resources = roundedResources(spec.resources)
  const limits: Record<string, string> = { ...resources.limits }
  const requests: Record<string, string> = { ...resources.requests }
  const mentioned = Object.keys(limits).length > 0 || Object.keys(requests).length > 0
  if (!mentioned) return spec.resources === resources ? spec : { ...spec, resources }
  const limited = Object.keys(limits).length > 0
  for (const [name, total] of containersTotal(spec, 'limits')) {
    if (isHugePages(name) && !(name in limits) && !(name in requests)) limits[name] = quantityText(total)
  }
  if (limited) {
    for (const [name, total] of containersTotal(spec, 'requests')) {
      const fits = isPodLevelResource(name) && isOvercommitAllowed(name)
      if (fits && !(name in requests)) requests[name] = quantityText(total)
    }
  }
  for (const [name, limit] of Object.entries(limits))
    if (isPodLevelResource(name) && !(name in requests)) requests[name] = limit
  return { ...spec, resources: { ...resources, ...nonEmpty('limits', limits), ...nonEmpty('requests', requests) } }
}

function nonEmpty(field: 'limits' | 'requests', list: Record<string, string>) {
  return Object.keys(list).length === 0 ? {} : { [field]: list }
}
