/** From what the metrics ask for to what is done: stabilised, limited in speed, and within the autoscaler's bounds. */

import type { HorizontalPodAutoscaler, HPAScalingRules } from '../../apis/autoscaling/types.gen.ts'
import {
  DOWNSCALE_WINDOW_SECONDS,
  downLimit,
  highestRecent,
  lowestRecent,
  type ScalingHistory,
  upLimit,
} from './scaling-history.ts'

export interface Wish {
  readonly autoscaler: HorizontalPodAutoscaler
  readonly current: number
  readonly desired: number
  readonly history: ScalingHistory
  readonly nowMs: number
}

interface Told {
  readonly reason: string
  readonly message: string
}

export interface Normalized {
  readonly replicas: number
  readonly ableToScale: Told
  readonly limited: Told & { readonly status: 'True' | 'False' }
}

const READY: Told = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' }
const HIGHER = 'recent recommendations were higher than current one, applying the highest recent recommendation'
const LOWER = 'recent recommendations were lower than current one, applying the lowest recent recommendation'

const IN_RANGE: Told = { reason: 'DesiredWithinRange', message: 'the desired count is within the acceptable range' }
const TOO_FEW: Told = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
}
const TOO_MANY: Told = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
}
const TOO_FAST: Told = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
}
const TOO_FAST_DOWN: Told = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
}

/** Without behaviour a workload at most doubles at a time, but may always have this many. */
const FREE_REPLICAS = 4

export function normalize(wish: Wish): Normalized {
  const { behavior } = wish.autoscaler.spec
  if (!behavior) return plainly(wish)
  const up = behavior.scaleUp ?? {}
  const down = behavior.scaleDown ?? {}
  const stable = stabilized(wish, up, down)
  const told =
    wish.desired >= wish.current
      ? { reason: 'ScaleUpStabilized', message: LOWER }
      : { reason: 'ScaleDownStabilized', message: HIGHER }
  const ableToScale = stable === wish.desired ? READY : told
  return { ...atRate(wish, stable, up, down), ableToScale }
}

function plainly({ autoscaler, current, desired, history, nowMs }: Wish): Normalized {
  const { minReplicas = 1, maxReplicas } = autoscaler.spec
  const stable = highestRecent(history, desired, DOWNSCALE_WINDOW_SECONDS, nowMs)
  const ableToScale = stable === desired ? READY : { reason: 'ScaleDownStabilized', message: HIGHER }
  const fastest = Math.max(2 * current, FREE_REPLICAS)
  const most = Math.min(maxReplicas, fastest)
  if (stable < minReplicas) return { replicas: minReplicas, ableToScale, limited: { status: 'True', ...TOO_FEW } }
  if (stable <= most) return { replicas: stable, ableToScale, limited: { status: 'False', ...IN_RANGE } }
  const limited = maxReplicas > fastest ? TOO_FAST : TOO_MANY
  return { replicas: most, ableToScale, limited: { status: 'True', ...limited } }
}

/** As near to what there is as the recommendations of the two windows allow. */
function stabilized({ current, desired, history, nowMs }: Wish, up: HPAScalingRules, down: HPAScalingRules): number {
  const lowest = lowestRecent(history, desired, up.stabilizationWindowSeconds ?? 0, nowMs)
  const downWindow = down.stabilizationWindowSeconds ?? DOWNSCALE_WINDOW_SECONDS
  const highest = highestRecent(history, desired, downWindow, nowMs)
  return Math.min(Math.max(current, lowest), highest)
}

function atRate(
  { autoscaler, current, history, nowMs }: Wish,
  stable: number,
  up: HPAScalingRules,
  down: HPAScalingRules,
): Pick<Normalized, 'replicas' | 'limited'> {
  const { minReplicas = 1, maxReplicas } = autoscaler.spec
  if (stable > current) {
    const fastest = upLimit(history, current, up, nowMs)
    const most = Math.min(maxReplicas, fastest)
    const limited = maxReplicas > fastest ? TOO_FAST : TOO_MANY
    if (stable > most) return { replicas: most, limited: { status: 'True', ...limited } }
  } else if (stable < current) {
    const slowest = downLimit(history, current, down, nowMs)
    const fewest = Math.max(minReplicas, slowest)
    const limited = minReplicas < slowest ? TOO_FAST_DOWN : TOO_FEW
    if (stable < fewest) return { replicas: fewest, limited: { status: 'True', ...limited } }
  }
  return { replicas: stable, limited: { status: 'False', ...IN_RANGE } }
}
