/** The roles that a cluster begins with: as if somebody had created them, and put right at every start. */

import { expect, test } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import type { ResourceDefinition } from '../../../src/apis/definition.ts'
import { clusterRoles } from '../../../src/apis/rbac/cluster-role.ts'
import { clusterRoleBindings } from '../../../src/apis/rbac/cluster-role-binding.ts'
import { roles } from '../../../src/apis/rbac/role.ts'
import { roleBindings } from '../../../src/apis/rbac/role-binding.ts'
import { createLoopbackTransport } from '../../../src/client/loopback-transport.ts'
import { createClient } from '../../../src/client/resource-client.ts'
import { ensureRoles } from '../../../src/cluster/bootstrap-roles.ts'
import type { KubeObject } from '../../../src/machinery/meta/object.ts'
import { bootstrapRoles } from '../../../src/server/auth/rbac/bootstrap-roles.ts'
import { ADMIN, createTestServer } from '../../support/test-server.ts'

function start() {
  const test = createTestServer(builtinResources)
  const client = createClient(createLoopbackTransport(test.server.handle, ADMIN))
  const { registries } = test.server
  return { ...test, client, ensure: () => ensureRoles({ registries, client, clock: test.clock }) }
}

/** The text of an object, without what differs from write to write. */
function textOf(object: KubeObject): string {
  const { uid: _uid, resourceVersion: _version, managedFields = [], ...metadata } = object.metadata
  const owned = managedFields.map(({ manager: _, ...entry }) => entry)
  return JSON.stringify({ ...object, metadata: { ...metadata, managedFields: owned } })
}

test('what is seeded is what a create makes of it', async () => {
  await using seeded = start()
  await using created = start()
  await seeded.ensure()
  const wanted = bootstrapRoles()
  const compare = async <T extends KubeObject>(definition: ResourceDefinition<T>, objects: readonly T[]) => {
    for (const object of objects) await created.client.of(definition).create(object)
    const expected = await created.client.of(definition).list()
    const found = await seeded.client.of(definition).list()
    const names = new Set(expected.items.map(({ metadata }) => metadata.name))
    const items = found.items.filter(({ metadata }) => names.has(metadata.name))
    expect(items.map(textOf)).toEqual(expected.items.map(textOf))
  }
  await compare(clusterRoles, wanted.clusterRoles)
  await compare(roles, wanted.roles)
  await compare(clusterRoleBindings, wanted.clusterRoleBindings)
  await compare(roleBindings, wanted.roleBindings)
})

test('a second start writes nothing', async () => {
  await using server = start()
  await server.ensure()
  const { head } = server.storage
  await server.ensure()
  expect(server.storage.head).toBe(head)
})

test('a start gives back what was taken away and keeps what was added', async () => {
  await using server = start()
  await server.ensure()
  const all = server.client.of(clusterRoles)
  const bindings = server.client.of(clusterRoleBindings)
  const extra = { verbs: ['get'], apiGroups: ['example.com'], resources: ['things'] }
  const before = await all.get({ name: 'system:basic-user' })
  await all.update({ ...before, rules: [extra] })
  await all.delete({ name: 'system:discovery' })
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' }
  await all.patch({ name: 'system:monitoring' }, { type: 'merge', body: { metadata: { annotations }, rules: [] } })
  await bindings.delete({ name: 'system:basic-user' })
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
  await bindings.create({ metadata: { name: 'system:basic-user' }, roleRef })
  await server.ensure()
  expect((await all.get({ name: 'system:basic-user' })).rules).toEqual([extra, ...breakdown(before.rules ?? [])])
  expect((await all.get({ name: 'system:discovery' })).rules).toHaveLength(1)
  expect((await all.get({ name: 'system:monitoring' })).rules).toBeNull()
  expect(await bindings.get({ name: 'system:basic-user' })).toMatchObject({
    roleRef: { name: 'system:basic-user' },
    subjects: [{ kind: 'Group', name: 'system:authenticated' }],
  })
})

/** What is missing comes back piece by piece, as it does upstream. */
function breakdown(rules: readonly { readonly resources?: readonly string[] | undefined }[]) {
  return rules.flatMap((rule) => (rule.resources ?? []).map((resource) => ({ ...rule, resources: [resource] })))
}
