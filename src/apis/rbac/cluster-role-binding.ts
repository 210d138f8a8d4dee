/** ClusterRoleBindings: who has the rights of a cluster role, everywhere. */

import { nameIsPathSegment } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { defineResource } from '../define-resource.ts'
import { bindingColumns, bindingErrors, defaultBinding, roleChangeErrors } from './binding-parts.ts'
import { RBAC_GROUP } from './policy-rule.ts'
import type { ClusterRoleBinding } from './types.gen.ts'

const ROLE_KINDS = ['ClusterRole']

export const clusterRoleBindings = defineResource<ClusterRoleBinding>({
  group: RBAC_GROUP,
  version: 'v1',
  kind: 'ClusterRoleBinding',
  resource: 'clusterrolebindings',
  scope: 'Cluster',
  schema: builtinSchema('rbac.v1.ClusterRoleBinding'),
  nameRule: nameIsPathSegment,
  default: defaultBinding,
  validate: (binding) => bindingErrors(binding, ROLE_KINDS, false),
  validateUpdate: roleChangeErrors,
  createOnUpdate: true,
  columns: bindingColumns,
})
