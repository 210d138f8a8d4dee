/** Where the authorizer finds roles and bindings: in the server's memory. */

import type { ClusterRole, ClusterRoleBinding, Role, RoleBinding } from '../../../apis/rbac/types.gen.ts'

export interface RoleSource {
  /** Whether memory has everything that was written: a changed binding counts from the next request on. */
  readonly isFresh: boolean
  /** Resolves when memory has everything that was written before the call. */
  whenFresh(): Promise<void>
  /** Numbers that are others after every change of an object of the resource. */
  readonly changedAt: {
    readonly roles: number
    readonly roleBindings: number
    readonly clusterRoles: number
    readonly clusterRoleBindings: number
  }
  role(namespace: string, name: string): Role | undefined
  clusterRole(name: string): ClusterRole | undefined
  roleBindings(namespace: string): readonly RoleBinding[]
  clusterRoleBindings(): readonly ClusterRoleBinding[]
}
