/** What an access review says about selectors, as limits of what is asked for. */

import type { FieldSelectorAttributes, LabelSelectorAttributes } from '../../apis/authorization/types.gen.ts'
import { rootPath } from '../../machinery/meta/field-error.ts'
import type { FieldRequirement } from '../../machinery/meta/fields.ts'
import { type Requirement, validateLabelSelector } from '../../machinery/meta/labels.ts'
import { fieldLimits, type Limits, labelLimits } from './authorizer.ts'

export function reviewedFields(selector: FieldSelectorAttributes | undefined): Limits<FieldRequirement> | undefined {
  const { rawSelector, requirements = [] } = selector ?? {}
  if (requirements.length === 0) return fieldLimits(rawSelector)
  const read = requirements.flatMap(({ key, operator, values = [] }): readonly FieldRequirement[] => {
    const [value, ...others] = values
    if (value === undefined || others.length > 0) return []
    if (operator === 'In') return [{ field: key, operator: '=', value }]
    return operator === 'NotIn' ? [{ field: key, operator: '!=', value }] : []
  })
  return { requirements: read, unread: read.length < requirements.length }
}

const LABEL_OPERATORS: ReadonlyMap<string, Requirement['operator']> = new Map([
  ['In', 'in'],
  ['NotIn', 'notin'],
  ['Exists', 'exists'],
  ['DoesNotExist', '!'],
])

export function reviewedLabels(selector: LabelSelectorAttributes | undefined): Limits<Requirement> | undefined {
  const { rawSelector, requirements = [] } = selector ?? {}
  if (requirements.length === 0) return labelLimits(rawSelector)
  const read = requirements.flatMap((requirement): readonly Requirement[] => {
    const operator = LABEL_OPERATORS.get(requirement.operator)
    const valid = validateLabelSelector({ matchExpressions: [requirement] }, rootPath).length === 0
    return operator && valid ? [{ key: requirement.key, operator, values: requirement.values ?? [] }] : []
  })
  return { requirements: read, unread: read.length < requirements.length }
}
