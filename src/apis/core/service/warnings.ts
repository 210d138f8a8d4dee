/** What a client is warned of when it writes a service. */

import type { Service } from '../types.gen.ts'
import { isExternalName, isHeadless } from './kinds.ts'

const HINTS_ANNOTATION = 'service.kubernetes.io/topology-aware-hints'

export function serviceWarnings(service: Service): readonly string[] {
  const { metadata, spec } = service
  const warnings: string[] = []
  if (metadata.annotations?.[HINTS_ANNOTATION] !== undefined)
    warnings.push(
      `annotation ${HINTS_ANNOTATION} is deprecated, please use service.kubernetes.io/topology-mode instead`,
    )
  if (isHeadless(service)) {
    if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services')
    if ((spec.externalIPs ?? []).length > 0) warnings.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity && spec.sessionAffinity !== 'None')
      warnings.push('spec.SessionAffinity is ignored for headless services')
  }
  if ((spec.externalIPs ?? []).length > 0 && !isHeadless(service) && !isExternalName(service))
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  if (isExternalName(service)) {
    if ((spec.externalIPs ?? []).length > 0)
      warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  } else if (spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose')
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  return warnings
}
