/** Nodes: taints, pod address ranges and what the kubelet reports. A range or provider, once set, stays. */

import { deepEqual } from '../../base/deep-equal.ts'
import { parseCidr } from '../../base/ip.ts'
import { findCondition } from '../../machinery/meta/conditions.ts'
import {
  duplicate,
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { validateLabelKey } from '../../machinery/meta/labels.ts'
import { isValidLabelValue } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, NONE, nameColumn, textColumn, wideColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { cidrErrors } from '../field-rules.ts'
import { keepSpec, keepStatus } from '../strategy-parts.ts'
import { resourceListErrors } from './resource-names.ts'
import type { Node, NodeAddress, Taint } from './types.gen.ts'

export const nodes = defineResource<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  resource: 'nodes',
  shortNames: ['no'],
  scope: 'Cluster',
  schema: builtinSchema('core.v1.Node'),
  default: withDefaults,
  prepareForCreate: withoutConfiguration,
  prepareForUpdate: (object, previous) => withoutConfiguration(keepStatus(object, previous)),
  warnings: nodeWarnings,
  validate: (object) => [...taintErrors(object), ...resourceErrors(object), ...podCidrErrors(object)],
  validateUpdate,
  status: {
    prepareForUpdate: (object, previous) => withoutConfiguration(keepSpec(object, previous)),
    validateUpdate: (object, previous) => [...validateUpdate(object, previous), ...resourceErrors(object)],
  },
  subresources: ['proxy'],
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    textColumn('Status', statusText),
    textColumn('Roles', rolesText),
    ageColumn,
    textColumn('Version', ({ status }: Node) => status?.nodeInfo?.kubeletVersion ?? ''),
    wideColumn('Internal-IP', (object) => addressOf(object, 'InternalIP')),
    wideColumn('External-IP', (object) => addressOf(object, 'ExternalIP')),
    wideColumn('OS-Image', ({ status }: Node) => status?.nodeInfo?.osImage || '<unknown>'),
    wideColumn('Kernel-Version', ({ status }: Node) => status?.nodeInfo?.kernelVersion || '<unknown>'),
    wideColumn('Container-Runtime', ({ status }: Node) => status?.nodeInfo?.containerRuntimeVersion || '<unknown>'),
  ],
  fields: ({ spec }) => ({ 'spec.unschedulable': String(spec?.unschedulable ?? false) }),
  fieldLabels: ['metadata.name', 'spec.unschedulable'],
})

/** How kubelets are configured through the API was taken out of it. */
function withoutConfiguration(object: Node): Node {
  const { configSource: _, ...spec } = object.spec ?? {}
  const { config: _config, ...status } = object.status ?? {}
  return { ...object, spec, ...(object.status ? { status } : {}) }
}

const NODE_DEPRECATIONS: readonly (readonly [field: 'configSource' | 'externalID', text: string])[] = [
  ['configSource', 'the feature is no longer supported'],
  ['externalID', 'this field is deprecated, and is unused by Kubernetes'],
]

function nodeWarnings({ spec }: Node): readonly string[] {
  return NODE_DEPRECATIONS.filter(([field]) => spec?.[field]).map(([field, text]) => `spec.${field}: ${text}`)
}

function withDefaults(object: Node): Node {
  const { capacity, allocatable } = object.status ?? {}
  const status = capacity && !allocatable ? { ...object.status, allocatable: capacity } : object.status
  return { ...object, spec: withPodCidrs(object.spec ?? {}), ...(status ? { status } : {}) }
}

/** `podCIDR` is the first of `podCIDRs`; where they differ the single one counts. */
function withPodCidrs(spec: NonNullable<Node['spec']>): NonNullable<Node['spec']> {
  const { podCIDR, podCIDRs = [] } = spec
  if (podCIDR && podCIDRs[0] !== podCIDR) return { ...spec, podCIDRs: [podCIDR] }
  return podCIDRs[0] && !podCIDR ? { ...spec, podCIDR: podCIDRs[0] } : spec
}

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** The path is upstream's: taints once were annotations. */
function taintErrors({ spec }: Node): readonly FieldError[] {
  const path = new FieldPath('metadata.taints')
  const seen = new Set<string>()
  return (spec?.taints ?? []).flatMap((taint, index) => {
    const key = `${taint.effect} ${taint.key}`
    const repeated = seen.has(key)
    seen.add(key)
    return [...validateTaint(taint, path.index(index)), ...(repeated ? [duplicateTaint(path.index(index), taint)] : [])]
  })
}

