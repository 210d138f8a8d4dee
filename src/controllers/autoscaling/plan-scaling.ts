/** What an autoscaler does, decided purely: how many replicas there shall be, what its status says, and what is told. */

import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  MetricStatus,
} from '../../apis/autoscaling/types.gen.ts'
import { setCondition } from '../../machinery/meta/conditions.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import type { MetricOutcome } from './metric-proposal.ts'
import { normalize } from './normalize.ts'
import { type ScalingHistory, withRecommendation } from './scaling-history.ts'

export interface ScalingView {
  readonly autoscaler: HorizontalPodAutoscaler
  /** How many replicas the workload should have now. */
  readonly current: number
  /** One for each metric of the autoscaler, or why none could be looked at. */
  readonly metrics: readonly MetricOutcome[] | SelectorTrouble
  readonly history: ScalingHistory
}

/** The pods of the workload cannot be told. */
export interface SelectorTrouble {
  readonly eventReason: string
  readonly conditionReason: string
  readonly event: string
  readonly condition: string
}

export interface ScalingNews {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

export interface ScalingPlan {
  /** Undefined: the workload stays as it is. */
  readonly rescale?: { readonly replicas: number; readonly reason: string } | undefined
  readonly status: HorizontalPodAutoscalerStatus
  readonly events: readonly ScalingNews[]
  readonly history: ScalingHistory
}

type Status = 'True' | 'False'
type Conditions = readonly HorizontalPodAutoscalerCondition[]

export function condition(
  conditions: Conditions | undefined,
  type: string,
  { status, reason, message }: { readonly status: Status; readonly reason: string; readonly message: string },
  nowMs: number,
): Conditions {
  return setCondition(conditions, { type, status, reason, message }, formatTime(nowMs))
}

/** Whether the metrics have to be looked at: not for a workload that is switched off or out of its bounds. */
export function needsMetrics({ spec }: HorizontalPodAutoscaler, current: number): boolean {
  return current !== 0 && current <= spec.maxReplicas && current >= (spec.minReplicas ?? 1)
}

export function planScaling(view: ScalingView, nowMs: number): ScalingPlan {
  const { autoscaler, current, history } = view
  const found = condition(
    autoscaler.status?.conditions,
    'AbleToScale',
    {
      status: 'True',
      reason: 'SucceededGetScale',
      message: "the HPA controller was able to get the target's current scale",
    },
    nowMs,
  )
  const { minReplicas = 1, maxReplicas } = autoscaler.spec
  if (current === 0) return switchedOff(view, found, nowMs)
  if (current > maxReplicas)
    return outOfBounds(view, found, maxReplicas, 'Current number of replicas above Spec.MaxReplicas')
  if (current < minReplicas)
    return outOfBounds(view, found, minReplicas, 'Current number of replicas below Spec.MinReplicas')
  return 'condition' in view.metrics
    ? unselectable(view, view.metrics, found, nowMs)
    : byMetrics({ autoscaler, current, history }, view.metrics, found, nowMs)
}

function switchedOff({ autoscaler, current, history }: ScalingView, found: Conditions, nowMs: number): ScalingPlan {
  const message = 'scaling is disabled since the replica count of the target is zero'
  const conditions = condition(found, 'ScalingActive', { status: 'False', reason: 'ScalingDisabled', message }, nowMs)
  return { status: statusOf(autoscaler, current, current, { conditions }), events: [], history }
}

function outOfBounds(
  { autoscaler, current, history }: ScalingView,
  conditions: Conditions,
  replicas: number,
  reason: string,
): ScalingPlan {
  const status = statusOf(autoscaler, current, replicas, { conditions })
  return { rescale: { replicas, reason }, status, events: [], history }
}

function unselectable(
  { autoscaler, current, history }: ScalingView,
  trouble: SelectorTrouble,
  found: Conditions,
  nowMs: number,
): ScalingPlan {
  const inactive = { status: 'False', reason: trouble.conditionReason, message: trouble.condition } as const
  const conditions = condition(found, 'ScalingActive', inactive, nowMs)
  const desired = autoscaler.status?.desiredReplicas ?? 0
  const events = [warning(trouble.eventReason, trouble.event), warning('FailedComputeMetricsReplicas', trouble.event)]
  return { status: statusOf(autoscaler, current, desired, { conditions }), events, history }
}

function byMetrics(
  { autoscaler, current, history }: Omit<ScalingView, 'metrics'>,
  outcomes: readonly MetricOutcome[],
  found: Conditions,
  nowMs: number,
): ScalingPlan {
  const failures = outcomes.filter((outcome) => 'error' in outcome)
  const proposals = outcomes.filter((outcome) => 'replicas' in outcome)
  const [highest] = proposals.toSorted((left, right) => right.replicas - left.replicas)
  const currentMetrics = outcomes.map((outcome): MetricStatus => ('status' in outcome ? outcome.status : { type: '' }))
  const events = failures.map(({ reason, detail }) => warning(reason, detail))
  const [failure] = failures
  // What could not be measured might have asked for more: with a gap nothing is taken away.
  if (failure && (!highest || highest.replicas < current)) {
    const message = `the HPA was unable to compute the replica count: ${failure.detail}`
    const conditions = condition(found, 'ScalingActive', { status: 'False', reason: failure.reason, message }, nowMs)
    const desired = autoscaler.status?.desiredReplicas ?? 0
    const summary = `invalid metrics (${failures.length} invalid out of ${outcomes.length}), first error is: ${failure.error}`
    const status = statusOf(autoscaler, current, desired, { conditions, currentMetrics })
    return { status, events: [...events, warning('FailedComputeMetricsReplicas', summary)], history }
  }
  const desired = highest?.replicas ?? 0
  const message = `the HPA was able to successfully calculate a replica count from ${highest?.name ?? ''}`
  const active = condition(found, 'ScalingActive', { status: 'True', reason: 'ValidMetricFound', message }, nowMs)
  const normalized = normalize({ autoscaler, current, desired, history, nowMs })
  const able = condition(active, 'AbleToScale', { status: 'True', ...normalized.ableToScale }, nowMs)
  const conditions = condition(able, 'ScalingLimited', normalized.limited, nowMs)
  const { replicas } = normalized
  const reason =
    desired > current ? `${highest?.name} above target` : desired < current ? 'All metrics below target' : ''
  return {
    ...(replicas === current ? {} : { rescale: { replicas, reason } }),
    status: statusOf(autoscaler, current, replicas, { conditions, currentMetrics }),
    events,
    history: withRecommendation(history, desired, nowMs),
  }
}

/** After the workload's scale has been written. */
export function rescaledStatus(
  status: HorizontalPodAutoscalerStatus,
  replicas: number,
  nowMs: number,
): HorizontalPodAutoscalerStatus {
  const message = `the HPA controller was able to update the target scale to ${replicas}`
  const able = { status: 'True', reason: 'SucceededRescale', message } as const
  return {
    ...status,
    conditions: condition(status.conditions, 'AbleToScale', able, nowMs),
    lastScaleTime: formatTime(nowMs),
  }
}

/** After that has failed: nothing is desired any more than before. */
export function failedRescaleStatus(
  { status: before }: HorizontalPodAutoscaler,
  status: HorizontalPodAutoscalerStatus,
  error: string,
  nowMs: number,
): HorizontalPodAutoscalerStatus {
  const message = `the HPA controller was unable to update the target scale: ${error}`
  const unable = { status: 'False', reason: 'FailedUpdateScale', message } as const
  const conditions = condition(status.conditions, 'AbleToScale', unable, nowMs)
  return { ...status, desiredReplicas: before?.desiredReplicas ?? 0, conditions }
}

/** When the workload's scale cannot be had. */
export function noScaleStatus(
  { status }: HorizontalPodAutoscaler,
  error: string,
  nowMs: number,
): HorizontalPodAutoscalerStatus {
  const message = `the HPA controller was unable to get the target's current scale: ${error}`
  const unable = { status: 'False', reason: 'FailedGetScale', message } as const
  const conditions = condition(status?.conditions, 'AbleToScale', unable, nowMs)
  return { ...status, desiredReplicas: status?.desiredReplicas ?? 0, conditions }
}

function statusOf(
  { status }: HorizontalPodAutoscaler,
  currentReplicas: number,
  desiredReplicas: number,
  {
    conditions,
    currentMetrics,
  }: { readonly conditions: Conditions; readonly currentMetrics?: readonly MetricStatus[] },
): HorizontalPodAutoscalerStatus {
  const scaled = status?.lastScaleTime === undefined ? {} : { lastScaleTime: status.lastScaleTime }
  return { ...scaled, currentReplicas, desiredReplicas, conditions, currentMetrics: currentMetrics ?? null }
}

function warning(reason: string, message: string): ScalingNews {
  return { type: 'Warning', reason, message }
}
