/** The status that a definition should have: decided anew from the definition and all others, whenever one changes. */

import { deepEqual } from '../../base/deep-equal.ts'
import { isConditionTrue, removeCondition } from '../../machinery/meta/conditions.ts'
import { FieldPath, fieldErrorsText, invalidValue } from '../../machinery/meta/field-error.ts'
import { acceptNames } from './accepted-names.ts'
import { approvalOf } from './api-approval.ts'
import { withDefinitionCondition } from './custom-resource-definition.ts'
import { structuralErrors, unsupportedKeyword } from './structural.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionCondition } from './types.gen.ts'
import { isValidBundle } from './validate-conversion.ts'

/** The same object when its status is what it should be. */
export function withCurrentStatus(
  object: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
  nowText: string,
): CustomResourceDefinition {
  const named = withNames(object, others, nowText)
  const approved = withCondition(named, 'KubernetesAPIApprovalPolicyConformant', approvalCondition(named), nowText)
  const structural = withCondition(approved, 'NonStructuralSchema', structureCondition(approved), nowText)
  return deepEqual(structural.status, object.status) ? object : structural
}

/** Names are accepted, so that the resource can be served. */
export function isServable({ status }: CustomResourceDefinition): boolean {
  const conditions = status?.conditions ?? []
  return isConditionTrue(conditions, 'NamesAccepted') || isConditionTrue(conditions, 'Established')
}

export function isTerminating({ status }: CustomResourceDefinition): boolean {
  return isConditionTrue(status?.conditions ?? [], 'Terminating')
}

function withNames(
  object: CustomResourceDefinition,
  others: Iterable<CustomResourceDefinition>,
  nowText: string,
): CustomResourceDefinition {
  const { acceptedNames, condition } = acceptNames(object, others)
  const named = withDefinitionCondition({ ...object, status: { ...object.status, acceptedNames } }, condition, nowText)
  const conditions = named.status?.conditions ?? []
  if (isConditionTrue(conditions, 'Established')) return named
  return withDefinitionCondition(named, establishedCondition(named, condition.status === 'True'), nowText)
}

function establishedCondition(
  { spec }: CustomResourceDefinition,
  namesAccepted: boolean,
): CustomResourceDefinitionCondition {
  const type = 'Established'
  if (!namesAccepted) return { type, status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
  if (!isValidBundle(spec.conversion?.webhook?.clientConfig?.caBundle ?? '')) {
    const message = 'The conversion webhook CABundle is invalid'
    return { type, status: 'False', reason: 'InvalidCABundle', message }
  }
  const message = 'the initial names have been accepted'
  return { type, status: 'True', reason: 'InitialNamesAccepted', message }
}

function withCondition(
  object: CustomResourceDefinition,
  type: string,
  condition: Omit<CustomResourceDefinitionCondition, 'type'> | undefined,
  nowText: string,
): CustomResourceDefinition {
  if (condition !== undefined) return withDefinitionCondition(object, { type, ...condition }, nowText)
  return { ...object, status: { ...object.status, conditions: removeCondition(object.status?.conditions ?? [], type) } }
}

const APPROVAL_REASONS = {
  approved: 'ApprovedAnnotation',
  bypassed: 'UnapprovedAnnotation',
  missing: 'MissingAnnotation',
  invalid: 'InvalidAnnotation',
} as const

function approvalCondition(object: CustomResourceDefinition) {
  const approval = approvalOf(object)
  if (approval === undefined) return undefined
  const { state, reason: message } = approval
  return { status: state === 'approved' ? 'True' : 'False', reason: APPROVAL_REASONS[state], message }
}

function structureCondition({ spec }: CustomResourceDefinition) {
  const errors = spec.preserveUnknownFields
    ? [invalidValue(new FieldPath('spec.preserveUnknownFields'), true, 'must be false')]
    : []
  for (const [index, { name, schema }] of spec.versions.entries()) {
    if (schema?.openAPIV3Schema === undefined) continue
    const unsupported = unsupportedKeyword(schema.openAPIV3Schema)
    if (unsupported !== undefined) {
      const message = `failed to check validation schema for version ${name}: ${unsupported}`
      return { status: 'Unknown', reason: 'StructuralError', message }
    }
    const path = new FieldPath('spec.versions').index(index).child('schema', 'openAPIV3Schema')
    errors.push(...structuralErrors(schema.openAPIV3Schema, path))
  }
  if (errors.length === 0) return undefined
  return { status: 'True', reason: 'Violations', message: fieldErrorsText(errors) }
}
