/** Roles and bindings that must be there before anybody may do anything: created, or put right, at every start. */

import type { ResourceDefinition } from '../apis/definition.ts'
import { clusterRoles } from '../apis/rbac/cluster-role.ts'
import { clusterRoleBindings } from '../apis/rbac/cluster-role-binding.ts'
import { RBAC_GROUP } from '../apis/rbac/policy-rule.ts'
import { roles } from '../apis/rbac/role.ts'
import { roleBindings } from '../apis/rbac/role-binding.ts'
import type { ClusterRole, ClusterRoleBinding, RoleBinding } from '../apis/rbac/types.gen.ts'
import type { Client } from '../client/client.ts'
import { type KubeObject, keyOf, keyText } from '../machinery/meta/object.ts'
import { bootstrapRoles } from '../server/auth/rbac/bootstrap-roles.ts'
import { reconciledBinding, reconciledRole } from '../server/auth/rbac/reconcile.ts'

/** The group of the user in the cluster's kubeconfig. */
export const ADMINISTRATORS_GROUP = 't8s:admins'

/** As kubeadm does: the administrator's rights come from a binding that can be seen and taken back. */
const administrators: ClusterRoleBinding = {
  metadata: { name: 't8s:cluster-admins' },
  roleRef: { apiGroup: RBAC_GROUP, kind: 'ClusterRole', name: 'cluster-admin' },
  subjects: [{ kind: 'Group', apiGroup: RBAC_GROUP, name: ADMINISTRATORS_GROUP }],
}

/** Safe to repeat; writes nothing when nothing is missing. The namespaces of the roles exist. */
export async function ensureRoles(client: Client): Promise<void> {
  const wanted = bootstrapRoles()
  await Promise.all([
    ensureAll(client, clusterRoles, wanted.clusterRoles, putRoleRight),
    ensureAll(client, roles, wanted.roles, putRoleRight),
    ensureAll(client, clusterRoleBindings, [...wanted.clusterRoleBindings, administrators], putBindingRight),
    ensureAll(client, roleBindings, wanted.roleBindings, putBindingRight),
  ])
}

type PutRight<T extends KubeObject> = (
  client: Client,
  definition: ResourceDefinition<T>,
  existing: T,
  expected: T,
) => Promise<void>

async function ensureAll<T extends KubeObject>(
  client: Client,
  definition: ResourceDefinition<T>,
  expected: readonly T[],
  putRight: PutRight<T>,
): Promise<void> {
  const { items } = await client.of(definition).list()
  const existing = new Map(items.map((item) => [keyText(keyOf(item)), item]))
  await Promise.all(
    expected.map(async (object) => {
      const found = existing.get(keyText(keyOf(object)))
      if (found) await putRight(client, definition, found, object)
      else await client.of(definition).create(object)
    }),
  )
}

async function putRoleRight<T extends ClusterRole>(
  client: Client,
  definition: ResourceDefinition<T>,
  existing: T,
  expected: T,
): Promise<void> {
  const role = reconciledRole(existing, expected)
  if (role !== existing) await client.of(definition).update(role)
}

async function putBindingRight<T extends RoleBinding>(
  client: Client,
  definition: ResourceDefinition<T>,
  existing: T,
  expected: T,
): Promise<void> {
  const { do: what, binding } = reconciledBinding(existing, expected)
  if (what === 'update') await client.of(definition).update(binding)
  if (what !== 'replace') return
  await client.of(definition).delete(keyOf(existing), { uid: existing.metadata.uid })
  await client.of(definition).create(binding)
}
