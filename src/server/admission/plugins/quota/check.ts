/**
 * What quotas say to a write, decided purely: the quotas as they stand when it has happened, or why it must not.
 * Rules and words are upstream's. Example: a quota of `pods: 2`, used `pods: 2`, and a third pod:
 * `exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2`.
 */

import {
  type Amounts,
  amountsOf,
  amountsText,
  increaseOf,
  namesAbove,
  negativeNames,
  only,
  sumOf,
  textsOf,
  withoutZeros,
} from '../../../../apis/core/quota/amounts.ts'
import { isInScope, type QuotaEvaluator, type QuotaWrite } from '../../../../apis/core/quota/evaluator.ts'
import type { ResourceQuota } from '../../../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../../../base/group-by.ts'

export type QuotaVerdict =
  /** Quotas that are charged, as they are and as they will be. */
  | { readonly result: 'fits'; readonly charged: readonly Charged[] }
  | { readonly result: 'refused'; readonly detail: string }

export interface Charged {
  readonly before: ResourceQuota
  readonly after: ResourceQuota
}

export function checkQuotas(
  quotas: readonly ResourceQuota[],
  write: QuotaWrite,
  evaluator: QuotaEvaluator,
  nowMs: number,
): QuotaVerdict {
  const concerned = quotas.filter((quota) => concerns(quota, evaluator, write.object))
  for (const quota of concerned) {
    const detail = obstacle(quota, evaluator, write)
    if (detail !== undefined) return { result: 'refused', detail }
  }
  const usage = evaluator.usage(write.object, nowMs)
  const negative = negativeNames(usage)
  if (negative.length > 0)
    return { result: 'refused', detail: `quota usage is negative for resource(s): ${namesText(negative)}` }
  const previous = write.previous && { object: write.previous, usage: evaluator.usage(write.previous, nowMs) }
  const charged: Charged[] = []
  for (const quota of concerned) {
    // What has not counted here before is charged in full, as for a new object.
    const counted = previous && isInScope(evaluator, quota, previous.object)
    const increase = withoutZeros(counted ? increaseOf(usage, previous.usage) : usage)
    if (increase.size === 0) continue
    const outcome = charge(quota, increase, write.subresource === 'status')
    if (typeof outcome === 'string') return { result: 'refused', detail: outcome }
    if (outcome !== quota) charged.push({ before: quota, after: outcome })
  }
  return { result: 'fits', charged }
}

function concerns(quota: ResourceQuota, evaluator: QuotaEvaluator, object: QuotaWrite['object']): boolean {
  return evaluator.matchingNames(hardNames(quota)).length > 0 && isInScope(evaluator, quota, object)
}

function hardNames({ status }: ResourceQuota): readonly string[] {
  return Object.keys(status?.hard ?? {})
}

/** What keeps the quota from being applied at all. */
function obstacle(quota: ResourceQuota, evaluator: QuotaEvaluator, { object }: QuotaWrite): string | undefined {
  const names = evaluator.matchingNames(hardNames(quota))
  const missing = evaluator.missing?.(names, object)
  const name = quota.metadata.name ?? ''
  if (missing !== undefined) return `failed quota: ${name}: ${missing}`
  const used = quota.status?.used ?? {}
  if (names.every((resource) => Object.hasOwn(used, resource))) return undefined
  return `status unknown for quota: ${name}, resources: ${namesText(names)}`
}

/** The quota with more used, or why not. Statuses report what has happened: they are charged whatever the limit. */
function charge(quota: ResourceQuota, increase: Amounts, isReport: boolean): ResourceQuota | string {
  const hard = amountsOf(quota.status?.hard)
  const used = amountsOf(quota.status?.used)
  const requested = only(increase, hard)
  if (requested.size === 0) return quota
  const total = sumOf(used, requested)
  const exceeded = isReport ? new Set<string>() : namesAbove(only(total, requested), hard)
  if (exceeded.size > 0) {
    const texts = [requested, used, hard].map((amounts) => amountsText(only(amounts, exceeded)))
    return `exceeded quota: ${quota.metadata.name}, requested: ${texts[0]}, used: ${texts[1]}, limited: ${texts[2]}`
  }
  return { ...quota, status: { ...quota.status, used: textsOf(total) } }
}

function namesText(names: readonly string[]): string {
  return names.toSorted(byCodeUnit).join(',')
}
