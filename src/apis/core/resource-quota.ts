/** ResourceQuotas: how much of what a namespace may use, perhaps counting only some of its objects. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { canonicalQuantity } from '../../machinery/meta/quantity.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { keepSpec, keepStatus, withoutStatus } from '../strategy-parts.ts'
import { isStandardQuotaResource, quantityErrors, quotaResourceNameErrors } from './resource-names.ts'
import type { ResourceQuota, ResourceQuotaSpec, ScopedResourceSelectorRequirement } from './types.gen.ts'

export const resourceQuotas = defineResource<ResourceQuota>({
  group: '',
  version: 'v1',
  kind: 'ResourceQuota',
  resource: 'resourcequotas',
  shortNames: ['quota'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.ResourceQuota'),
  default: (object) => ({ ...object, spec: object.spec ?? {} }),
  prepareForCreate: withoutStatus,
  prepareForUpdate: keepStatus,
  validate: validateQuota,
  validateUpdate: ({ spec }, previous) => {
    const same = deepEqual([...(spec.scopes ?? [])].sort(), [...(previous.spec.scopes ?? [])].sort())
    return same ? [] : [invalidValue(new FieldPath('spec.scopes'), spec.scopes, 'field is immutable')]
  },
  deletion: { returns: 'object' },
  status: { prepareForUpdate: keepSpec, validateUpdate: validateStatus },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    textColumn('Request', (object: ResourceQuota) => usageText(object, (name) => !name.startsWith('limits.'))),
    textColumn('Limit', (object: ResourceQuota) => usageText(object, (name) => name.startsWith('limits.'))),
    ageColumn,
  ],
})

/** `cpu: 1/2, pods: 3/10`, sorted by name. */
function usageText({ status }: ResourceQuota, isShown: (name: string) => boolean): string {
  const { hard = {}, used = {} } = status ?? {}
  const names = Object.keys(hard).filter(isShown).sort()
  return names
    .map((name) => `${name}: ${canonicalQuantity(used[name] ?? '0')}/${canonicalQuantity(hard[name] ?? '0')}`)
    .join(', ')
}

const specPath = new FieldPath('spec')

function validateQuota({ spec }: ResourceQuota): readonly FieldError[] {
  return [
    ...listErrors(spec.hard, specPath.child('hard')),
    ...scopesErrors(spec),
    ...(spec.scopeSelector?.matchExpressions ?? []).flatMap((requirement) => requirementErrors(requirement, spec)),
    ...conflictErrors(
      (spec.scopeSelector?.matchExpressions ?? []).map(({ scopeName }) => scopeName),
      spec,
    ),
  ]
}

function listErrors(list: Readonly<Record<string, string>> | undefined, path: FieldPath): readonly FieldError[] {
  return Object.entries(list ?? {}).flatMap(([name, text]) => [
    ...quotaResourceNameErrors(path.key(name), name),
    ...quantityErrors(path.key(name), name, text),
  ])
}

const COMPUTE = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
const PODS = ['pods']

/** Which standard resources each scope can narrow. */
const SCOPES: ReadonlyMap<string, readonly string[]> = new Map([
  ['BestEffort', PODS],
  ['CrossNamespacePodAffinity', [...PODS, ...COMPUTE]],
  ['NotBestEffort', [...PODS, ...COMPUTE]],
  ['NotTerminating', [...PODS, ...COMPUTE]],
  ['PriorityClass', [...PODS, ...COMPUTE]],
  ['Terminating', [...PODS, ...COMPUTE]],
  ['VolumeAttributesClass', ['persistentvolumeclaims', 'requests.storage']],
])

function scopesErrors(spec: ResourceQuotaSpec): readonly FieldError[] {
  const { scopes = [] } = spec
  const path = specPath.child('scopes')
  const errors = scopes.flatMap((scope) => [
    ...(SCOPES.has(scope) ? [] : [invalidValue(path, scopes, 'unsupported scope')]),
    ...misplaced(scope, spec).map(() => invalidValue(path, scopes, 'unsupported scope applied to resource')),
  ])
  return [...errors, ...conflictErrors(scopes, spec)]
}

function misplaced(scope: string, { hard = {} }: ResourceQuotaSpec): readonly string[] {
  const fitting = SCOPES.get(scope)
  if (!fitting) return []
  return Object.keys(hard).filter((name) => isStandardQuotaResource(name) && !fitting.includes(name))
}

const CONFLICTS = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
]

function conflictErrors(scopes: readonly string[], spec: ResourceQuotaSpec): readonly FieldError[] {
  return CONFLICTS.filter((pair) => pair.every((scope) => scopes.includes(scope))).map(() =>
    invalidValue(specPath.child('scopes'), spec.scopes ?? null, 'conflicting scopes'),
  )
}

const EXISTS_ONLY = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']
const EXISTS_ONLY_DETAIL =
  "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, " +
  'ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity'

function requirementErrors(requirement: ScopedResourceSelectorRequirement, spec: ResourceQuotaSpec): FieldError[] {
  const { scopeName, operator } = requirement
  const path = specPath.child('scopeSelector', 'matchExpressions')
  const errors: FieldError[] = []
  if (!SCOPES.has(scopeName)) errors.push(invalidValue(path.child('scopeName'), scopeName, 'unsupported scope'))
  for (const _ of misplaced(scopeName, spec))
    errors.push(invalidValue(path, spec.scopeSelector, 'unsupported scope applied to resource'))
  if (EXISTS_ONLY.includes(scopeName) && operator !== 'Exists')
    errors.push(invalidValue(path.child('operator'), operator, EXISTS_ONLY_DETAIL))
  return [...errors, ...operatorErrors(requirement, path)]
}

function operatorErrors({ operator, values = [] }: ScopedResourceSelectorRequirement, path: FieldPath): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn': {
      if (values.length > 0) return []
      const detail = "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
      return [required(path.child('values'), detail)]
    }
    case 'Exists':
    case 'DoesNotExist': {
      if (values.length === 0) return []
      const detail = "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"
      return [invalidValue(path.child('values'), values, detail)]
    }
    default:
      return [invalidValue(path.child('operator'), operator, 'not a valid selector operator')]
  }
}

function validateStatus({ metadata, status }: ResourceQuota): readonly FieldError[] {
  const path = new FieldPath('status')
  const missing = metadata.resourceVersion ? [] : [required(new FieldPath('resourceVersion'))]
  return [...missing, ...listErrors(status?.hard, path.child('hard')), ...listErrors(status?.used, path.child('used'))]
}
