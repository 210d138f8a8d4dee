/** PodDisruptionBudgets: how many pods of a kind must stay, or may go, when pods are evicted on purpose. */

import { type FieldError, FieldPath, invalidValue, notSupported } from '../../machinery/meta/field-error.ts'
import {
  intOrStringText,
  validateAtMostHundredPercent,
  validateNonNegativeIntOrPercent,
} from '../../machinery/meta/int-or-string.ts'
import { validateLabelSelector } from '../../machinery/meta/labels.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, integerColumn, nameColumn, textColumn } from '../columns.ts'
import { conditionsErrors } from '../condition-rules.ts'
import { defineResource } from '../define-resource.ts'
import { nonNegative } from '../field-rules.ts'
import { changedSpec, keepSpec, newSpec } from '../strategy-parts.ts'
import type { PodDisruptionBudget } from './types.gen.ts'

const EVICTION_POLICIES = ['AlwaysAllow', 'IfHealthyBudget']

export const podDisruptionBudgets = defineResource<PodDisruptionBudget>({
  group: 'policy',
  version: 'v1',
  kind: 'PodDisruptionBudget',
  resource: 'poddisruptionbudgets',
  shortNames: ['pdb'],
  scope: 'Namespaced',
  schema: builtinSchema('policy.v1.PodDisruptionBudget'),
  default: (object) => ({ ...object, spec: object.spec ?? {} }),
  prepareForCreate: newSpec,
  prepareForUpdate: changedSpec,
  validate: validateBudget,
  unconditionalUpdate: false,
  status: { prepareForUpdate: keepSpec, validateUpdate: validateStatus },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    textColumn('Min Available', ({ spec }: PodDisruptionBudget) => boundText(spec.minAvailable)),
    textColumn('Max Unavailable', ({ spec }: PodDisruptionBudget) => boundText(spec.maxUnavailable)),
    integerColumn('Allowed Disruptions', ({ status }: PodDisruptionBudget) => status?.disruptionsAllowed ?? 0),
    ageColumn,
  ],
})

function boundText(bound: number | string | undefined): string {
  return bound === undefined ? 'N/A' : intOrStringText(bound)
}

const specPath = new FieldPath('spec')

function validateBudget({ spec }: PodDisruptionBudget): readonly FieldError[] {
  const { minAvailable, maxUnavailable, unhealthyPodEvictionPolicy: policy } = spec
  const errors: FieldError[] = []
  if (minAvailable !== undefined && maxUnavailable !== undefined)
    errors.push(invalidValue(specPath, spec, 'minAvailable and maxUnavailable cannot be both set'))
  if (minAvailable !== undefined) errors.push(...boundErrors(minAvailable, specPath.child('minAvailable')))
  if (maxUnavailable !== undefined) errors.push(...boundErrors(maxUnavailable, specPath.child('maxUnavailable')))
  errors.push(...validateLabelSelector(spec.selector, specPath.child('selector')))
  if (policy !== undefined && !EVICTION_POLICIES.includes(policy))
    errors.push(notSupported(specPath.child('unhealthyPodEvictionPolicy'), policy, EVICTION_POLICIES))
  return errors
}

function boundErrors(bound: number | string, path: FieldPath): readonly FieldError[] {
  return [...validateNonNegativeIntOrPercent(bound, path), ...validateAtMostHundredPercent(bound, path)]
}

const COUNTS = ['disruptionsAllowed', 'currentHealthy', 'desiredHealthy', 'expectedPods'] as const

function validateStatus({ status }: PodDisruptionBudget): readonly FieldError[] {
  const path = new FieldPath('status')
  return [
    ...conditionsErrors(path.child('conditions'), status?.conditions),
    ...COUNTS.flatMap((field) => nonNegative(path.child(field), status?.[field])),
  ]
}
