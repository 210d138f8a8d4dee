/** Nobody gives away rights that they do not have. */

import { beforeEach, expect, test } from 'vitest'
import { clusterRoles } from '../../../src/apis/rbac/cluster-role.ts'
import { clusterRoleBindings } from '../../../src/apis/rbac/cluster-role-binding.ts'
import { roles } from '../../../src/apis/rbac/role.ts'
import { roleBindings } from '../../../src/apis/rbac/role-binding.ts'
import type { PolicyRule } from '../../../src/apis/rbac/types.gen.ts'
import { openRbacServer, type RbacServer } from './rbac-server.ts'

let server: RbacServer
beforeEach(async () => {
  server = await openRbacServer()
  return () => server[Symbol.asyncDispose]()
})

const GROUP = 'rbac.authorization.k8s.io'
const writesRoles: PolicyRule = {
  verbs: ['create', 'update', 'patch', 'get'],
  apiGroups: [GROUP],
  resources: ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
}
const readsPods: PolicyRule = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }
const readsSecrets: PolicyRule = { ...readsPods, resources: ['secrets'] }
const jane = { kind: 'User', name: 'jane', apiGroup: GROUP }
const clusterRole = (name: string) => ({ apiGroup: GROUP, kind: 'ClusterRole', name })

/** Gives jane these rules everywhere, and returns her client. */
async function janeWith(...rules: readonly PolicyRule[]) {
  await server.admin.of(clusterRoles).create({ metadata: { name: 'janes' }, rules: [writesRoles, ...rules] })
  await server.admin
    .of(clusterRoleBindings)
    .create({ metadata: { name: 'janes' }, roleRef: clusterRole('janes'), subjects: [jane] })
  return server.as('jane', 'dev')
}

const inDefault = (name: string) => ({ name, namespace: 'default' })

test('a role takes the rights that it gives', async () => {
  const client = await janeWith(readsPods)
  await client.of(roles).create({ metadata: inDefault('a'), rules: [readsPods] })
  await expect(client.of(roles).create({ metadata: inDefault('b'), rules: [readsPods, readsSecrets] })).rejects.toThrow(
    'roles.rbac.authorization.k8s.io "b" is forbidden: user "jane" (groups=["dev" "system:authenticated"]) ' +
      'is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
  )
  const body = { rules: [readsSecrets] }
  await expect(client.of(roles).patch(inDefault('a'), { type: 'merge', body })).rejects.toThrow('not currently held')
})

test('the right to escalate is enough', async () => {
  const client = await janeWith({ verbs: ['escalate'], apiGroups: [GROUP], resources: ['clusterroles'] })
  await client.of(clusterRoles).create({ metadata: { name: 'all' }, rules: [readsSecrets] })
  await expect(client.of(roles).create({ metadata: inDefault('a'), rules: [readsSecrets] })).rejects.toThrow(
    'not currently held',
  )
})

test('only who has everything may make a sum of roles', async () => {
  const client = await janeWith(readsPods)
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }
  await expect(client.of(clusterRoles).create({ metadata: { name: 'sum' }, aggregationRule })).rejects.toThrow(
    'clusterroles.rbac.authorization.k8s.io "sum" is forbidden: must have cluster-admin privileges to use the aggregationRule',
  )
})

test('a binding takes the rights of its role', async () => {
  const client = await janeWith(readsPods)
  await server.admin.of(clusterRoles).create({ metadata: { name: 'pods' }, rules: [readsPods] })
  await server.admin.of(clusterRoles).create({ metadata: { name: 'secrets' }, rules: [readsSecrets] })
  await client.of(roleBindings).create({ metadata: inDefault('a'), roleRef: clusterRole('pods'), subjects: [jane] })
  await expect(
    client.of(roleBindings).create({ metadata: inDefault('b'), roleRef: clusterRole('secrets'), subjects: [jane] }),
  ).rejects.toThrow('rolebindings.rbac.authorization.k8s.io "b" is forbidden: user "jane"')
  await expect(
    client.of(clusterRoleBindings).create({ metadata: { name: 'c' }, roleRef: clusterRole('gone') }),
  ).rejects.toThrow('clusterroles.rbac.authorization.k8s.io "gone" not found')
})

test('the right to bind a role is enough, where it is given', async () => {
  await janeWith()
  await server.admin.of(clusterRoles).create({ metadata: { name: 'secrets' }, rules: [readsSecrets] })
  const bind = { verbs: ['bind'], apiGroups: [GROUP], resources: ['clusterroles'], resourceNames: ['secrets'] }
  await server.admin.of(roles).create({ metadata: inDefault('binder'), rules: [bind] })
  const roleRef = { apiGroup: GROUP, kind: 'Role', name: 'binder' }
  await server.admin.of(roleBindings).create({ metadata: inDefault('binder'), roleRef, subjects: [jane] })
  const client = server.as('jane')
  await client.of(roleBindings).create({ metadata: inDefault('a'), roleRef: clusterRole('secrets'), subjects: [jane] })
  await expect(
    client.of(clusterRoleBindings).create({ metadata: { name: 'a' }, roleRef: clusterRole('secrets') }),
  ).rejects.toThrow('not currently held')
})

test('what frees an object is no grant', async () => {
  const client = await janeWith()
  const created = await server.admin.of(roles).create({
    metadata: { ...inDefault('a'), finalizers: ['example.com/held'] },
    rules: [readsSecrets],
  })
  const { finalizers: _, ...metadata } = created.metadata
  await client.of(roles).update({ ...created, metadata })
})
