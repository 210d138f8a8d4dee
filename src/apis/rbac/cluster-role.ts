/** ClusterRoles: rights everywhere, or in whichever namespace a binding gives them. Some are sums of others. */

import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { validateLabelSelector } from '../../machinery/meta/labels.ts'
import { nameIsPathSegment } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { createdAtColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { policyRuleErrors, RBAC_GROUP } from './policy-rule.ts'
import type { ClusterRole } from './types.gen.ts'

export const clusterRoles = defineResource<ClusterRole>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRole',
  resource: 'clusterroles',
  scope: 'Cluster',
  schema: builtinSchema('rbac.v1.ClusterRole'),
  nameRule: nameIsPathSegment,
  validate: ({ rules, aggregationRule }) => [
    ...policyRuleErrors(rules, new FieldPath('rules'), false),
    ...aggregationErrors(aggregationRule),
  ],
  createOnUpdate: true,
  columns: [nameColumn, createdAtColumn],
})

const selectorsPath = new FieldPath('aggregationRule').child('clusterRoleSelectors')

function aggregationErrors(rule: ClusterRole['aggregationRule']): readonly FieldError[] {
  if (!rule) return []
  const { clusterRoleSelectors: selectors = [] } = rule
  if (selectors.length === 0)
    return [required(selectorsPath, 'at least one clusterRoleSelector required if aggregationRule is non-nil')]
  return selectors.flatMap((selector, index) => {
    const path = selectorsPath.index(index)
    const errors = validateLabelSelector(selector, path)
    return errors.length === 0 ? [] : [...errors, invalidValue(path, null, 'invalid label selector.')]
  })
}
