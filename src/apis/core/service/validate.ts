/** Rules for services, whatever came before. Ports, addresses and families each have their part. */

import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../../machinery/meta/field-error.ts'
import { validateLabels } from '../../../machinery/meta/labels.ts'
import {
  cidrErrors,
  dnsSubdomainErrors,
  ipErrors,
  oneOf,
  portNumberErrors,
  qualifiedNameErrors,
  specialIpErrors,
} from '../../field-rules.ts'
import type { Service } from '../types.gen.ts'
import { isExternallyAccessible, isExternalName, isHeadless, isLoadBalancer, needsHealthCheck } from './kinds.ts'
import { validateClusterIps } from './validate-cluster-ips.ts'
import { validatePorts } from './validate-ports.ts'

/** One day: the longest that a client may stick to its backend. */
const AFFINITY_TIMEOUT_SECONDS_MAX = 86_400
const TRAFFIC_POLICIES = ['Cluster', 'Local']
const TRAFFIC_DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode']
const TYPES = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"

const specPath = new FieldPath('spec')
const annotationsPath = new FieldPath('metadata.annotations')

export function validateService(service: Service): readonly FieldError[] {
  const { spec } = service
  return [
    ...topologyAnnotationErrors(service),
    ...typeErrors(service),
    ...validatePorts(service, specPath.child('ports')),
    ...validateLabels(spec.selector, specPath.child('selector')),
    ...affinityErrors(service),
    ...validateClusterIps(service),
    ...externalIpErrors(service),
    ...oneOf(specPath.child('type'), spec.type, TYPES),
    ...sourceRangeErrors(service),
    ...loadBalancerErrors(service),
    ...externalTrafficErrors(service),
    ...internalTrafficErrors(service),
    ...trafficDistributionErrors(service),
  ]
}

function topologyAnnotationErrors({ metadata }: Service): readonly FieldError[] {
  const hints = metadata.annotations?.['service.kubernetes.io/topology-aware-hints']
  const mode = metadata.annotations?.['service.kubernetes.io/topology-mode']
  if (hints === undefined || mode === undefined || hints === mode) return []
  const path = annotationsPath.key('service.kubernetes.io/topology-mode')
  const detail = 'must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified'
  return [invalidValue(path, mode, detail)]
}

function typeErrors(service: Service): readonly FieldError[] {
  const { type, clusterIPs } = service.spec
  if (isExternalName(service)) return externalNameErrors(service)
  const errors: FieldError[] = []
  if ((service.spec.ports ?? []).length === 0 && !isHeadless(service)) errors.push(required(specPath.child('ports')))
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(service)) {
    const path = specPath.child('clusterIPs').index(0)
    errors.push(invalidValue(path, clusterIPs?.[0], `may not be set to 'None' for ${type} services`))
  }
  return errors
}

function externalNameErrors({ spec }: Service): readonly FieldError[] {
  const errors: FieldError[] = []
  const detail = 'may not be set for ExternalName services'
  if ((spec.clusterIPs ?? []).length > 0) errors.push(forbidden(specPath.child('clusterIPs'), detail))
  if ((spec.ipFamilies ?? []).length > 0) errors.push(forbidden(specPath.child('ipFamilies'), detail))
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden(specPath.child('ipFamilyPolicy'), detail))
  const name = (spec.externalName ?? '').replace(/\.$/, '')
  const path = specPath.child('externalName')
  return [...errors, ...(name === '' ? [required(path)] : dnsSubdomainErrors(path, name))]
}

function affinityErrors({ spec }: Service): readonly FieldError[] {
  const errors = oneOf(specPath.child('sessionAffinity'), spec.sessionAffinity, ['ClientIP', 'None'])
  const path = specPath.child('sessionAffinityConfig')
  if (spec.sessionAffinity === 'ClientIP') errors.push(...affinityConfigErrors(spec.sessionAffinityConfig, path))
  if (spec.sessionAffinity === 'None' && spec.sessionAffinityConfig !== undefined)
    errors.push(forbidden(path, 'must not be set when session affinity is None'))
  return errors
}

