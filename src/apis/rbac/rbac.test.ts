import { expect, test } from 'vitest'
import { findings, row, type Sent, updateFindings } from '../../../test/support/findings.ts'
import type { ResourceDefinition } from '../definition.ts'
import { clusterRoles } from './cluster-role.ts'
import { clusterRoleBindings } from './cluster-role-binding.ts'
import { roles } from './role.ts'
import { roleBindings } from './role-binding.ts'

const RBAC = 'rbac.authorization.k8s.io'
const metadata = { name: 'a:b', namespace: 'default' }
const readPods = { apiGroups: [''], resources: ['pods'], verbs: ['get'] }
const viewRef = { kind: 'ClusterRole', name: 'view' }
const jane = { kind: 'User', name: 'jane' }

const rules: readonly (readonly [string, ResourceDefinition, object, readonly string[]])[] = [
  ['a role may be empty', roles, {}, []],
  ['a role names verbs, groups and resources', roles, { rules: [readPods] }, []],
  [
    'a rule that says nothing lacks everything',
    roles,
    { rules: [{ verbs: [] }] },
    [
      'FieldValueRequired rules[0].verbs: Required value: verbs must contain at least one value',
      'FieldValueRequired rules[0].apiGroups: Required value: resource rules must supply at least one api group',
      'FieldValueRequired rules[0].resources: Required value: resource rules must supply at least one resource',
    ],
  ],
  [
    'paths are outside of namespaces',
    roles,
    { rules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }] },
    [
      'FieldValueInvalid rules[0].nonResourceURLs: Invalid value: ["/metrics"]: ' +
        'namespaced rules cannot apply to non-resource URLs',
    ],
  ],
  ['a cluster role reaches paths', clusterRoles, { rules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }] }, []],
  [
    'a rule is about paths or resources',
    clusterRoles,
    { rules: [{ ...readPods, nonResourceURLs: ['/metrics'] }] },
    [
      'FieldValueInvalid rules[0].nonResourceURLs: Invalid value: ["/metrics"]: ' +
        'rules cannot apply to both regular resources and non-resource URLs',
    ],
  ],
  [
    'a sum needs summands',
    clusterRoles,
    { aggregationRule: {} },
    [
      'FieldValueRequired aggregationRule.clusterRoleSelectors: Required value: ' +
        'at least one clusterRoleSelector required if aggregationRule is non-nil',
    ],
  ],
  ['a binding may have no subjects', roleBindings, { roleRef: viewRef }, []],
  ['users and groups get their API group', clusterRoleBindings, { roleRef: viewRef, subjects: [jane] }, []],
  [
    'a cluster-wide binding gives cluster roles only',
    clusterRoleBindings,
    { roleRef: { kind: 'Role', name: 'view' } },
    ['FieldValueNotSupported roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"'],
  ],
  [
    'a binding names a role',
    roleBindings,
    { roleRef: { kind: 'Role', name: '' } },
    ['FieldValueRequired roleRef.name: Required value'],
  ],
  [
    'a service account has no API group, and a namespace where the binding has none',
    clusterRoleBindings,
    { roleRef: viewRef, subjects: [{ kind: 'ServiceAccount', name: 'a', apiGroup: RBAC }] },
    [
      `FieldValueNotSupported subjects[0].apiGroup: Unsupported value: "${RBAC}": supported values: ""`,
      'FieldValueRequired subjects[0].namespace: Required value',
    ],
  ],
  [
    'subjects are of three kinds',
    roleBindings,
    { roleRef: viewRef, subjects: [{ kind: 'Robot', name: 'r2' }] },
    [
      'FieldValueNotSupported subjects[0].kind: Unsupported value: "Robot": ' +
        'supported values: "ServiceAccount", "User", "Group"',
    ],
  ],
]

for (const [behaviour, definition, object, expected] of rules)
  test(behaviour, () => expect(findings(definition, { metadata, ...object })).toEqual(expected))

test('the role of a binding never changes', () => {
  const binding = (name: string): Sent => ({ metadata, roleRef: { kind: 'Role', name } })
  expect(updateFindings(roleBindings, binding('b'), binding('a'))).toEqual([
    `FieldValueInvalid roleRef: Invalid value: {"APIGroup":"${RBAC}","Kind":"Role","Name":"b"}: cannot change roleRef`,
  ])
  expect(updateFindings(roleBindings, binding('a'), binding('a'))).toEqual([])
})

test('names may contain colons, which other resources do not allow', () => {
  expect(roles.nameRule('system:node-proxier', false)).toEqual([])
  expect(roles.nameRule('a/b', false)).toEqual(["may not contain '/'"])
})

test('a row of a binding shows the role and its subjects by kind', () => {
  const subjects = [jane, { kind: 'Group', name: 'dev' }, { kind: 'ServiceAccount', name: 'bot', namespace: 'ci' }]
  expect(row(roleBindings, { metadata, roleRef: viewRef, subjects })).toMatchObject({
    Role: 'ClusterRole/view',
    Users: 'jane',
    Groups: 'dev',
    ServiceAccounts: 'ci/bot',
  })
})
