/** ServiceCIDRs: the ranges that cluster IPs come from. A second family may be added, nothing else changes. */

import { deepEqual } from '../../base/deep-equal.ts'
import { parseCidr } from '../../base/ip.ts'
import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { cidrErrors } from '../field-rules.ts'
import { keepSpec, keepStatus, withoutStatus } from '../strategy-parts.ts'
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
  status: {
    prepareForUpdate: (object, previous) => ({ ...keepSpec(object, previous), metadata: previous.metadata }),
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
  const errors = cidrs.flatMap((cidr, index) => cidrErrors(path.index(index), cidr))
  if (errors.length > 0 || cidrs.length < 2) return errors
  const families = new Set(cidrs.map((cidr) => parseCidr(cidr)?.family))
  if (families.size === 2) return []
  return [
    invalidValue(
      path,
      spec,
      'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96',
    ),
  ]
}

function validateUpdate({ spec }: ServiceCIDR, previous: ServiceCIDR): readonly FieldError[] {
  const [now, before] = [spec.cidrs ?? [], previous.spec.cidrs ?? []]
  if (deepEqual(now, before)) return []
  const grows = before.length === 1 && now.length === 2
  if (!grows) return [invalidValue(path, now, 'field is immutable')]
  return now[0] === before[0] ? [] : [invalidValue(path.index(0), now[0], 'field is immutable')]
}
