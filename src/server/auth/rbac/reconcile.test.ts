import { describe, expect, test } from 'vitest'
import type { ClusterRole, RoleBinding } from '../../../apis/rbac/types.gen.ts'
import { bootstrapRoles } from './bootstrap-roles.ts'
import { reconciledBinding, reconciledRole } from './reconcile.ts'

describe('a role', () => {
  const get = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
  const list = { ...get, verbs: ['list'] }
  const expected: ClusterRole = {
    metadata: { name: 'view', labels: { a: '1' }, annotations: { b: '1' } },
    rules: [get],
  }
  const marked = { name: 'view', labels: { a: '1' }, annotations: { b: '1' } }

  test('that gives what it should and more stays as it is', () => {
    const existing = { metadata: marked, rules: [{ ...get, verbs: ['*'] }] }
    expect(reconciledRole(existing, expected)).toBe(existing)
  })

  test('gets back what was taken away, and keeps what was added', () => {
    const existing = { metadata: { name: 'view', labels: { a: '2', c: '3' } }, rules: [list] }
    expect(reconciledRole(existing, expected)).toEqual({
      metadata: { name: 'view', labels: { a: '2', c: '3' }, annotations: { b: '1' } },
      rules: [list, get],
    })
  })

  test('that people keep for themselves stays as it is', () => {
    const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' }
    const existing = { metadata: { name: 'view', annotations }, rules: [] }
    expect(reconciledRole(existing, expected)).toBe(existing)
  })

  test('is a sum of what it should be, and no sum when it should be none', () => {
    const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { sum: 'true' } }] }
    const existing: ClusterRole = { metadata: marked, rules: [get] }
    expect(reconciledRole(existing, { ...expected, aggregationRule }).aggregationRule).toEqual(aggregationRule)
    expect(reconciledRole({ ...existing, aggregationRule }, expected)).toEqual(existing)
  })
})

describe('a binding', () => {
  const [jane, joe] = [
    { kind: 'User', name: 'jane' },
    { kind: 'User', name: 'joe' },
  ]
  const expected: RoleBinding = { metadata: { name: 'b' }, roleRef: { kind: 'Role', name: 'a' }, subjects: [jane] }

  test('gets back its subjects and keeps others', () => {
    expect(reconciledBinding({ ...expected, subjects: [joe] }, expected)).toMatchObject({
      do: 'update',
      binding: { subjects: [joe, jane] },
    })
  })

  test('of another role is made anew', () => {
    expect(reconciledBinding({ ...expected, roleRef: { kind: 'Role', name: 'c' } }, expected)).toEqual({
      do: 'replace',
      binding: expected,
    })
  })

  test('of every bootstrap role needs nothing the second time', () => {
    const { clusterRoles, clusterRoleBindings } = bootstrapRoles()
    expect(clusterRoles.filter((role) => reconciledRole(role, role) !== role)).toEqual([])
    expect(clusterRoleBindings.filter((binding) => reconciledBinding(binding, binding).do !== 'keep')).toEqual([])
    expect([clusterRoles.length, clusterRoleBindings.length]).toEqual([69, 50])
  })
})
