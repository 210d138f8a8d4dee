import { expect, test } from 'vitest'
import type { ClusterRole } from '../../apis/rbac/types.gen.ts'
import { planAggregation } from './cluster-role-aggregation.ts'

const rule = (verb: string) => ({ verbs: [verb], apiGroups: [''], resources: ['pods'] })
const summand = (name: string, ...verbs: readonly string[]): ClusterRole => {
  return { metadata: { name, labels: { sum: 'true' } }, rules: verbs.map(rule) }
}
const sum = (...verbs: readonly string[]): ClusterRole => ({
  metadata: { name: 'sum', labels: { sum: 'true' } },
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: { sum: 'true' } }, { matchLabels: { also: 'true' } }] },
  rules: verbs.map(rule),
})
const also: ClusterRole = { metadata: { name: 'also', labels: { also: 'true' } }, rules: [rule('watch'), rule('get')] }
const stranger: ClusterRole = { metadata: { name: 'other' }, rules: [rule('delete')] }

for (const [behaviour, role, others, verbs] of [
  ['a sum without summands is empty', sum('get'), [stranger], []],
  [
    'rules come by selector, by name, once',
    sum(),
    [summand('b', 'list', 'get'), also, summand('a', 'get')],
    ['get', 'list', 'watch'],
  ],
  ['a sum is no summand of itself', sum('get', 'list'), [summand('a', 'get')], ['get']],
  ['nothing happens when the rules are right', sum('get'), [summand('a', 'get')], undefined],
] as const)
  test(behaviour, () => {
    const { actions } = planAggregation({ role, all: [...others, role] })
    const [action] = actions
    const body = action?.do === 'patch' ? action.patch.body : undefined
    expect(body).toEqual(verbs && { rules: verbs.map(rule) })
  })
