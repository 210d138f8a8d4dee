/** Rules: which requests a webhook or a policy asks to see. What is wrong with them, and their defaults. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { isPathSegmentName } from '../../machinery/meta/names.ts'
import { mapItems, withAbsent } from '../field-defaults.ts'
import { findingErrors } from '../field-rules.ts'
import type { NamedRuleWithOperations, RuleWithOperations } from './types.gen.ts'

const OPERATIONS = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const SCOPES = ['*', 'Cluster', 'Namespaced']

export function defaultRules<T extends RuleWithOperations>(rules: readonly T[]): readonly T[] {
  const scope: Pick<RuleWithOperations, 'scope'> = { scope: '*' }
  return mapItems(rules, (rule) => withAbsent<RuleWithOperations>(rule, scope) as T)
}

export function ruleErrors(path: FieldPath, rule: RuleWithOperations): readonly FieldError[] {
  const { operations = [], apiGroups = [], apiVersions = [], resources = [], scope } = rule
  return [
    ...listErrors(path.child('operations'), operations, 'operations'),
    ...operations.flatMap((operation, index) =>
      OPERATIONS.includes(operation)
        ? []
        : [notSupported(path.child('operations').index(index), operation, OPERATIONS)],
    ),
    ...listErrors(path.child('apiGroups'), apiGroups, 'API groups'),
    ...listErrors(path.child('apiVersions'), apiVersions, 'API versions'),
    ...apiVersions.flatMap((version, index) =>
      version === '' ? [required(path.child('apiVersions').index(index))] : [],
    ),
    ...resourceErrors(path.child('resources'), resources),
    ...(scope === undefined || SCOPES.includes(scope) ? [] : [notSupported(path.child('scope'), scope, SCOPES)]),
  ]
}

/** A list that must have something, and where `*` stands alone. */
function listErrors(path: FieldPath, values: readonly string[], noun: string): readonly FieldError[] {
  if (values.length === 0) return [required(path)]
  if (values.length === 1 || !values.includes('*')) return []
  return [invalidValue(path, values, `if '*' is present, must not specify other ${noun}`)]
}

/** Resources and subresources, either of which may be a star: nothing that another entry has covered already. */
function resourceErrors(path: FieldPath, resources: readonly string[]): readonly FieldError[] {
  if (resources.length === 0) return [required(path)]
  const wholeResources = new Set<string>()
  const wholeSubresources = new Set<string>()
  const errors: FieldError[] = []
  let plainResource = false
  for (const [index, text] of resources.entries()) {
    const place = path.index(index)
    if (text === '') {
      errors.push(required(place))
      continue
    }
    const [resource = '', ...rest] = text.split('/')
    if (rest.length === 0) {
      plainResource = text !== '*'
      continue
    }
    const subresource = rest.join('/')
    if (wholeResources.has(resource))
      errors.push(invalidValue(place, text, `if '${resource}/*' is present, must not specify ${text}`))
    if (wholeSubresources.has(subresource))
      errors.push(invalidValue(place, text, `if '*/${subresource}' is present, must not specify ${text}`))
    if (subresource === '*') wholeResources.add(resource)
    if (resource === '*') wholeSubresources.add(subresource)
  }
  if (resources.length > 1 && resources.includes('*/*'))
    errors.push(invalidValue(path, resources, "if '*/*' is present, must not specify other resources"))
  if (plainResource && resources.includes('*')) {
    const detail = "if '*' is present, must not specify other resources without subresources"
    errors.push(invalidValue(path, resources, detail))
  }
  return errors
}

export function namedRuleErrors(path: FieldPath, rule: NamedRuleWithOperations): readonly FieldError[] {
  const { resourceNames = [] } = rule
  const errors = resourceNames.flatMap((name, index) => {
    const place = path.child('resourceNames').index(index)
    const repeated = resourceNames.indexOf(name) < index ? [duplicate(place, name)] : []
    return [...findingErrors(place, name, isPathSegmentName(name)), ...repeated]
  })
  return [...errors, ...ruleErrors(path, rule)]
}

/** Upstream's rule for the operations of mutating policies: what is deleted is not changed any more. */
const MUTATING_OPERATIONS = ['*', 'CONNECT', 'CREATE', 'UPDATE']

export function mutatingOperationErrors(
  path: FieldPath,
  rules: readonly RuleWithOperations[] | undefined,
): readonly FieldError[] {
  const operations = (rules ?? []).flatMap((rule) => rule.operations ?? [])
  const unsupported = operations.filter((operation) => !MUTATING_OPERATIONS.includes(operation))
  return unsupported.map((operation) => notSupported(path.child('operations'), operation, MUTATING_OPERATIONS))
}
