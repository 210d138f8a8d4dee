/** What follows from a service's type: which of its fields mean something. */

import type { Service } from '../types.gen.ts'

export const CLUSTER_IP_NONE = 'None'

export const isLoadBalancer = ({ spec }: Service): boolean => spec.type === 'LoadBalancer'

export const isExternalName = ({ spec }: Service): boolean => spec.type === 'ExternalName'

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIPs?.length === 1 && spec.clusterIPs[0] === CLUSTER_IP_NONE
}

export const needsClusterIp = (service: Service): boolean => !isExternalName(service)

export function mayHaveNodePort({ spec }: Service): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer'
}

export function needsNodePort({ spec }: Service): boolean {
  return spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)
}

/** Reachable from outside the cluster, so that it matters whether the way in leads over another node. */
export function isExternallyAccessible({ spec }: Service): boolean {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') return true
  return spec.type === 'ClusterIP' && (spec.externalIPs ?? []).length > 0
}

export function needsHealthCheck(service: Service): boolean {
  return isLoadBalancer(service) && service.spec.externalTrafficPolicy === 'Local'
}
