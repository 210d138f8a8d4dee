/**
 * What has to change for a stored role or binding to give at least what the cluster needs it to give. What people added
 * stays; what they took away comes back, unless they said that the object is theirs.
 */

import type { AggregationRule, ClusterRole, PolicyRule, RoleRef, Subject } from '../../../apis/rbac/types.gen.ts'
import { withField } from '../../../apis/strategy-parts.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import type { KubeObject, ObjectMeta } from '../../../machinery/meta/object.ts'
import { AUTOUPDATE_ANNOTATION } from './bootstrap-roles.ts'
import { missingRules } from './rule-cover.ts'

interface AnyRole extends KubeObject {
  readonly rules?: readonly PolicyRule[] | null | undefined
  readonly aggregationRule?: AggregationRule | undefined
}

interface AnyBinding extends KubeObject {
  readonly roleRef: RoleRef
  readonly subjects?: readonly Subject[] | undefined
}

/** The role as it should be; the same object when nothing is missing. */
export function reconciledRole<T extends AnyRole>(existing: T, expected: ClusterRole): T {
  if (isProtected(existing)) return existing
  // Most starts find what the last one left.
  const missing = deepEqual(existing.rules, expected.rules) ? [] : missingRules(existing.rules, expected.rules)
  const selectors = expected.aggregationRule && {
    clusterRoleSelectors: union(
      existing.aggregationRule?.clusterRoleSelectors,
      expected.aggregationRule.clusterRoleSelectors,
    ),
  }
  const marked = { ...existing, metadata: withMarks(existing.metadata, expected.metadata) }
  const complete = missing.length > 0 ? { ...marked, rules: [...(existing.rules ?? []), ...missing] } : marked
  const wanted = withField(complete, 'aggregationRule', selectors)
  return deepEqual(wanted, existing) ? existing : wanted
}

/** `replace`: the role of a binding cannot be changed, so it is made anew. */
export type ReconciledBinding<T> = { readonly do: 'keep' | 'update' | 'replace'; readonly binding: T }

export function reconciledBinding<T extends AnyBinding>(existing: T, expected: T): ReconciledBinding<T> {
  if (isProtected(existing)) return { do: 'keep', binding: existing }
  if (!deepEqual(existing.roleRef, expected.roleRef)) return { do: 'replace', binding: expected }
  const subjects = union(existing.subjects, expected.subjects)
  const metadata = withMarks(existing.metadata, expected.metadata)
  const binding = { ...existing, metadata, ...(subjects.length > 0 && { subjects }) }
  return deepEqual(binding, existing) ? { do: 'keep', binding: existing } : { do: 'update', binding }
}

function isProtected({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[AUTOUPDATE_ANNOTATION] === 'false'
}

/** Labels and annotations that are there win. */
function withMarks(existing: ObjectMeta, expected: ObjectMeta): ObjectMeta {
  return {
    ...existing,
    labels: { ...expected.labels, ...existing.labels },
    annotations: { ...expected.annotations, ...existing.annotations },
  }
}

function union<T>(existing: readonly T[] = [], expected: readonly T[] = []): readonly T[] {
  return [...existing, ...expected.filter((wanted) => !existing.some((one) => deepEqual(one, wanted)))]
}
