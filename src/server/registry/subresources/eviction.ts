/**
 * Eviction: a delete that disruption budgets may refuse. A budget is charged before the pod is deleted: its
 * `disruptionsAllowed` goes down by one and the pod is noted, until the disruption controller counts again.
 */

import type { Pod } from '../../../apis/core/types.gen.ts'
import type { PodDisruptionBudget } from '../../../apis/policy/types.gen.ts'
import { ApiError, tooManyRequests } from '../../../machinery/meta/api-error.ts'
import { setCondition } from '../../../machinery/meta/conditions.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import type { KubeObject, ObjectKey } from '../../../machinery/meta/object.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import type { WriteOptions } from '../context.ts'
import type { DeleteWish } from '../delete.ts'
import type { Endpoint } from '../endpoint.ts'
import { ALL_NOW } from '../list.ts'
import type { Registry } from '../registry.ts'

/** Pods noted in one budget that the controller has not seen yet; upstream's limit. */
const DISRUPTED_PODS_MAX = 2_000
/** Until a budget that has just changed is asked again; upstream's. */
const PROCESSING_RETRY_SECONDS = 10

export interface EvictionParts {
  readonly pods: Registry<Pod>
  /** Undefined where budgets are not served. */
  readonly budgets: Registry<PodDisruptionBudget> | undefined
  readonly nowMs: number
}

/** Throws 429 when a budget has no disruption left. */
export async function evict(
  { pods, budgets, nowMs }: EvictionParts,
  key: ObjectKey,
  wish: DeleteWish,
  options: WriteOptions,
): Promise<void> {
  const stored = await pods.get(key)
  const pod = stored.object()
  const budget = budgets && !needsNoBudget(pod) ? await budgetOf(budgets, pod) : undefined
  if (budgets && budget && !isUnhealthyAndFree(pod, budget)) {
    const place = { namespace: key.namespace, name: budget.metadata.name ?? '' }
    const change = (live: PodDisruptionBudget | undefined) => charged(live ?? budget, key.name, nowMs)
    await budgets.update(
      place,
      { change, endpoint: statusAsIs(), creates: false, withoutVersion: 'taken', tracked: true },
      options,
    )
  }
  const change = (live: Pod | undefined) => announced(live ?? pod, nowMs)
  await pods.update(
    key,
    { change, endpoint: statusAsIs(), creates: false, withoutVersion: 'taken', tracked: true },
    options,
  )
  await pods.delete(key, { uid: stored.uid, ...wish }, options)
}

/** Says in the pod's status why it goes, before it goes: failure policies of Jobs read it. */
function announced(pod: Pod, nowMs: number): Pod {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    observedGeneration: pod.metadata.generation,
  }
  return {
    ...pod,
    status: { ...pod.status, conditions: setCondition(pod.status?.conditions, condition, formatTime(nowMs)) },
  }
}

/** Takes the status as it is: whoever may evict may say so. */
function statusAsIs<T extends KubeObject>(): Endpoint<T> {
  return { subresource: 'status', prepareForUpdate: (object) => object, validate: () => [], resetFields: [] }
}

/** A pod that is over, not started or on its way out takes nothing from anyone. */
function needsNoBudget({ metadata, status }: Pod): boolean {
  const phase = status?.phase ?? ''
  return Boolean(metadata.deletionTimestamp) || phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending'
}

async function budgetOf(
  budgets: Registry<PodDisruptionBudget>,
  { metadata }: Pod,
): Promise<PodDisruptionBudget | undefined> {
  const { items } = await budgets.list({ ...ALL_NOW, namespace: metadata.namespace ?? '' })
  const matching = items
    .map((item) => item.object())
    .filter(({ spec }) => selectorFromLabelSelector(spec.selector).matches(metadata.labels))
  if (matching.length > 1)
    throw new ApiError(
      500,
      'InternalError',
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  return matching[0]
}

/** A pod that is not ready may go when the budget says so, or when enough others are healthy. */
function isUnhealthyAndFree({ status }: Pod, { spec, status: budget }: PodDisruptionBudget): boolean {
  const isReady = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
  if (isReady) return false
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = budget ?? {}
  return currentHealthy >= desiredHealthy && desiredHealthy > 0
}

function charged(budget: PodDisruptionBudget, podName: string, nowMs: number): PodDisruptionBudget {
  const { metadata, status = {} } = budget
  const { disruptionsAllowed = 0, disruptedPods = {}, observedGeneration = 0 } = status
  if (observedGeneration < (metadata.generation ?? 0)) {
    const cause = `The disruption budget ${metadata.name} is still being processed by the server.`
    throw refusal(cause, PROCESSING_RETRY_SECONDS)
  }
  if (disruptionsAllowed <= 0) throw refusal(neededText(budget), 0)
  if (Object.keys(disruptedPods).length > DISRUPTED_PODS_MAX)
    throw new ApiError(
      403,
      'Forbidden',
      'DisruptedPods map too big - too many evictions not confirmed by PDB controller',
    )
  const noted = { ...disruptedPods, [podName]: formatTime(nowMs) }
  return { ...budget, status: { ...status, disruptionsAllowed: disruptionsAllowed - 1, disruptedPods: noted } }
}

function neededText({ metadata, status }: PodDisruptionBudget): string {
  const { desiredHealthy = 0, currentHealthy = 0 } = status ?? {}
  return `The disruption budget ${metadata.name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
}

function refusal(message: string, retryAfterSeconds: number): ApiError {
  const text = "Cannot evict pod as it would violate the pod's disruption budget."
  return tooManyRequests(text, retryAfterSeconds, [{ reason: 'DisruptionBudget', message }])
}
