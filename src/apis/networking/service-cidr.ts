/** ServiceCIDRs: the ranges that cluster IPs come from. A second family may be added, nothing else changes. */

import { parseCidr } from '../../base/ip.ts'
import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { canonicalCidrErrors } from '../field-rules.ts'
import { keepMetadata, keepSpec, keepStatus, withoutStatus } from '../strategy-parts.ts'
import type { ServiceCIDR } from './types.gen.ts'

export const serviceCidrs = defineResource<ServiceCIDR>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'ServiceCIDR',
  resource: 'servicecidrs',
  scope: 'Cluster',
  schema: builtinSchema('networking.v1.ServiceCIDR'),
  default: (object) => ({ ...object, spec: object.spec ?? {} }),
  prepareForCreate: withoutStatus,
  prepareForUpdate: keepStatus,
  validate: validateServiceCidr,
  validateUpdate,
  ratchets: true,
  status: {
    prepareForUpdate: (object, previous) => keepMetadata(keepSpec(object, previous), previous),
    validateUpdate: () => [],
  },
  resetFields: { '': [['status']], status: [['metadata'], ['spec']] },
  columns: [nameColumn, textColumn('CIDRs', ({ spec }: ServiceCIDR) => (spec.cidrs ?? []).join(',')), ageColumn],
})

const path = new FieldPath('spec.cidrs')

function validateServiceCidr({ spec }: ServiceCIDR): readonly FieldError[] {
  const { cidrs = [] } = spec
  if (cidrs.length === 0) return [required(path, 'at least one CIDR required')]
  if (cidrs.length > 2) return [invalidValue(path, spec, 'may only hold up to 2 values')]
  const errors = cidrs.flatMap((cidr, index) => canonicalCidrErrors(path.index(index), cidr))
  const [first, second] = cidrs.map((cidr) => parseCidr(cidr)?.family)
  if (cidrs.length < 2 || first === undefined || first !== second) return errors
  const detail = 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'
  return [...errors, invalidValue(path, cidrs, detail)]
}

const IMMUTABLE = 'field is immutable'

function validateUpdate({ spec }: ServiceCIDR, previous: ServiceCIDR): readonly FieldError[] {
  const [now, before] = [spec.cidrs ?? [], previous.spec.cidrs ?? []]
  const grows = before.length === 1 && now.length === 2
  if (!grows && now.length !== before.length) return [invalidValue(path, spec.cidrs, IMMUTABLE)]
  const changes = before.flatMap((cidr, index) =>
    cidr === now[index] ? [] : [invalidValue(path.index(index), now[index], IMMUTABLE)],
  )
  return grows ? [...changes, ...validateServiceCidr({ ...previous, spec })] : changes
}
