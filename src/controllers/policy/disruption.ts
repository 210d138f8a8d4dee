/**
 * disruption-controller: counts for every PodDisruptionBudget how many of its pods are healthy and how many may go.
 * Evictions take from that count; it is made anew when pods change.
 */

import { deployments } from '../../apis/apps/deployment.ts'
import { replicaSets } from '../../apis/apps/replica-set.ts'
import { statefulSets } from '../../apis/apps/stateful-set.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { isPodReady, isPodTerminating } from '../../apis/core/pod/pod-status.ts'
import { replicationControllers } from '../../apis/core/replication-controller.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { podDisruptionBudgets } from '../../apis/policy/pod-disruption-budget.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../apis/policy/types.gen.ts'
import { groupBy } from '../../base/group-by.ts'
import { setCondition } from '../../machinery/meta/conditions.ts'
import { parseApiVersion } from '../../machinery/meta/group-version.ts'
import { scaledValue } from '../../machinery/meta/int-or-string.ts'
import { selectorFromLabelSelector } from '../../machinery/meta/labels.ts'
import { type KubeObject, keyOf, type OwnerReference } from '../../machinery/meta/object.ts'
import { controllerOf } from '../../machinery/meta/owner.ts'
import { formatTime, parseTime } from '../../machinery/meta/time.ts'
import type { Action } from '../runtime/action.ts'
import { type Cache, defineController, type Plan } from '../runtime/controller.ts'
import { plannedEvent, statusActions } from '../runtime/status.ts'
import { selectorDescription } from './selector-description.ts'

/** A pod that was evicted counts as gone for this long, though it is still there. */
const DELETION_MS = 120_000
/** When to look again for a controller that the cache does not know yet. */
const UNKNOWN_OWNER_MS = 1_000

export interface BudgetView {
  readonly budget: PodDisruptionBudget
  /** All that the budget selects. */
  readonly pods: readonly Pod[]
  /** How many pods the controllers of these pods want, by the uid that pods name; absent: no known controller. */
  readonly scales: ReadonlyMap<string, Scale>
}

/** ReplicaSets of one Deployment count once, as the Deployment. */
export interface Scale {
  readonly uid: string
  readonly replicas: number
}

/** What says how many pods there should be. */
const SCALED: readonly ResourceDefinition[] = [deployments, replicaSets, replicationControllers, statefulSets]

export const disruptionController = defineController({
  name: 'disruption-controller',
  reconciles: podDisruptionBudgets,
  watches: [
    { definition: pods, keysOf: budgetsOf },
    ...SCALED.map((definition) => ({ definition, keysOf: budgetsNearby })),
  ],
  observe: (cache, key): BudgetView | undefined => {
    const budget = cache.get(podDisruptionBudgets, key)
    if (!budget) return undefined
    const selector = selectorFromLabelSelector(budget.spec.selector)
    const selected = cache.list(pods, key.namespace).filter(({ metadata }) => selector.matches(metadata.labels))
    return { budget, pods: selected, scales: scalesOf(cache, selected) }
  },
  plan: planBudget,
})

function budgetsOf({ metadata }: Pod, cache: Cache) {
  return cache
    .list(podDisruptionBudgets, metadata.namespace)
    .filter(({ spec }) => selectorFromLabelSelector(spec.selector).matches(metadata.labels))
    .map(keyOf)
}

function budgetsNearby({ metadata }: KubeObject, cache: Cache) {
  return cache.list(podDisruptionBudgets, metadata.namespace).map(keyOf)
}

function scalesOf(cache: Cache, selected: readonly Pod[]): ReadonlyMap<string, Scale> {
  const owners = groupBy(selected, (pod) => controllerOf(pod)?.uid)
  const scales = new Map<string, Scale>()
  for (const [uid, [pod]] of owners) {
    const reference = pod && controllerOf(pod)
    const scale = reference && scaleOf(cache, reference, pod.metadata.namespace)
    if (uid !== undefined && scale) scales.set(uid, scale)
  }
  return scales
}

