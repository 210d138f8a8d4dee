/** Which changes a service allows: a second address may come and go, the first one stays. */

import { isIP } from 'node:net'
import { deepEqual } from '../../../base/deep-equal.ts'
import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../../machinery/meta/field-error.ts'
import { dnsSubdomainErrors, ipErrors } from '../../field-rules.ts'
import type { LoadBalancerIngress, Service } from '../types.gen.ts'
import { isExternalName, isHeadless, isLoadBalancer, needsHealthCheck } from './kinds.ts'

const ONCE = 'may not change once set'
const specPath = new FieldPath('spec')

export function validateServiceUpdate(service: Service, previous: Service): readonly FieldError[] {
  return [
    ...clusterIpChanges(service, previous),
    ...familyChanges(service, previous),
    ...loadBalancerClassChanges(service, previous),
    ...healthCheckChanges(service, previous),
  ]
}

function clusterIpChanges(service: Service, previous: Service): readonly FieldError[] {
  if (isExternalName(service) || isExternalName(previous)) return []
  if (isHeadless(service) && isHeadless(previous)) return []
  return listChanges({
    now: service.spec.clusterIPs ?? [],
    before: previous.spec.clusterIPs ?? [],
    path: specPath.child('clusterIPs'),
    item: 'clusterIP',
    policy: service.spec.ipFamilyPolicy,
  })
}

function familyChanges(service: Service, previous: Service): readonly FieldError[] {
  if (isExternalName(service) || isExternalName(previous)) return []
  if (isHeadless(service) || isHeadless(previous)) return []
  return listChanges({
    now: service.spec.ipFamilies ?? [],
    before: previous.spec.ipFamilies ?? [],
    path: specPath.child('ipFamilies'),
    item: 'ipFamily',
    policy: service.spec.ipFamilyPolicy,
  })
}

interface ListChange {
  readonly now: readonly string[]
  readonly before: readonly string[]
  readonly path: FieldPath
  readonly item: string
  readonly policy: string | undefined
}

function listChanges({ now, before, path, item, policy }: ListChange): readonly FieldError[] {
  if (now.length === before.length)
    return before.flatMap((value, index) => (value === now[index] ? [] : [invalidValue(path.index(index), now, ONCE)]))
  if (now.length === 0) return [invalidValue(path.index(0), now, `primary ${item} can not be unset`)]
  const errors = before.length > 0 && now[0] !== before[0] ? [invalidValue(path.index(0), now, ONCE)] : []
  if (now.length < before.length && now.length === 1 && policy !== 'SingleStack') {
    const detail = `must be set to 'SingleStack' when releasing the secondary ${item}`
    errors.push(invalidValue(specPath.child('ipFamilyPolicy'), policy, detail))
  }
  return errors
}

function loadBalancerClassChanges(service: Service, previous: Service): readonly FieldError[] {
  const { loadBalancerClass } = service.spec
  if (!isLoadBalancer(service)) {
    if (loadBalancerClass === undefined) return []
    return [forbidden(specPath.child('loadBalancerClass'), "may only be used when `type` is 'LoadBalancer'")]
  }
  if (!isLoadBalancer(previous)) return []
  if (loadBalancerClass === previous.spec.loadBalancerClass) return []
  return [invalidValue(specPath.child('loadBalancerClass'), loadBalancerClass, ONCE)]
}

function healthCheckChanges(service: Service, previous: Service): readonly FieldError[] {
  if (!needsHealthCheck(service) || !needsHealthCheck(previous)) return []
  if (service.spec.healthCheckNodePort === previous.spec.healthCheckNodePort) return []
  return [forbidden(specPath.child('healthCheckNodePort'), 'field is immutable')]
}

const ingressPath = new FieldPath('status.loadBalancer.ingress')

export function validateServiceStatusUpdate(service: Service, previous: Service): readonly FieldError[] {
  const ingress = service.status?.loadBalancer?.ingress ?? []
  if (deepEqual(ingress, previous.status?.loadBalancer?.ingress ?? [])) return []
  if (!isLoadBalancer(service) && ingress.length > 0)
    return [forbidden(ingressPath, "may only be used when `spec.type` is 'LoadBalancer'")]
  return ingress.flatMap((entry, index) => validateIngress(entry, ingressPath.index(index)))
}

const IP_MODES = ['Proxy', 'VIP']

function validateIngress({ ip, ipMode, hostname }: LoadBalancerIngress, path: FieldPath): readonly FieldError[] {
  const errors = ip ? ipErrors(path.child('ip'), ip) : []
  if (ip && ipMode === undefined) errors.push(required(path.child('ipMode'), 'must be specified when `ip` is set'))
  else if (!ip && ipMode !== undefined)
    errors.push(forbidden(path.child('ipMode'), 'may not be specified when `ip` is not set'))
  else if (ipMode !== undefined && !IP_MODES.includes(ipMode))
    errors.push(notSupported(path.child('ipMode'), ipMode, IP_MODES))
  if (!hostname) return errors
  errors.push(...dnsSubdomainErrors(path.child('hostname'), hostname))
  if (isIP(hostname) !== 0)
    errors.push(invalidValue(path.child('hostname'), hostname, 'must be a DNS name, not an IP address'))
  return errors
}
