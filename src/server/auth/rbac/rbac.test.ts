import { describe, expect, test } from 'vitest'
import { fixedRoles } from '../../../../test/support/fixed-roles.ts'
import type { ClusterRoleBinding, PolicyRule, RoleBinding, Subject } from '../../../apis/rbac/types.gen.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import type { Attributes } from '../authorizer.ts'
import { rbacAuthorizer } from './rbac-authorizer.ts'
import type { RoleSource } from './role-source.ts'
import { missingRules, ruleLines } from './rule-cover.ts'
import { ruleAllows } from './rule-match.ts'

const jane: UserInfo = { name: 'jane', groups: ['dev', 'system:authenticated'] }
const none = { group: '', subresource: '', namespace: '', name: '', path: '' }
const asked = (verb: string, resource: string, more: Partial<Attributes> = {}): Attributes => {
  return { ...none, user: jane, verb, resource, ...more }
}

describe('a rule', () => {
  const pods = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
  const table: readonly (readonly [string, PolicyRule, Attributes, boolean])[] = [
    ['allows its verb on its resource', pods, asked('get', 'pods'), true],
    ['is about no other verb', pods, asked('list', 'pods'), false],
    ['is about no other group', pods, asked('get', 'pods', { group: 'metrics.k8s.io' }), false],
    ['does not reach subresources', pods, asked('get', 'pods', { subresource: 'log' }), false],
    ['names a subresource', { ...pods, resources: ['pods/log'] }, asked('get', 'pods', { subresource: 'log' }), true],
    [
      'names a subresource of everything',
      { ...pods, resources: ['*/scale'] },
      asked('get', 'pods', { subresource: 'scale' }),
      true,
    ],
    [
      'reaches no main resource by a subresource of everything',
      { ...pods, resources: ['*/scale'] },
      asked('get', 'scale'),
      false,
    ],
    [
      'reaches everything by stars',
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      asked('delete', 'pods', { subresource: 'log', group: 'apps' }),
      true,
    ],
    ['reaches a name', { ...pods, resourceNames: ['web'] }, asked('get', 'pods', { name: 'web' }), true],
    ['of a name reaches no other', { ...pods, resourceNames: ['web'] }, asked('get', 'pods', { name: 'db' }), false],
    ['of a name reaches no collection', { ...pods, resourceNames: ['web'] }, asked('get', 'pods'), false],
    [
      'about resources reaches no path',
      { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
      asked('get', '', { path: '/' }),
      false,
    ],
    ['reaches a path', { verbs: ['get'], nonResourceURLs: ['/livez'] }, asked('get', '', { path: '/livez' }), true],
    [
      'of a path does not reach below it',
      { verbs: ['get'], nonResourceURLs: ['/livez'] },
      asked('get', '', { path: '/livez/etcd' }),
      false,
    ],
    [
      'with a star reaches below',
      { verbs: ['get'], nonResourceURLs: ['/livez/*'] },
      asked('get', '', { path: '/livez/etcd' }),
      true,
    ],
    [
      'of all paths reaches each',
      { verbs: ['get'], nonResourceURLs: ['*'] },
      asked('get', '', { path: '/metrics' }),
      true,
    ],
  ]
  test.each(table)('%s', (_, rule, attributes, allowed) => expect(ruleAllows(rule, attributes)).toBe(allowed))
})

describe('what is missing', () => {
  const read = { verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'secrets'] }
  const table: readonly (readonly [string, readonly PolicyRule[], readonly PolicyRule[], readonly string[]])[] = [
    ['nothing, where all is held', [read], [{ ...read, resourceNames: ['a'] }], []],
    [
      'nothing, where rules together hold it',
      [
        { ...read, verbs: ['get'] },
        { ...read, verbs: ['list'] },
      ],
      [read],
      [],
    ],
    [
      'the verbs on each resource, on one line',
      [{ ...read, resources: ['pods'], verbs: ['get'] }],
      [read],
      [
        '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}',
        '{APIGroups:[""], Resources:["secrets"], Verbs:["get" "list"]}',
      ],
    ],
    [
      'the right to all, of who has it by name only',
      [{ ...read, resourceNames: ['a'] }],
      [{ ...read, resources: ['pods'], verbs: ['get'] }],
      ['{APIGroups:[""], Resources:["pods"], Verbs:["get"]}'],
    ],
    [
      'paths, one by one',
      [{ verbs: ['get'], nonResourceURLs: ['/a/*'] }],
      [{ verbs: ['get', 'post'], nonResourceURLs: ['/a/b', '/c'] }],
      [
        '{NonResourceURLs:["/a/b"], Verbs:["post"]}',
        '{NonResourceURLs:["/c"], Verbs:["get"]}',
        '{NonResourceURLs:["/c"], Verbs:["post"]}',
      ],
    ],
    [
      'nothing of a subresource, where that of everything is held',
      [{ verbs: ['get'], apiGroups: ['*'], resources: ['*/scale'] }],
      [{ verbs: ['get'], apiGroups: ['apps'], resources: ['deployments/scale'] }],
      [],
    ],
    [
      'the star itself, where only its parts are held',
      [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }],
      [{ verbs: ['get'], apiGroups: [''], resources: ['*'] }],
      ['{APIGroups:[""], Resources:["*"], Verbs:["get"]}'],
    ],
  ]
  test.each(table)('%s', (_, held, wanted, lines) => expect(ruleLines(missingRules(held, wanted))).toEqual(lines))
})