function scaleOf(cache: Cache, reference: OwnerReference, namespace: string | undefined): Scale | undefined {
  const replicaSet = referenced(cache, replicaSets, reference, namespace)
  const above = replicaSet && controllerOf(replicaSet)
  const owner =
    above?.kind === deployments.kind
      ? referenced(cache, deployments, above, namespace)
      : (replicaSet ??
        referenced(cache, statefulSets, reference, namespace) ??
        referenced(cache, replicationControllers, reference, namespace))
  return owner && { uid: owner.metadata.uid ?? '', replicas: owner.spec?.replicas ?? 1 }
}

function referenced<T extends KubeObject>(
  cache: Cache,
  definition: ResourceDefinition<T>,
  { apiVersion, kind, name, uid }: OwnerReference,
  namespace: string | undefined,
): T | undefined {
  if (kind !== definition.kind || parseApiVersion(apiVersion)?.group !== definition.group) return undefined
  const found = cache.get(definition, { namespace, name })
  return found?.metadata.uid === uid ? found : undefined
}

export function planBudget(view: BudgetView, nowMs: number): Plan {
  const { budget, pods: selected } = view
  const wanted = wantedPods(view)
  if ('failure' in wanted) return failed(budget, wanted.failure, nowMs)
  const { disruptedPods, overdue } = disruptions(view, nowMs)
  const healthy = selected.filter(
    (pod) => !isPodTerminating(pod) && isPodReady(pod) && !Object.hasOwn(disruptedPods, pod.metadata.name ?? ''),
  )
  const { expectedPods, desiredHealthy } = wanted
  const currentHealthy = healthy.length
  // A budget without pods allows nothing: its first pods must not go before they were counted.
  const disruptionsAllowed = expectedPods > 0 ? Math.max(0, currentHealthy - desiredHealthy) : 0
  const counts = { currentHealthy, desiredHealthy, expectedPods, disruptionsAllowed, disruptedPods }
  const update = statusActions(podDisruptionBudgets, budget, statusOf(budget, counts, nowMs))
  const news = update.length > 0 ? newsOf(view, wanted.unmanaged) : []
  const late = overdue.map((pod): Action => ({ do: 'event', event: notDeleted(budget, pod) }))
  return { actions: [...news, ...late, ...update], requeueAfterMs: nextCheckMs(disruptedPods, nowMs) }
}

type Wanted =
  | { readonly expectedPods: number; readonly desiredHealthy: number; readonly unmanaged: boolean }
  | { readonly failure: string }

function wantedPods({ budget: { spec }, pods: selected, scales }: BudgetView): Wanted {
  const { minAvailable, maxUnavailable } = spec
  if (maxUnavailable === undefined && typeof minAvailable === 'number')
    return { expectedPods: selected.length, desiredHealthy: minAvailable, unmanaged: false }
  const bound = maxUnavailable ?? minAvailable
  if (bound === undefined) return { expectedPods: 0, desiredHealthy: 0, unmanaged: false }
  const controlled = selected.filter((pod) => controllerOf(pod) !== undefined)
  const lost = controlled.find((pod) => !scales.has(controllerOf(pod)?.uid ?? ''))
  if (lost) return { failure: `found no controllers for pod "${lost.metadata.name}"` }
  const replicas = new Map([...scales.values()].map((scale) => [scale.uid, scale.replicas]))
  const expectedPods = [...replicas.values()].reduce((sum, count) => sum + count, 0)
  const count = scaledValue(bound, expectedPods, 'up') ?? 0
  const desiredHealthy = maxUnavailable === undefined ? count : Math.max(0, expectedPods - count)
  return { expectedPods, desiredHealthy, unmanaged: controlled.length < selected.length }
}

