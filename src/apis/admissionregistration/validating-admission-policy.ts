/** ValidatingAdmissionPolicies: expressions that decide whether a request may pass. Bindings put them to work. */

import { duplicate, type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, integerColumn, nameColumn, textColumn } from '../columns.ts'
import { conditionsErrors } from '../condition-rules.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { changedSpec, newSpec, statusOnly } from '../strategy-parts.ts'
import { type PolicyExpressions, policyExpressions } from './expressions.ts'
import { matchConditionsErrors } from './match-conditions.ts'
import {
  defaultMatchResources,
  failurePolicyErrors,
  matchConstraintsErrors,
  paramKindErrors,
  paramKindText,
} from './match-resources.ts'
import { auditAnnotationErrors, validationErrors, variablesErrors } from './policy-rules.ts'
import { staticNameWarnings } from './static-names.ts'
import type { ValidatingAdmissionPolicy, ValidatingAdmissionPolicySpec } from './types.gen.ts'

const AUDIT_ANNOTATIONS_MAX = 20
const NOTHING_TO_DO = 'validations or auditAnnotations must contain at least one item'

export const validatingAdmissionPolicies = defineResource<ValidatingAdmissionPolicy>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicy',
  resource: 'validatingadmissionpolicies',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: builtinSchema('admissionregistration.v1.ValidatingAdmissionPolicy'),
  default: (object) => ({ ...object, spec: defaultSpec(object.spec ?? {}) }),
  prepareForCreate: newSpec,
  prepareForUpdate: changedSpec,
  validate: validatePolicy,
  warnings: staticNameWarnings,
  unconditionalUpdate: false,
  status: { prepareForUpdate: statusOnly, validateUpdate: validateStatus },
  resetFields: { '': [['status']], status: [['spec'], ['metadata']] },
  columns: [
    nameColumn,
    integerColumn('Validations', ({ spec }: ValidatingAdmissionPolicy) => spec.validations?.length ?? 0),
    textColumn('ParamKind', ({ spec }: ValidatingAdmissionPolicy) => paramKindText(spec.paramKind)),
    ageColumn,
  ],
})

function defaultSpec(spec: ValidatingAdmissionPolicySpec): ValidatingAdmissionPolicySpec {
  return withAbsent(mapField(spec, 'matchConstraints', defaultMatchResources), { failurePolicy: 'Fail' })
}

function validatePolicy({ metadata, spec }: ValidatingAdmissionPolicy): readonly FieldError[] {
  const path = new FieldPath('spec')
  const hasParams = spec.paramKind !== undefined
  const expressions = policyExpressions(hasParams, (spec.variables ?? []).length > 0)
  return [
    ...failurePolicyErrors(path.child('failurePolicy'), spec.failurePolicy),
    ...paramKindErrors(path.child('paramKind'), spec.paramKind),
    ...matchConstraintsErrors(path.child('matchConstraints'), spec.matchConstraints),
    ...matchConditionsErrors(path.child('matchConditions'), spec.matchConditions, hasParams),
    ...variablesErrors(path.child('variables'), spec.variables, expressions),
    ...workErrors(path, metadata.name ?? '', spec, expressions),
  ]
}

function workErrors(
  path: FieldPath,
  name: string,
  spec: ValidatingAdmissionPolicySpec,
  expressions: PolicyExpressions,
): readonly FieldError[] {
  const { validations = [], auditAnnotations = [] } = spec
  const validationsPath = path.child('validations')
  const annotationsPath = path.child('auditAnnotations')
  if (validations.length === 0 && auditAnnotations.length === 0)
    return [required(validationsPath, NOTHING_TO_DO), required(annotationsPath, NOTHING_TO_DO)]
  const keys = auditAnnotations.map(({ key }) => key)
  const hasParams = spec.paramKind !== undefined
  const expression = expressions.rule({ hasParams, hasAuthorizer: true })
  const rules = { expression, message: expressions.rule({ hasParams }) }
  const tooMany = `must not have more than ${AUDIT_ANNOTATIONS_MAX} auditAnnotations`
  return [
    ...validations.flatMap((validation, index) => validationErrors(validationsPath.index(index), validation, rules)),
    ...(auditAnnotations.length > AUDIT_ANNOTATIONS_MAX
      ? [invalidValue(annotationsPath, auditAnnotations, tooMany)]
      : []),
    ...auditAnnotations.flatMap((annotation, index) => [
      ...auditAnnotationErrors(annotationsPath.index(index), name, annotation, expression),
      ...(keys.indexOf(annotation.key) < index
        ? [duplicate(annotationsPath.index(index).child('key'), annotation.key)]
        : []),
    ]),
  ]
}

function validateStatus({ status }: ValidatingAdmissionPolicy): readonly FieldError[] {
  const path = new FieldPath('status')
  const warnings = status?.typeChecking?.expressionWarnings ?? []
  return [
    ...warnings.flatMap(({ fieldRef = '', warning = '' }, index) => {
      const place = path.child('typeChecking', 'expressionWarnings').index(index)
      return [
        ...(warning === '' ? [required(place.child('warning'))] : []),
        ...fieldReferenceErrors(place.child('fieldRef'), fieldRef.trim()),
      ]
    }),
    ...conditionsErrors(path.child('conditions'), status?.conditions),
  ]
}

/** Names of fields and positions in lists: what the checker of types writes. */
function fieldReferenceErrors(path: FieldPath, reference: string): readonly FieldError[] {
  if (reference === '') return [required(path)]
  const unclosed = /\[[^\]]*$/.test(reference)
  return unclosed ? [invalidValue(path, reference, 'invalid JSONPath: unterminated array')] : []
}
