/**
 * What an autoscaler remembers: what it would have liked before, and what it has changed. From this follows how far it
 * may go now. Values: nothing is changed in place.
 */

import type { HPAScalingRules } from '../../apis/autoscaling/types.gen.ts'

export interface ScalingHistory {
  readonly recommendations: readonly { readonly replicas: number; readonly atMs: number }[]
  readonly added: readonly ScaleChange[]
  readonly removed: readonly ScaleChange[]
}

export interface ScaleChange {
  /** How many replicas came or went. */
  readonly count: number
  readonly atMs: number
}

/** Without behaviour: the highest of what was wanted in this time counts, so that workloads do not flutter. Upstream's. */
export const DOWNSCALE_WINDOW_SECONDS = 300
/** Longest window and period that the API takes. */
const WINDOW_SECONDS_MAX = 3_600

export function initialHistory(replicas: number, nowMs: number): ScalingHistory {
  return { recommendations: [{ replicas, atMs: nowMs }], added: [], removed: [] }
}

/** What no window reaches any more is forgotten. */
export function withRecommendation(history: ScalingHistory, replicas: number, nowMs: number): ScalingHistory {
  const recent = ({ atMs }: { readonly atMs: number }) => atMs > nowMs - WINDOW_SECONDS_MAX * 1_000
  return {
    recommendations: [...history.recommendations.filter(recent), { replicas, atMs: nowMs }],
    added: history.added.filter(recent),
    removed: history.removed.filter(recent),
  }
}

export function withChange(history: ScalingHistory, from: number, to: number, nowMs: number): ScalingHistory {
  const change = { count: Math.abs(to - from), atMs: nowMs }
  if (to > from) return { ...history, added: [...history.added, change] }
  return { ...history, removed: [...history.removed, change] }
}

/** The highest of what is wanted now and was wanted within the window. */
export function highestRecent(history: ScalingHistory, replicas: number, windowSeconds: number, nowMs: number): number {
  return Math.max(replicas, ...recent(history, windowSeconds, nowMs))
}

export function lowestRecent(history: ScalingHistory, replicas: number, windowSeconds: number, nowMs: number): number {
  return Math.min(replicas, ...recent(history, windowSeconds, nowMs))
}

function recent({ recommendations }: ScalingHistory, windowSeconds: number, nowMs: number): readonly number[] {
  const cutoffMs = nowMs - windowSeconds * 1_000
  return recommendations.filter(({ atMs }) => atMs > cutoffMs).map(({ replicas }) => replicas)
}

type Policy = NonNullable<HPAScalingRules['policies']>[number]

/** The most replicas there may be, by the policies and what happened in their periods. */
export function upLimit(history: ScalingHistory, replicas: number, rules: HPAScalingRules, nowMs: number): number {
  if (rules.selectPolicy === 'Disabled') return replicas
  const limits = (rules.policies ?? []).map((policy) => {
    const start = replicasAtStart(history, replicas, policy, nowMs)
    return policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100))
  })
  const chosen = rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits)
  return Math.max(replicas, chosen)
}

/** The fewest. */
export function downLimit(history: ScalingHistory, replicas: number, rules: HPAScalingRules, nowMs: number): number {
  if (rules.selectPolicy === 'Disabled') return replicas
  const limits = (rules.policies ?? []).map((policy) => {
    const start = replicasAtStart(history, replicas, policy, nowMs)
    return policy.type === 'Pods' ? start - policy.value : Math.trunc(start * (1 - policy.value / 100))
  })
  const chosen = rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits)
  return Math.min(replicas, chosen)
}

function replicasAtStart(history: ScalingHistory, replicas: number, { periodSeconds }: Policy, nowMs: number): number {
  const cutoffMs = nowMs - periodSeconds * 1_000
  const within = (changes: readonly ScaleChange[]) =>
    changes.filter(({ atMs }) => atMs > cutoffMs).reduce((sum, { count }) => sum + count, 0)
  return replicas - within(history.added) + within(history.removed)
}
