/** What a rule of a role may say. */

import { type FieldError, type FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import type { PolicyRule } from './types.gen.ts'

export const RBAC_GROUP = 'rbac.authorization.k8s.io'

/** `namespaced`: the rule of a Role, which reaches no paths that are not resources. */
export function policyRuleErrors(
  rules: readonly PolicyRule[] | null | undefined,
  path: FieldPath,
  namespaced: boolean,
): readonly FieldError[] {
  return (rules ?? []).flatMap((rule, index) => ruleErrors(rule, path.index(index), namespaced))
}

function ruleErrors(rule: PolicyRule, path: FieldPath, namespaced: boolean): readonly FieldError[] {
  const { verbs, nonResourceURLs = [], apiGroups = [], resources = [], resourceNames = [] } = rule
  // An absent list of verbs is written as null.
  const errors = verbs?.length > 0 ? [] : [required(path.child('verbs'), 'verbs must contain at least one value')]
  if (nonResourceURLs.length > 0) {
    const place = path.child('nonResourceURLs')
    if (namespaced)
      errors.push(invalidValue(place, nonResourceURLs, 'namespaced rules cannot apply to non-resource URLs'))
    if (apiGroups.length > 0 || resources.length > 0 || resourceNames.length > 0) {
      const detail = 'rules cannot apply to both regular resources and non-resource URLs'
      errors.push(invalidValue(place, nonResourceURLs, detail))
    }
    return errors
  }
  if (apiGroups.length === 0)
    errors.push(required(path.child('apiGroups'), 'resource rules must supply at least one api group'))
  if (resources.length === 0)
    errors.push(required(path.child('resources'), 'resource rules must supply at least one resource'))
  return errors
}
