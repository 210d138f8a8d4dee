/** ResourceClaims: devices that somebody asks for, and which ones were given. */

import { type FieldError, FieldPath } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, mapItems } from '../field-defaults.ts'
import { immutable, keepStatus, statusOnly, withoutStatus } from '../strategy-parts.ts'
import { claimStatusErrors, deviceKey } from './allocation-rules.ts'
import { deviceClaimErrors, requestNames } from './claim-rules.ts'
import { defaultClaimSpec, defaultTolerations } from './device-demands.ts'
import type { AllocationResult, ResourceClaim } from './types.gen.ts'

export const resourceClaims = defineResource<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  resource: 'resourceclaims',
  scope: 'Namespaced',
  schema: builtinSchema('resource.v1.ResourceClaim'),
  default: defaultClaim,
  prepareForCreate: withoutStatus,
  prepareForUpdate: keepStatus,
  validate: ({ spec }) => deviceClaimErrors(new FieldPath('spec').child('devices'), spec.devices ?? {}),
  validateUpdate: (object, previous) => immutable('spec', object.spec, previous.spec),
  // What was stored was valid, and nothing of it changes.
  ratchets: true,
  status: { prepareForUpdate: prepareStatus, validateUpdate: validateStatus },
  resetFields: { '': [['status']], status: [['metadata'], ['spec']] },
  deletion: { returns: 'object' },
  columns: [nameColumn, textColumn('State', stateText), ageColumn],
})

function defaultClaim(object: ResourceClaim): ResourceClaim {
  const claim = { ...object, spec: defaultClaimSpec(object.spec ?? {}) }
  return mapField(claim, 'status', (status) => mapField(status, 'allocation', defaultAllocation))
}

function defaultAllocation(allocation: AllocationResult): AllocationResult {
  return mapField(allocation, 'devices', (devices) =>
    mapField(devices, 'results', (results) =>
      mapItems(results, (result) => mapField(result, 'tolerations', defaultTolerations)),
    ),
  )
}

/** What drivers say of devices that are no longer allocated goes with the allocation. */
function prepareStatus(object: ResourceClaim, previous: ResourceClaim): ResourceClaim {
  const claim = statusOnly(object, previous)
  const devices = claim.status?.devices
  if (devices === undefined) return claim
  const kept = new Set(allocated(claim))
  const gone = new Set(allocated(previous).filter((key) => !kept.has(key)))
  const remaining = devices.filter((device) => !gone.has(deviceKey(device)))
  if (remaining.length === devices.length) return claim
  return { ...claim, status: { ...claim.status, devices: remaining.length === 0 ? undefined : remaining } }
}

function allocated({ status }: ResourceClaim): readonly string[] {
  return (status?.allocation?.devices?.results ?? []).map(deviceKey)
}

function validateStatus(object: ResourceClaim, previous: ResourceClaim): readonly FieldError[] {
  const deleted = Boolean(object.metadata.deletionTimestamp)
  const names = requestNames(object.spec.devices ?? {})
  return claimStatusErrors(new FieldPath('status'), object.status ?? {}, previous.status ?? {}, names, deleted)
}

function stateText({ metadata, status }: ResourceClaim): string {
  const deleted = metadata.deletionTimestamp ? ['deleted'] : []
  if (status?.allocation === undefined) return deleted[0] ?? 'pending'
  const reserved = (status.reservedFor ?? []).length > 0 ? ['reserved'] : []
  return [...deleted, 'allocated', ...reserved].join(',')
}