function affinityConfigErrors(config: Service['spec']['sessionAffinityConfig'], path: FieldPath): FieldError[] {
  if (config === undefined) return [required(path, 'when session affinity type is ClientIP')]
  if (config.clientIP === undefined) return [required(path.child('clientIP'), 'when session affinity type is ClientIP')]
  const { timeoutSeconds } = config.clientIP
  const timeoutPath = path.child('clientIP', 'timeoutSeconds')
  if (timeoutSeconds === undefined) return [required(timeoutPath, 'when session affinity type is ClientIP')]
  if (timeoutSeconds > 0 && timeoutSeconds <= AFFINITY_TIMEOUT_SECONDS_MAX) return []
  const detail = `must be greater than 0 and less than ${AFFINITY_TIMEOUT_SECONDS_MAX}`
  return [invalidValue(timeoutPath, timeoutSeconds, detail)]
}

function externalIpErrors({ spec }: Service): readonly FieldError[] {
  return (spec.externalIPs ?? []).flatMap((ip, index) => {
    const path = specPath.child('externalIPs').index(index)
    const errors = ipErrors(path, ip)
    return errors.length > 0 ? errors : specialIpErrors(path, ip)
  })
}

const SOURCE_RANGES_ANNOTATION = 'service.beta.kubernetes.io/load-balancer-source-ranges'

/** The path's capital letter is upstream's. */
function sourceRangeErrors(service: Service): readonly FieldError[] {
  const { loadBalancerSourceRanges: ranges = [] } = service.spec
  const annotation = service.metadata.annotations?.[SOURCE_RANGES_ANNOTATION]
  if (ranges.length === 0 && annotation === undefined) return []
  const path =
    ranges.length > 0 ? specPath.child('LoadBalancerSourceRanges') : annotationsPath.key(SOURCE_RANGES_ANNOTATION)
  const errors = isLoadBalancer(service) ? [] : [forbidden(path, ONLY_LOAD_BALANCER)]
  if (ranges.length > 0)
    return [...errors, ...ranges.flatMap((range, index) => cidrErrors(path.index(index), range.trim()))]
  const written = (annotation ?? '').trim()
  return written === '' ? errors : [...errors, ...written.split(',').flatMap((range) => cidrErrors(path, range.trim()))]
}

function loadBalancerErrors(service: Service): readonly FieldError[] {
  const { allocateLoadBalancerNodePorts: allocate, loadBalancerClass } = service.spec
  const classPath = specPath.child('loadBalancerClass')
  if (isLoadBalancer(service))
    return loadBalancerClass === undefined ? [] : qualifiedNameErrors(classPath, loadBalancerClass)
  return [
    ...(allocate === undefined ? [] : [forbidden(specPath.child('allocateLoadBalancerNodePorts'), ONLY_LOAD_BALANCER)]),
    ...(loadBalancerClass === undefined ? [] : [forbidden(classPath, ONLY_LOAD_BALANCER)]),
  ]
}

function externalTrafficErrors(service: Service): readonly FieldError[] {
  const { externalTrafficPolicy: policy, healthCheckNodePort: port } = service.spec
  const policyPath = specPath.child('externalTrafficPolicy')
  const portPath = specPath.child('healthCheckNodePort')
  const errors: FieldError[] = []
  if (isExternallyAccessible(service)) errors.push(...oneOf(policyPath, policy, TRAFFIC_POLICIES))
  else if (policy) errors.push(invalidValue(policyPath, policy, 'may only be set for externally-accessible services'))
  if (!port) return errors
  if (needsHealthCheck(service)) return [...errors, ...portNumberErrors(portPath, port)]
  const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
  return [...errors, invalidValue(portPath, port, detail)]
}

function internalTrafficErrors({ spec }: Service): readonly FieldError[] {
  const { internalTrafficPolicy: policy, type } = spec
  const path = specPath.child('internalTrafficPolicy')
  if (policy === undefined) return type === 'ExternalName' ? [] : [required(path)]
  return TRAFFIC_POLICIES.includes(policy) ? [] : [notSupported(path, policy, TRAFFIC_POLICIES)]
}

function trafficDistributionErrors({ spec }: Service): readonly FieldError[] {
  const { trafficDistribution: wish } = spec
  if (wish === undefined || TRAFFIC_DISTRIBUTIONS.includes(wish)) return []
  return [notSupported(specPath.child('trafficDistribution'), wish, TRAFFIC_DISTRIBUTIONS)]
}
