/** What the server says about rights agrees with what it does, also for those whom somebody acts for. */

import { beforeEach, describe, expect, test } from 'vitest'
import { clusterRoles } from '../../../src/apis/rbac/cluster-role.ts'
import { clusterRoleBindings } from '../../../src/apis/rbac/cluster-role-binding.ts'
import { roleBindings } from '../../../src/apis/rbac/role-binding.ts'
import type { UserInfo } from '../../../src/machinery/wire/message.ts'
import { openRbacServer, type RbacServer } from './rbac-server.ts'

let server: RbacServer
beforeEach(async () => {
  server = await openRbacServer()
  return () => server[Symbol.asyncDispose]()
})

const GROUP = 'rbac.authorization.k8s.io'
const REVIEWS = '/apis/authorization.k8s.io/v1'
const admin: UserInfo = { name: 'admin', groups: ['system:masters'] }
const json = { 'content-type': 'application/json' }
const resourceAttributes = { verb: 'list', resource: 'configmaps', namespace: 'a' }

async function giveView(...subjects: readonly object[]): Promise<void> {
  const rules = [{ verbs: ['list'], apiGroups: [''], resources: ['configmaps'] }]
  await server.admin.of(clusterRoles).create({ metadata: { name: 'reader' }, rules })
  const roleRef = { apiGroup: GROUP, kind: 'ClusterRole', name: 'reader' }
  const metadata = { name: 'reader', namespace: 'a' }
  await server.admin.of(roleBindings).create({ metadata, roleRef, subjects: subjects as never })
}

async function statusOf(user: UserInfo, path: string, kind: string, spec: object, metadata = {}) {
  const body = { apiVersion: 'authorization.k8s.io/v1', kind, metadata, spec }
  const answer = await server.send(user, 'POST', `${REVIEWS}/${path}`, { body, headers: json })
  return answer.status === 201 ? answer.json.status : answer.json.message
}

describe('access reviews', () => {
  const allowed = {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "reader/a" of ClusterRole "reader" to User "jane"',
  }
  beforeEach(() => giveView({ kind: 'User', name: 'jane' }))

  test('about anybody, about anybody in a namespace, about oneself', async () => {
    const spec = { user: 'jane', resourceAttributes }
    expect(await statusOf(admin, 'subjectaccessreviews', 'SubjectAccessReview', spec)).toEqual(allowed)
    const local = ['namespaces/a/localsubjectaccessreviews', 'LocalSubjectAccessReview'] as const
    expect(await statusOf(admin, ...local, spec, { namespace: 'a' })).toEqual(allowed)
    const jane = { name: 'jane', groups: ['system:authenticated'] }
    const self = ['selfsubjectaccessreviews', 'SelfSubjectAccessReview'] as const
    expect(await statusOf(jane, ...self, { resourceAttributes })).toEqual(allowed)
    expect(await statusOf(jane, ...self, { resourceAttributes: { ...resourceAttributes, namespace: 'b' } })).toEqual({
      allowed: false,
    })
    expect(await statusOf(jane, ...self, { nonResourceAttributes: { verb: 'get', path: '/livez' } })).toMatchObject({
      allowed: true,
    })
  })

  test('a selector that cannot be read is told, and ignored', async () => {
    const spec = {
      user: 'jane',
      resourceAttributes: {
        ...resourceAttributes,
        fieldSelector: { rawSelector: 'a' },
        labelSelector: {
          requirements: [
            { key: 'a', operator: 'In', values: ['b'] },
            { key: 'c', operator: 'Near' },
          ],
        },
      },
    }
    expect(await statusOf(admin, 'subjectaccessreviews', 'SubjectAccessReview', spec)).toEqual({
      ...allowed,
      evaluationError:
        'spec.resourceAttributes.fieldSelector ignored due to parse error; ' +
        'spec.resourceAttributes.labelSelector partially ignored due to parse error',
    })
  })

  test('the rules of the caller in a namespace', async () => {
    const jane = { name: 'jane', groups: ['system:authenticated'] }
    const rules = ['selfsubjectrulesreviews', 'SelfSubjectRulesReview'] as const
    const status = await statusOf(jane, ...rules, { namespace: 'a' })
    expect(status.incomplete).toBe(false)
    expect(status.resourceRules).toContainEqual({ verbs: ['list'], apiGroups: [''], resources: ['configmaps'] })
    expect(status.nonResourceRules).toHaveLength(2)
    expect(await statusOf(jane, ...rules, {})).toBe('no namespace on request')
    const node = { name: 'system:node:n', groups: ['system:nodes', 'system:authenticated'] }
    expect(await statusOf(node, ...rules, { namespace: 'a' })).toMatchObject({
      incomplete: true,
      evaluationError: 'node authorizer does not support user rule resolution',
    })
  })
})

