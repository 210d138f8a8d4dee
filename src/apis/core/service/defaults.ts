/** Defaults of services. Several depend on the type. */

import { mapField, mapItems, withAbsent, withZero } from '../../field-defaults.ts'
import type { Service, ServicePort, ServiceSpec } from '../types.gen.ts'
import { isExternallyAccessible, isLoadBalancer } from './kinds.ts'

/** 3 hours: how long a client stays with its backend. */
const AFFINITY_TIMEOUT_SECONDS = 10_800

export function defaultService(object: Service): Service {
  const typed = withZero<ServiceSpec>(object.spec ?? {}, { type: 'ClusterIP', sessionAffinity: 'None' })
  const spec = mapField(withAffinityConfig(typed), 'ports', (ports) => mapItems(ports, defaultPort))
  return withIpModes({ ...object, spec: withTypeDefaults({ ...object, spec }) })
}

function withTypeDefaults(object: Service): ServiceSpec {
  const { spec } = object
  const inside =
    spec.type === 'ExternalName' ? spec : withAbsent<ServiceSpec>(spec, { internalTrafficPolicy: 'Cluster' })
  return withZero(inside, {
    ...(isExternallyAccessible(object) ? { externalTrafficPolicy: 'Cluster' } : {}),
    ...(isLoadBalancer(object) && spec.allocateLoadBalancerNodePorts === undefined
      ? { allocateLoadBalancerNodePorts: true }
      : {}),
  })
}

function withAffinityConfig(spec: ServiceSpec): ServiceSpec {
  if (spec.sessionAffinity === 'None') {
    const { sessionAffinityConfig, ...rest } = spec
    return sessionAffinityConfig === undefined ? spec : rest
  }
  if (spec.sessionAffinity !== 'ClientIP' || spec.sessionAffinityConfig?.clientIP?.timeoutSeconds !== undefined)
    return spec
  return { ...spec, sessionAffinityConfig: { clientIP: { timeoutSeconds: AFFINITY_TIMEOUT_SECONDS } } }
}

function defaultPort(port: ServicePort): ServicePort {
  return withZero(port, { protocol: 'TCP', targetPort: port.port })
}

function withIpModes(object: Service): Service {
  if (!isLoadBalancer(object)) return object
  return mapField(object, 'status', (status) =>
    mapField(status, 'loadBalancer', (balancer) =>
      mapField(balancer, 'ingress', (ingress) =>
        mapItems(ingress, (entry) => (entry.ip ? withAbsent(entry, { ipMode: 'VIP' }) : entry)),
      ),
    ),
  )
}
