/** Bindings of admission policies, validating and mutating: where a policy applies, and with what parameters. */

import {
  duplicate,
  type FieldError,
  FieldPath,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField } from '../field-defaults.ts'
import { dnsSubdomainErrors } from '../field-rules.ts'
import { bumpGeneration, startGeneration } from '../strategy-parts.ts'
import { defaultMatchResources, matchResourcesErrors, paramRefErrors, paramRefText } from './match-resources.ts'
import { mutatingOperationErrors } from './rules.ts'
import { staticNameWarnings } from './static-names.ts'
import type {
  MutatingAdmissionPolicyBinding,
  MutatingAdmissionPolicyBindingSpec,
  ValidatingAdmissionPolicyBinding,
} from './types.gen.ts'

const ACTIONS = ['Audit', 'Deny', 'Warn']
const specPath = new FieldPath('spec')

const columns = [
  nameColumn,
  textColumn('PolicyName', ({ spec }: MutatingAdmissionPolicyBinding) => spec.policyName ?? ''),
  textColumn('ParamRef', ({ spec }: MutatingAdmissionPolicyBinding) => paramRefText(spec.paramRef)),
  ageColumn,
]

export const validatingAdmissionPolicyBindings = defineResource<ValidatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'ValidatingAdmissionPolicyBinding',
  resource: 'validatingadmissionpolicybindings',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: builtinSchema('admissionregistration.v1.ValidatingAdmissionPolicyBinding'),
  default: (object) => ({ ...object, spec: mapField(object.spec ?? {}, 'matchResources', defaultMatchResources) }),
  prepareForCreate: startGeneration,
  prepareForUpdate: (object, previous) => bumpGeneration(object, previous),
  validate: ({ spec }) => [
    ...bindingErrors(spec),
    ...actionErrors(specPath.child('validationActions'), spec.validationActions),
  ],
  warnings: staticNameWarnings,
  unconditionalUpdate: false,
  columns,
})

export const mutatingAdmissionPolicyBindings = defineResource<MutatingAdmissionPolicyBinding>({
  group: 'admissionregistration.k8s.io',
  version: 'v1',
  kind: 'MutatingAdmissionPolicyBinding',
  resource: 'mutatingadmissionpolicybindings',
  categories: ['api-extensions'],
  scope: 'Cluster',
  schema: builtinSchema('admissionregistration.v1.MutatingAdmissionPolicyBinding'),
  default: (object) => ({ ...object, spec: mapField(object.spec ?? {}, 'matchResources', defaultMatchResources) }),
  prepareForCreate: startGeneration,
  prepareForUpdate: (object, previous) => bumpGeneration(object, previous),
  validate: ({ spec }) => [
    ...bindingErrors(spec),
    ...mutatingOperationErrors(specPath.child('matchResources', 'resourceRules'), spec.matchResources?.resourceRules),
  ],
  warnings: staticNameWarnings,
  unconditionalUpdate: false,
  columns,
})

function bindingErrors(spec: MutatingAdmissionPolicyBindingSpec): readonly FieldError[] {
  const namePath = specPath.child('policyName')
  return [
    ...(spec.policyName ? dnsSubdomainErrors(namePath, spec.policyName) : [required(namePath)]),
    ...paramRefErrors(specPath.child('paramRef'), spec.paramRef),
    ...matchResourcesErrors(specPath.child('matchResources'), spec.matchResources),
  ]
}

function actionErrors(path: FieldPath, actions: readonly string[] | undefined = []): readonly FieldError[] {
  const exclusive =
    'must not contain both Deny and Warn (repeating the same validation failure information in the API response ' +
    'and headers serves no purpose)'
  return [
    ...actions.flatMap((action, index) => [
      ...(ACTIONS.includes(action) ? [] : [notSupported(path.index(index), action, ACTIONS)]),
      ...(actions.indexOf(action) < index ? [duplicate(path.index(index), action)] : []),
    ]),
    ...(actions.includes('Deny') && actions.includes('Warn') ? [invalidValue(path, actions, exclusive)] : []),
    ...(actions.length === 0 ? [required(path, 'at least one validation action is required')] : []),
  ]
}
