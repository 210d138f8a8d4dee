/** RoleBindings: who has the rights of a role, in the binding's own namespace. */

import { nameIsPathSegment } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { defineResource } from '../define-resource.ts'
import { bindingColumns, bindingErrors, defaultBinding, roleChangeErrors } from './binding-parts.ts'
import { RBAC_GROUP } from './policy-rule.ts'
import type { RoleBinding } from './types.gen.ts'

const ROLE_KINDS = ['Role', 'ClusterRole']

export const roleBindings = defineResource<RoleBinding>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'RoleBinding',
  resource: 'rolebindings',
  scope: 'Namespaced',
  schema: builtinSchema('rbac.v1.RoleBinding'),
  nameRule: nameIsPathSegment,
  default: defaultBinding,
  validate: (binding) => bindingErrors(binding, ROLE_KINDS, true),
  validateUpdate: roleChangeErrors,
  createOnUpdate: true,
  columns: bindingColumns,
})
