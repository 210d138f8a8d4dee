/** What an update of a service keeps: allocated values that the client left out, but not those of another type. */

import { deepEqual } from '../../../base/deep-equal.ts'
import { keepStatus } from '../../strategy-parts.ts'
import type { Service, ServicePort, ServiceSpec } from '../types.gen.ts'
import { isExternallyAccessible, isLoadBalancer, mayHaveNodePort, needsClusterIp, needsHealthCheck } from './kinds.ts'

export function prepareServiceUpdate(object: Service, previous: Service): Service {
  const kept = withAllocatedValues(withClusterIps(object, previous), previous)
  return withoutForeignFields(keepStatus(kept, previous), previous)
}

/** Brings `clusterIP` and `clusterIPs` into step where the client wrote only one of them. */
export function withClusterIps(object: Service, previous: Service | undefined): Service {
  const { clusterIP = '', clusterIPs = [] } = object.spec
  const untouched = previous !== undefined && deepEqual(clusterIPs, previous.spec.clusterIPs ?? [])
  const changed = previous !== undefined && clusterIP !== (previous.spec.clusterIP ?? '')
  if (clusterIP === '') return changed && untouched ? withSpec(object, without(object.spec, 'clusterIPs')) : object
  if (clusterIPs.length > 0 && !(changed && untouched)) return object
  return withSpec(object, { ...object.spec, clusterIPs: [clusterIP] })
}

function withAllocatedValues(object: Service, previous: Service): Service {
  let spec = object.spec
  const before = previous.spec
  if (needsClusterIp(object) && needsClusterIp(previous)) {
    if (!spec.clusterIP && before.clusterIP) spec = { ...spec, clusterIP: before.clusterIP }
    if ((spec.clusterIPs ?? []).length === 0 && before.clusterIPs && spec.clusterIP === before.clusterIP)
      spec = { ...spec, clusterIPs: before.clusterIPs }
  }
  if (mayHaveNodePort(object) && mayHaveNodePort(previous) && spec.ports)
    spec = { ...spec, ports: withNodePorts(spec.ports, before.ports ?? []) }
  if (needsHealthCheck(object) && needsHealthCheck(previous) && !spec.healthCheckNodePort && before.healthCheckNodePort)
    spec = { ...spec, healthCheckNodePort: before.healthCheckNodePort }
  return withSpec(object, spec)
}

function withNodePorts(ports: readonly ServicePort[], before: readonly ServicePort[]): readonly ServicePort[] {
  const key = ({ protocol, port }: ServicePort): string => `${protocol ?? 'TCP'} ${port}`
  const allocated = new Map(before.map((port) => [key(port), port.nodePort]))
  const taken = new Set(ports.map(({ protocol, nodePort }) => `${protocol} ${nodePort}`))
  return ports.map((port) => {
    const nodePort = allocated.get(key(port))
    if (port.nodePort || !nodePort || taken.has(`${port.protocol} ${nodePort}`)) return port
    return { ...port, nodePort }
  })
}

/** Fields that only the old type had go away, unless the client changed them on purpose. */
function withoutForeignFields(object: Service, previous: Service): Service {
  const lost = (has: (service: Service) => boolean): boolean => has(previous) && !has(object)
  const foreign: (keyof ServiceSpec)[] = [
    ...(lost(needsClusterIp) ? (['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] as const) : []),
    ...(lost(needsHealthCheck) ? (['healthCheckNodePort'] as const) : []),
    ...(lost(isLoadBalancer) ? (['allocateLoadBalancerNodePorts', 'loadBalancerClass'] as const) : []),
    ...(lost(isExternallyAccessible) ? (['externalTrafficPolicy'] as const) : []),
  ]
  const unchanged = foreign.filter((field) => deepEqual(object.spec[field], previous.spec[field]))
  const spec = without(object.spec, ...unchanged)
  return withSpec(object, lost(mayHaveNodePort) ? withoutNodePorts(spec, previous.spec) : spec)
}

function withoutNodePorts(spec: ServiceSpec, before: ServiceSpec): ServiceSpec {
  const portsOf = ({ ports = [] }: ServiceSpec) => new Set(ports.map(({ nodePort }) => nodePort ?? 0))
  if (!spec.ports || portsOf(spec).symmetricDifference(portsOf(before)).size > 0) return spec
  return { ...spec, ports: spec.ports.map(({ nodePort: _, ...port }) => port) }
}

function without(spec: ServiceSpec, ...fields: readonly (keyof ServiceSpec)[]): ServiceSpec {
  if (fields.length === 0) return spec
  return Object.fromEntries(Object.entries(spec).filter(([field]) => !fields.some((name) => name === field)))
}

function withSpec(object: Service, spec: ServiceSpec): Service {
  return spec === object.spec ? object : { ...object, spec }
}
