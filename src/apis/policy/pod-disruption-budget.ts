/** PodDisruptionBudgets: how many pods of an application may be away at once because somebody wants it so. */

import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { validateAtMostHundredPercent, validateNonNegativeIntOrPercent } from '../../machinery/meta/int-or-string.ts'
import { validateLabelSelector } from '../../machinery/meta/labels.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, integerColumn, nameColumn, textColumn } from '../columns.ts'
import { changedSpec, keepSpec, newSpec } from '../defaults.ts'
import { defineResource } from '../define-resource.ts'
import { nonNegative, oneOf } from '../field-rules.ts'
import type { PodDisruptionBudget } from './types.gen.ts'

const NOT_APPLICABLE = 'N/A'
const specPath = new FieldPath('spec')
const statusPath = new FieldPath('status')

export const podDisruptionBudgets = defineResource<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  resource: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  scope: 'Namespaced',
  schema: builtinSchema('policy.v1.PodDisruptionBudget'),
  prepareForCreate: newSpec,
  prepareForUpdate: changedSpec,
  validate: validateBudget,
  unconditionalUpdate: false,
  status: { prepareForUpdate: keepSpec, validateUpdate: statusErrors },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    textColumn('Min Available', ({ spec }: PodDisruptionBudget) => String(spec?.minAvailable ?? NOT_APPLICABLE)),
    textColumn('Max Unavailable', ({ spec }: PodDisruptionBudget) => String(spec?.maxUnavailable ?? NOT_APPLICABLE)),
    integerColumn('Allowed Disruptions', ({ status }: PodDisruptionBudget) => status?.disruptionsAllowed ?? 0),
    ageColumn,
  ],
})

const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const
const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget'] as const

function validateBudget({ spec }: PodDisruptionBudget): readonly FieldError[] {
  const { minAvailable, maxUnavailable, selector, unhealthyPodEvictionPolicy } = spec
  const both = minAvailable !== undefined && maxUnavailable !== undefined
  return [
    ...(both ? [invalidValue(specPath, spec, 'minAvailable and maxUnavailable cannot be both set')] : []),
    ...amountErrors('minAvailable', minAvailable),
    ...amountErrors('maxUnavailable', maxUnavailable),
    ...validateLabelSelector(selector, specPath.child('selector')),
    ...oneOf(specPath.child('unhealthyPodEvictionPolicy'), unhealthyPodEvictionPolicy, EVICTION_POLICIES),
  ]
}

function amountErrors(field: string, value: number | string | undefined): readonly FieldError[] {
  if (value === undefined) return []
  const path = specPath.child(field)
  return [...validateNonNegativeIntOrPercent(value, path), ...validateAtMostHundredPercent(value, path)]
}

function statusErrors({ status }: PodDisruptionBudget): readonly FieldError[] {
  return COUNTS.flatMap((field) => nonNegative(statusPath.child(field), status?.[field]))
}
