/** MutatingAdmissionPolicies: expressions that change what a request writes. Bindings put them to work. */

import { type FieldError, FieldPath, required } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, integerColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { oneOf } from '../field-rules.ts'
import { bumpGeneration, startGeneration } from '../strategy-parts.ts'
import { policyExpressions } from './expressions.ts'
import { matchConditionsErrors } from './match-conditions.ts'
import {
  defaultMatchResources,
  failurePolicyErrors,
  matchConstraintsErrors,
  paramKindErrors,
  paramKindText,
  REINVOCATION_POLICIES,
} from './match-resources.ts'
import { mutationErrors, variablesErrors } from './policy-rules.ts'
import { mutatingOperationErrors } from './rules.ts'
import { staticNameWarnings } from './static-names.ts'
import type { MutatingAdmissionPolicy, MutatingAdmissionPolicySpec } from './types.gen.ts'

export const mutatingAdmissionPolicies = defineResource<MutatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicy',
  resource: 'mutatingadmissionpolicies',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: builtinSchema('admissionregistration.v1.MutatingAdmissionPolicy'),
  default: (object) => ({ ...object, spec: defaultSpec(object.spec ?? {}) }),
  prepareForCreate: startGeneration,
  prepareForUpdate: (object, previous) => bumpGeneration(object, previous),
  validate: validatePolicy,
  warnings: staticNameWarnings,
  unconditionalUpdate: false,
  columns: [
    nameColumn,
    integerColumn('Mutations', ({ spec }: MutatingAdmissionPolicy) => spec.mutations?.length ?? 0),
    textColumn('ParamKind', ({ spec }: MutatingAdmissionPolicy) => paramKindText(spec.paramKind)),
    ageColumn,
  ],
})

function defaultSpec(spec: MutatingAdmissionPolicySpec): MutatingAdmissionPolicySpec {
  return withAbsent(mapField(spec, 'matchConstraints', defaultMatchResources), { failurePolicy: 'Fail' })
}

function validatePolicy({ spec }: MutatingAdmissionPolicy): readonly FieldError[] {
  const path = new FieldPath('spec')
  const mutationsPath = path.child('mutations')
  const { matchConstraints, mutations = [] } = spec
  const hasParams = spec.paramKind !== undefined
  const expressions = policyExpressions(hasParams, true)
  const rule = expressions.rule({ hasParams, hasAuthorizer: true, hasPatchTypes: true })
  return [
    ...failurePolicyErrors(path.child('failurePolicy'), spec.failurePolicy),
    ...paramKindErrors(path.child('paramKind'), spec.paramKind),
    ...matchConstraintsErrors(path.child('matchConstraints'), matchConstraints),
    ...mutatingOperationErrors(path.child('matchConstraints', 'resourceRules'), matchConstraints?.resourceRules),
    ...matchConditionsErrors(path.child('matchConditions'), spec.matchConditions, hasParams),
    ...variablesErrors(path.child('variables'), spec.variables, expressions),
    ...(mutations.length === 0 ? [required(mutationsPath, 'mutations must contain at least one item')] : []),
    ...mutations.flatMap((mutation, index) => mutationErrors(mutationsPath.index(index), mutation, rule)),
    ...oneOf(path.child('reinvocationPolicy'), spec.reinvocationPolicy, REINVOCATION_POLICIES),
  ]
}
