/** clusterrole-aggregation-controller: a role that is a sum has the rules of all roles that its selectors take. */

import { clusterRoles } from '../../apis/rbac/cluster-role.ts'
import type { ClusterRole, PolicyRule } from '../../apis/rbac/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { selectorFromLabelSelector } from '../../machinery/meta/labels.ts'
import { type Cache, defineController, type Plan } from '../runtime/controller.ts'

export interface AggregationView {
  readonly role: ClusterRole
  readonly all: readonly ClusterRole[]
}

export const clusterRoleAggregationController = defineController({
  name: 'clusterrole-aggregation-controller',
  reconciles: clusterRoles,
  // Any role may be a summand of any sum.
  watches: [{ definition: clusterRoles, keysOf: (_, cache: Cache) => sums(cache) }],
  observe: (cache, key): AggregationView | undefined => {
    const role = cache.get(clusterRoles, key)
    return role?.aggregationRule && { role, all: cache.list(clusterRoles) }
  },
  plan: planAggregation,
})

function* sums(cache: Cache): Generator<{ readonly name: string }> {
  for (const { metadata, aggregationRule } of cache.list(clusterRoles))
    if (aggregationRule && metadata.name) yield { name: metadata.name }
}

export function planAggregation({ role, all }: AggregationView): Plan {
  const rules = sumOf(role, all)
  const { name = '' } = role.metadata
  if (deepEqual(rules, role.rules ?? [])) return { actions: [] }
  return {
    actions: [{ do: 'patch', definition: clusterRoles, key: { name }, patch: { type: 'merge', body: { rules } } }],
  }
}

/** In the order of the selectors and of the names, each rule once. */
function sumOf({ metadata, aggregationRule }: ClusterRole, all: readonly ClusterRole[]): readonly PolicyRule[] {
  const others = all
    .filter((other) => other.metadata.name !== metadata.name)
    .sort((left, right) => byCodeUnit(left.metadata.name ?? '', right.metadata.name ?? ''))
  const rules: PolicyRule[] = []
  for (const wanted of aggregationRule?.clusterRoleSelectors ?? []) {
    const selector = selectorFromLabelSelector(wanted)
    const summands = others.filter((other) => selector.matches(other.metadata.labels))
    for (const rule of summands.flatMap((summand) => summand.rules ?? []))
      if (!rules.some((known) => deepEqual(known, rule))) rules.push(rule)
  }
  return rules
}
