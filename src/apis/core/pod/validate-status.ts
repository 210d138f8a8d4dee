/** Rules for the status of a pod, which kubelets and controllers write. */

import { parseIp } from '../../../base/ip.ts'
import {
  duplicate,
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  required,
} from '../../../machinery/meta/field-error.ts'
import { dnsSubdomainErrors, ipErrors, qualifiedNameErrors } from '../../field-rules.ts'
import { immutable } from '../../strategy-parts.ts'
import type {
  Pod,
  PodCondition,
  PodExtendedResourceClaimStatus,
  PodResourceClaimStatus,
  PodStatus,
} from '../types.gen.ts'
import { templateSpec } from './pod-status.ts'

const statusPath = new FieldPath('status')
const NOT_NEGATIVE = 'must be a non-negative integer'

export function validatePodStatus(pod: Pod, previous: Pod): readonly FieldError[] {
  const status = pod.status ?? {}
  const before = previous.status ?? {}
  return [
    ...conditionsErrors(status.conditions ?? []),
    ...nominationErrors(pod, previous),
    ...notNegative(statusPath.child('observedGeneration'), status.observedGeneration),
    ...immutable(statusPath.child('qosClass'), status.qosClass, before.qosClass),
    ...claimStatusesErrors(pod, status.resourceClaimStatuses ?? []),
    ...extendedClaimErrors(pod, status.extendedResourceClaimStatus),
    ...addressesErrors(status, 'podIPs'),
    ...hostAddressErrors(status),
    ...addressesErrors(status, 'hostIPs'),
    ...ephemeralErrors(status),
  ]
}

function notNegative(path: FieldPath, value: number | undefined): readonly FieldError[] {
  return (value ?? 0) < 0 ? [invalidValue(path, value, NOT_NEGATIVE)] : []
}

const SYSTEM_CONDITIONS = ['PodScheduled', 'Ready', 'Initialized']

function conditionsErrors(conditions: readonly PodCondition[]): readonly FieldError[] {
  return conditions.flatMap(({ type = '', observedGeneration }, index) => {
    const path = statusPath.child('conditions').index(index)
    return [
      ...notNegative(path.child('observedGeneration'), observedGeneration),
      ...(SYSTEM_CONDITIONS.includes(type) ? [] : qualifiedNameErrors(path.child('Type'), type)),
    ]
  })
}

/** A node is proposed to a pod as long as it has none. */
function nominationErrors({ status }: Pod, previous: Pod): readonly FieldError[] {
  const { nominatedNodeName: name } = status ?? {}
  if (!name || name === previous.status?.nominatedNodeName) return []
  const path = statusPath.child('nominatedNodeName')
  const bound = previous.spec?.nodeName
    ? [forbidden(path, 'may not be set on pods that are already bound to a node')]
    : []
  return [...dnsSubdomainErrors(path, name), ...bound]
}

function claimStatusesErrors(pod: Pod, statuses: readonly PodResourceClaimStatus[]): readonly FieldError[] {
  const claims = new Set((templateSpec(pod).resourceClaims ?? []).map(({ name }) => name))
  const seen = new Set<string>()
  return statuses.flatMap(({ name = '', resourceClaimName }, index) => {
    const path = statusPath.child('resourceClaimStatuses').index(index)
    const errors: FieldError[] = []
    if (!claims.has(name))
      errors.push(invalidValue(path.child('name'), name, 'must match the name of an entry in `spec.resourceClaims`'))
    if (seen.has(name)) errors.push(duplicate(path.child('name'), name))
    seen.add(name)
    if (resourceClaimName !== undefined)
      errors.push(...dnsSubdomainErrors(path.child('resourceClaimName'), resourceClaimName))
    return errors
  })
}

function extendedClaimErrors(pod: Pod, status: PodExtendedResourceClaimStatus | undefined): readonly FieldError[] {
  if (!status) return []
  const path = statusPath.child('extendedResourceClaimStatus')
  const mappings = status.requestMappings ?? []
  const { containers = [], initContainers = [] } = templateSpec(pod)
  const names = new Set([...containers, ...initContainers].map(({ name }) => name))
  const unknown = mappings.flatMap(({ containerName = '' }, index) => {
    const detail = 'must match the name of an entry in spec.initContainers.name or spec.containers.name'
    const at = path.child('requestMappings').index(index).child('containerName')
    return names.has(containerName) ? [] : [invalidValue(at, containerName, detail)]
  })
  const missing =
    mappings.length === 0 ? [required(path.child('requestMappings'), 'at least one request mapping is required')] : []
  const { resourceClaimName: claim } = status
  const claimPath = path.child('resourceClaimName')
  return [...missing, ...unknown, ...(claim ? dnsSubdomainErrors(claimPath, claim) : [required(claimPath)])]
}

function addressesErrors(status: PodStatus, field: 'podIPs' | 'hostIPs'): readonly FieldError[] {
  const path = statusPath.child(field)
  const addresses = (status[field] ?? []).map(({ ip = '' }) => ip)
  const errors = addresses.flatMap((ip, index) => ipErrors(path.index(index), ip))
  const families = new Set(addresses.map((ip) => parseIp(ip)?.family))
  if (addresses.length < 2 || (addresses.length === 2 && families.size === 2)) return errors
  return [...errors, invalidValue(path, status[field], 'may specify no more than one IP for each IP family')]
}

function hostAddressErrors({ hostIP = '', hostIPs = [] }: PodStatus): readonly FieldError[] {
  const [first] = hostIPs
  if (!first || (first.ip ?? '') === hostIP) return []
  return [invalidValue(statusPath.child('hostIPs').index(0).child('ip'), first.ip ?? '', 'must be equal to `hostIP`')]
}

function ephemeralErrors({ ephemeralContainerStatuses = [] }: PodStatus): readonly FieldError[] {
  return ephemeralContainerStatuses.flatMap(({ allocatedResourcesStatus = [] }, index) => {
    if (allocatedResourcesStatus.length === 0) return []
    const path = statusPath.child('ephemeralContainerStatuses').index(index).child('allocatedResourcesStatus')
    return [forbidden(path, 'must not be specified in container status')]
  })
}
