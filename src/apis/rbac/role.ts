/** Roles: rights within one namespace. */

import { FieldPath } from '../../machinery/meta/field-error.ts'
import { nameIsPathSegment } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { createdAtColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { policyRuleErrors, RBAC_GROUP } from './policy-rule.ts'
import type { Role } from './types.gen.ts'

export const roles = defineResource<Role>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'Role',
  resource: 'roles',
  scope: 'Namespaced',
  schema: builtinSchema('rbac.v1.Role'),
  nameRule: nameIsPathSegment,
  validate: ({ rules }) => policyRuleErrors(rules, new FieldPath('rules'), true),
  createOnUpdate: true,
  columns: [nameColumn, createdAtColumn],
})
