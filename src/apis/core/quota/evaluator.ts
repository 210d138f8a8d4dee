/** How one resource counts against quotas: which of a quota's names are about it, and how much an object uses of them. */

import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { ResourceQuota, ScopedResourceSelectorRequirement } from '../types.gen.ts'
import { type Amounts, ONE } from './amounts.ts'

/** A write, as far as quotas care. */
export interface QuotaWrite {
  readonly operation: string
  readonly subresource: string
  readonly object: KubeObject
  /** Undefined for a creation. */
  readonly previous: KubeObject | undefined
}

export interface QuotaEvaluator {
  readonly group: string
  readonly resource: string
  /** Whether a write can change what is used. */
  handles(write: QuotaWrite): boolean
  /** Those of a quota's names that are about this resource. */
  matchingNames(names: Iterable<string>): readonly string[]
  matchesScope(selector: ScopedResourceSelectorRequirement, object: KubeObject): boolean
  /** What the object must say when a quota limits these names and does not; undefined: it says all. */
  missing?(names: readonly string[], object: KubeObject): string | undefined
  usage(object: KubeObject, nowMs: number): Amounts
  /** Whether an update gives something back, so that quotas are to be counted anew. */
  replenishes(object: KubeObject, previous: KubeObject, nowMs: number): boolean
}

/** `count/deployments.apps`: how a quota names the number of objects of a resource. */
export function countName(group: string, resource: string): string {
  return group === '' ? `count/${resource}` : `count/${resource}.${group}`
}

/** For everything that is only counted; `alias` is the name that quotas have for it besides. */
export function countEvaluator(group: string, resource: string, alias?: string): QuotaEvaluator {
  const names = new Set(alias === undefined ? [countName(group, resource)] : [countName(group, resource), alias])
  const usage: Amounts = new Map([...names].map((name) => [name, ONE]))
  return {
    group,
    resource,
    handles: ({ operation, subresource }) => operation === 'CREATE' && subresource === '',
    matchingNames: (all) => [...all].filter((name) => names.has(name)),
    matchesScope: () => false,
    usage: () => usage,
    replenishes: () => false,
  }
}

/** All scopes of a quota in one form: those of `spec.scopes` ask for existence. */
export function scopeSelectors({ spec }: ResourceQuota): readonly ScopedResourceSelectorRequirement[] {
  const plain = (spec.scopes ?? []).map((scopeName) => ({ scopeName, operator: 'Exists' }) as const)
  return [...plain, ...(spec.scopeSelector?.matchExpressions ?? [])]
}

export function isInScope(evaluator: QuotaEvaluator, quota: ResourceQuota, object: KubeObject): boolean {
  return scopeSelectors(quota).every((selector) => evaluator.matchesScope(selector, object))
}

/** Whether a selector holds for an object whose value under the scope's name is one of `values`, or which has none. */
export function selectsValue(
  { operator, values = [] }: ScopedResourceSelectorRequirement,
  own: Iterable<string>,
): boolean {
  const has = [...own]
  switch (operator) {
    case 'Exists':
      return has.length > 0
    case 'DoesNotExist':
      return has.length === 0
    case 'In':
      return has.some((value) => values.includes(value))
    default:
      return has.length === 0 || has.some((value) => !values.includes(value))
  }
}
