/** Roles and bindings that never change, for authorizers in tests. */

import { type BootstrapRoles, bootstrapRoles } from '../../src/server/auth/rbac/bootstrap-roles.ts'
import type { RoleSource } from '../../src/server/auth/rbac/role-source.ts'

/** What every cluster begins with, when nothing else is given. */
export function fixedRoles(given: Partial<BootstrapRoles> = bootstrapRoles()): RoleSource {
  const { clusterRoles = [], roles = [], clusterRoleBindings = [], roleBindings = [] } = given
  const named = <T extends { readonly metadata: { readonly name?: string | undefined } }>(
    list: readonly T[],
    name: string,
  ) => list.find(({ metadata }) => metadata.name === name)
  return {
    isFresh: true,
    whenFresh: async () => {},
    changedAt: { roles: 0, roleBindings: 0, clusterRoles: 0, clusterRoleBindings: 0 },
    role: (namespace, name) =>
      named(
        roles.filter(({ metadata }) => metadata.namespace === namespace),
        name,
      ),
    clusterRole: (name) => named(clusterRoles, name),
    roleBindings: (namespace) => roleBindings.filter(({ metadata }) => metadata.namespace === namespace),
    clusterRoleBindings: () => clusterRoleBindings,
  }
}