describe('acting as somebody else', () => {
  const jane: UserInfo = { name: 'jane', groups: ['system:authenticated'] }
  const list = (headers: Record<string, string>, user = jane) =>
    server.send(user, 'GET', '/api/v1/namespaces/a/configmaps', { headers })
  const asBot = { 'impersonate-user': 'system:serviceaccount:a:bot' }

  async function letJane(...rules: readonly object[]): Promise<void> {
    await server.admin.of(clusterRoles).create({ metadata: { name: 'actor' }, rules: rules as never })
    const roleRef = { apiGroup: GROUP, kind: 'ClusterRole', name: 'actor' }
    await server.admin
      .of(clusterRoleBindings)
      .create({ metadata: { name: 'actor' }, roleRef, subjects: [{ kind: 'User', name: 'jane' }] })
  }

  test('gives the rights of that one', async () => {
    await giveView({ kind: 'ServiceAccount', name: 'bot' })
    expect((await list(asBot, admin)).status).toBe(200)
    expect((await list({ 'impersonate-user': 'joe' }, admin)).json.message).toBe(
      'configmaps is forbidden: User "joe" cannot list resource "configmaps" in API group "" in the namespace "a"',
    )
    expect((await list({ ...asBot, 'impersonate-group': 'dev' }, admin)).status).toBe(200)
  })

  test('takes the right to each part of who one is', async () => {
    await giveView({ kind: 'ServiceAccount', name: 'bot' })
    expect((await list(asBot)).json.message).toBe(
      'configmaps is forbidden: User "jane" cannot impersonate-on:serviceaccount:list resource "configmaps" ' +
        'in API group "" in the namespace "a"',
    )
    const accounts = { verbs: ['impersonate'], apiGroups: [''], resources: ['serviceaccounts'] }
    const uids = { verbs: ['impersonate'], apiGroups: ['authentication.k8s.io'], resources: ['uids'] }
    const extras = {
      verbs: ['impersonate'],
      apiGroups: ['authentication.k8s.io'],
      resources: ['userextras/team'],
      resourceNames: ['red'],
    }
    await letJane(accounts, uids, extras)
    expect((await list(asBot)).status).toBe(200)
    expect((await list({ ...asBot, 'impersonate-uid': '1', 'impersonate-extra-team': 'red' })).status).toBe(200)
    expect((await list({ ...asBot, 'impersonate-extra-team': 'blue' })).status).toBe(403)
    expect((await list({ ...asBot, 'impersonate-group': 'dev' })).json.message).toContain(
      'cannot impersonate resource "groups"',
    )
  })

  test('may be limited to a kind of identity and to what is done', async () => {
    await giveView({ kind: 'ServiceAccount', name: 'bot' })
    await letJane(
      { verbs: ['impersonate:serviceaccount'], apiGroups: ['authentication.k8s.io'], resources: ['serviceaccounts'] },
      { verbs: ['impersonate-on:serviceaccount:list'], apiGroups: [''], resources: ['configmaps'] },
    )
    expect((await list(asBot)).status).toBe(200)
    const one = await server.send(jane, 'GET', '/api/v1/namespaces/a/configmaps/x', { headers: asBot })
    expect(one.json.message).toContain('cannot impersonate-on:serviceaccount:get resource "configmaps"')
    expect((await list({ 'impersonate-user': 'joe' })).json.message).toContain('impersonate-on:user-info:list')
  })
})