/** Evicted pods that may still go, and those that should have gone. */
function disruptions({ budget, pods: selected }: BudgetView, nowMs: number) {
  const noted = new Map(Object.entries(budget.status?.disruptedPods ?? {}))
  const waiting = selected.filter((pod) => !isPodTerminating(pod) && noted.has(pod.metadata.name ?? ''))
  const isOverdue = ({ metadata: { name = '' } }: Pod) => (parseTime(noted.get(name)) ?? 0) + DELETION_MS < nowMs
  const disruptedPods = Object.fromEntries(
    waiting.filter((pod) => !isOverdue(pod)).map(({ metadata: { name = '' } }) => [name, noted.get(name) ?? '']),
  )
  return { disruptedPods, overdue: waiting.filter(isOverdue) }
}

function nextCheckMs(disruptedPods: Readonly<Record<string, string>>, nowMs: number): number | undefined {
  const times = Object.values(disruptedPods).map((time) => (parseTime(time) ?? nowMs) + DELETION_MS)
  return times.length === 0 ? undefined : Math.max(0, Math.min(...times) - nowMs) + 1
}

interface Counts {
  readonly currentHealthy: number
  readonly desiredHealthy: number
  readonly expectedPods: number
  readonly disruptionsAllowed: number
  readonly disruptedPods: Readonly<Record<string, string>>
}

function statusOf({ metadata, status }: PodDisruptionBudget, counts: Counts, nowMs: number): PodDisruptionBudgetStatus {
  const observedGeneration = metadata.generation ?? 0
  const allowed = counts.disruptionsAllowed > 0
  const condition = {
    type: 'DisruptionAllowed',
    status: allowed ? 'True' : 'False',
    reason: allowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration,
    lastTransitionTime: formatTime(nowMs),
  } as const
  const { disruptedPods, ...numbers } = counts
  return {
    ...numbers,
    ...(Object.keys(disruptedPods).length > 0 ? { disruptedPods } : {}),
    observedGeneration,
    conditions: setCondition(status?.conditions, condition, formatTime(nowMs)),
  }
}

/** What cannot be counted allows nothing. */
function failed(budget: PodDisruptionBudget, message: string, nowMs: number): Plan {
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message,
    observedGeneration: budget.status?.observedGeneration ?? 0,
    lastTransitionTime: formatTime(nowMs),
  } as const
  const conditions = setCondition(budget.status?.conditions, condition, formatTime(nowMs))
  const update = statusActions(podDisruptionBudgets, budget, { ...budget.status, disruptionsAllowed: 0, conditions })
  const text = `Failed to calculate the number of expected pods: ${message}`
  const news = update.length > 0 ? [budgetEvent(budget, 'Warning', 'CalculateExpectedPodCountFailed', text)] : []
  return { actions: [...news, ...update], requeueAfterMs: UNKNOWN_OWNER_MS }
}

function newsOf({ budget, pods: selected }: BudgetView, unmanaged: boolean): readonly Action[] {
  if (selected.length === 0) return [budgetEvent(budget, 'Normal', 'NoPods', 'No matching pods found')]
  if (!unmanaged) return []
  const message =
    `Pods selected by this PodDisruptionBudget (selector: ${selectorDescription(budget.spec.selector)}) were found to ` +
    'be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined ' +
    'behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.'
  return [budgetEvent(budget, 'Warning', 'UnmanagedPods', message)]
}

function budgetEvent(budget: PodDisruptionBudget, type: 'Normal' | 'Warning', reason: string, message: string): Action {
  return { do: 'event', event: plannedEvent(podDisruptionBudgets, budget, { type, reason, message }) }
}

function notDeleted({ metadata }: PodDisruptionBudget, pod: Pod) {
  const message = `Pod was expected by PDB ${metadata.namespace}/${metadata.name} to be deleted but it wasn't`
  return plannedEvent(pods, pod, { type: 'Warning', reason: 'NotDeleted', message })
}