describe('the authorizer', () => {
  const group: Subject = { kind: 'Group', name: 'dev' }
  const viewRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' }
  const view = { metadata: { name: 'view' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }
  const wide = (subjects: readonly Subject[], roleRef = viewRef): ClusterRoleBinding => {
    return { metadata: { name: 'readers' }, roleRef, subjects }
  }
  const local = (subjects: readonly Subject[], roleRef = viewRef): RoleBinding => {
    return { metadata: { name: 'readers', namespace: 'a' }, roleRef, subjects }
  }
  const decide = (source: Partial<Parameters<typeof fixedRoles>[0]>, attributes: Attributes) =>
    rbacAuthorizer(fixedRoles({ clusterRoles: [view], ...source })).authorize(attributes)
  const bot: UserInfo = { name: 'system:serviceaccount:ci:bot', groups: [] }

  test('says which binding allows', () => {
    expect(
      decide({ clusterRoleBindings: [wide([{ kind: 'User', name: 'joe' }, group])] }, asked('get', 'pods')),
    ).toEqual({
      verdict: 'allow',
      reason: 'RBAC: allowed by ClusterRoleBinding "readers" of ClusterRole "view" to Group "dev"',
    })
  })

  test('a role binding allows in its namespace', () => {
    const source = { roleBindings: [local([{ kind: 'ServiceAccount', name: 'bot', namespace: 'ci' }])] }
    const inA = asked('get', 'pods', { user: bot, namespace: 'a' })
    expect(decide(source, inA)).toEqual({
      verdict: 'allow',
      reason: 'RBAC: allowed by RoleBinding "readers/a" of ClusterRole "view" to ServiceAccount "bot/ci"',
    })
    expect(decide(source, { ...inA, namespace: 'b' })).toEqual({ verdict: 'no-opinion', reason: '' })
    expect(decide(source, { ...inA, namespace: '' })).toEqual({ verdict: 'no-opinion', reason: '' })
  })

  test('a service account without a namespace is one of the binding’s', () => {
    const source = { roleBindings: [local([{ kind: 'ServiceAccount', name: 'bot' }])] }
    const user = { name: 'system:serviceaccount:a:bot', groups: [] }
    expect(decide(source, asked('get', 'pods', { user, namespace: 'a' }))).toMatchObject({ verdict: 'allow' })
    expect(decide(source, asked('get', 'pods', { user: bot, namespace: 'a' }))).toMatchObject({ verdict: 'no-opinion' })
  })

  test('a role that is missing is told, and hides no other', () => {
    const gone = { ...wide([group], { ...viewRef, name: 'gone' }), metadata: { name: 'a-gone' } }
    const reason = 'RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found'
    expect(decide({ clusterRoleBindings: [gone] }, asked('get', 'pods'))).toEqual({ verdict: 'no-opinion', reason })
    expect(decide({ clusterRoleBindings: [gone, wide([group])] }, asked('get', 'pods'))).toMatchObject({
      verdict: 'allow',
    })
  })

  test('lists the rules of a user, those of a namespace after those of everywhere', async () => {
    const edit = {
      metadata: { name: 'edit', namespace: 'a' },
      rules: [{ verbs: ['*'], apiGroups: [''], resources: ['pods'] }],
    }
    const paths = { metadata: { name: 'paths' }, rules: [{ verbs: ['get'], nonResourceURLs: ['/livez'] }] }
    const source = fixedRoles({
      clusterRoles: [view, paths],
      roles: [edit],
      clusterRoleBindings: [wide([group]), wide([group], { ...viewRef, name: 'paths' })],
      roleBindings: [local([group], { ...viewRef, kind: 'Role', name: 'edit' })],
    })
    expect(await rbacAuthorizer(source).rulesOf(jane, 'a')).toEqual({
      resourceRules: [...view.rules, ...edit.rules],
      nonResourceRules: paths.rules,
      incomplete: false,
      error: '',
    })
  })

  test('a changed binding counts at once, and waits for memory that lags behind', async () => {
    let bindings: readonly ClusterRoleBinding[] = [wide([group])]
    const changedAt = { roles: 0, roleBindings: 0, clusterRoles: 0, clusterRoleBindings: 1 }
    const state = { isFresh: true }
    const source: RoleSource = {
      ...fixedRoles({ clusterRoles: [view] }),
      get isFresh() {
        return state.isFresh
      },
      whenFresh: async () => {
        bindings = [wide([group])]
        changedAt.clusterRoleBindings++
      },
      changedAt,
      clusterRoleBindings: () => bindings,
    }
    const { authorize } = rbacAuthorizer(source)
    expect(authorize(asked('get', 'pods'))).toMatchObject({ verdict: 'allow' })
    bindings = []
    changedAt.clusterRoleBindings++
    expect(authorize(asked('get', 'pods'))).toMatchObject({ verdict: 'no-opinion' })
    state.isFresh = false
    expect(await authorize(asked('get', 'pods'))).toMatchObject({ verdict: 'allow' })
  })
})

describe('with the roles that every cluster begins with', () => {
  const { authorize } = rbacAuthorizer(fixedRoles())
  const nobody: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] }
  const review = { group: 'authorization.k8s.io' }
  const manager: UserInfo = { name: 'system:kube-controller-manager', groups: [] }
  const collector: UserInfo = { name: 'system:serviceaccount:kube-system:generic-garbage-collector', groups: [] }
  const table: readonly (readonly [string, Attributes, boolean])[] = [
    [
      'a superuser may do everything',
      asked('delete', 'pods', { user: { name: 'a', groups: ['system:masters'] } }),
      true,
    ],
    ['whoever is known may not list pods', asked('list', 'pods'), false],
    ['whoever is known may ask what it may', asked('create', 'selfsubjectaccessreviews', review), true],
    ['whoever is known may look what is served', asked('get', '', { path: '/apis/apps/v1' }), true],
    ['whoever is known may not see metrics', asked('get', '', { path: '/metrics' }), false],
    ['whoever is known may only look', asked('post', '', { path: '/apis' }), false],
    ['a stranger may ask for health', asked('get', '', { path: '/livez', user: nobody }), true],
    ['a stranger may not look what is served', asked('get', '', { path: '/apis', user: nobody }), false],
    ['the manager may list everything', asked('list', 'secrets', { user: manager }), true],
    ['the manager may not delete pods', asked('delete', 'pods', { user: manager, namespace: 'a' }), false],
    ['the garbage collector may', asked('delete', 'pods', { user: collector, namespace: 'a' }), true],
  ]
  test.each(table)('%s', (_, attributes, allowed) =>
    expect(authorize(attributes)).toMatchObject({ verdict: allowed ? 'allow' : 'no-opinion' }),
  )
})