function validateTaint({ key = '', value = '', effect }: Taint, path: FieldPath): readonly FieldError[] {
  const errors = validateLabelKey(key, path.child('key'))
  const findings = isValidLabelValue(value)
  if (findings.length > 0) errors.push(invalidValue(path.child('value'), value, findings.join(';')))
  if (!effect) errors.push(required(path.child('effect')))
  else if (!EFFECTS.includes(effect)) errors.push(notSupported(path.child('effect'), effect, EFFECTS))
  return errors
}

function duplicateTaint(path: FieldPath, taint: Taint): FieldError {
  const { message, ...error } = duplicate(path, taint)
  return { ...error, message: `${message}: taints must be unique by key and effect pair` }
}

function resourceErrors({ status }: Node): readonly FieldError[] {
  const path = new FieldPath('status')
  return [
    ...resourceListErrors(status?.capacity, (name) => path.child('capacity', name)),
    ...resourceListErrors(status?.allocatable, (name) => path.child('allocatable', name)),
  ]
}

const podCidrsPath = new FieldPath('spec.podCIDRs')

function podCidrErrors({ spec }: Node): readonly FieldError[] {
  const cidrs = spec?.podCIDRs ?? []
  const errors = cidrs.flatMap((cidr, index) => cidrErrors(podCidrsPath.index(index), cidr))
  if (errors.length > 0 || cidrs.length < 2) return errors
  const families = new Set(cidrs.map((cidr) => parseCidr(cidr)?.family))
  if (families.size !== cidrs.length)
    errors.push(invalidValue(podCidrsPath, cidrs, 'may specify no more than one CIDR for each IP family'))
  return errors
}

function validateUpdate(object: Node, previous: Node): readonly FieldError[] {
  const errors = [...taintErrors(object), ...duplicateAddresses(object.status?.addresses ?? [])]
  const [spec, before] = [object.spec ?? {}, previous.spec ?? {}]
  if ((before.podCIDRs ?? []).length > 0 && !deepEqual(spec.podCIDRs, before.podCIDRs))
    errors.push(forbidden(podCidrsPath, 'node updates may not change podCIDR except from "" to valid'))
  if (before.providerID && before.providerID !== spec.providerID)
    errors.push(
      forbidden(new FieldPath('spec.providerID'), 'node updates may not change providerID except from "" to valid'),
    )
  if ((before.externalID ?? '') !== (spec.externalID ?? ''))
    errors.push(forbidden(new FieldPath('spec.externalID'), 'may not be updated'))
  return errors
}

function duplicateAddresses(addresses: readonly NodeAddress[]): FieldError[] {
  const seen = new Set<string>()
  return addresses.flatMap((address, index) => {
    const key = `${address.type} ${address.address}`
    const repeated = seen.has(key)
    seen.add(key)
    return repeated ? [duplicate(new FieldPath('status.addresses').index(index), address)] : []
  })
}

function statusText({ spec, status }: Node): string {
  const ready = findCondition(status?.conditions, 'Ready')
  const text = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return spec?.unschedulable ? `${text},SchedulingDisabled` : text
}

const ROLE_PREFIX = 'node-role.kubernetes.io/'

function rolesText({ metadata }: Node): string {
  const labels = Object.entries(metadata.labels ?? {})
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return [key.slice(ROLE_PREFIX.length)]
    return key === 'kubernetes.io/role' ? [value] : []
  })
  const named = roles.filter((role) => role !== '')
  return [...new Set(named)].sort().join(',') || NONE
}

function addressOf({ status }: Node, type: string): string {
  return status?.addresses?.find((address) => address.type === type)?.address ?? NONE
}

/** Region and zone as one text: the same text is the same zone. Nodes that name neither share one. */
export function zoneOf({ metadata: { labels = {} } }: Node): string {
  return `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`
}
