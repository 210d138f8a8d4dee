/** The conditions of a pod that its node answers for: pure. Reasons and messages are upstream's. */

import type { ContainerStatus, Pod, PodCondition } from '../apis/core/types.gen.ts'
import { formatTime } from '../machinery/meta/time.ts'
import { newestOf, type PodView, podContainers, sandboxOf } from './pod-view.ts'
import { resizeConditions } from './resize.ts'

interface Verdict {
  readonly type: string
  readonly status: 'True' | 'False'
  readonly reason?: string | undefined
  readonly message?: string | undefined
}

export function conditionsOf(
  view: PodView,
  phase: string,
  statuses: ReadonlyMap<string, ContainerStatus>,
): readonly PodCondition[] {
  const containersReady = containersReadyVerdict(view, phase, statuses)
  const verdicts: readonly Verdict[] = [
    { type: 'PodReadyToStartContainers', status: sandboxOf(view) ? 'True' : 'False' },
    initializedVerdict(view, phase, statuses),
    readyVerdict(view.pod, containersReady),
    containersReady,
    { type: 'PodScheduled', status: 'True' },
    ...resizeConditions(view),
  ]
  return verdicts.map((verdict) => condition(verdict, view.pod.status?.conditions ?? [], view))
}

/** Types that only the node writes: when one of them is not among its conditions, it does not hold. */
const OWN_TYPES: ReadonlySet<string> = new Set([
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'PodResizePending',
  'PodResizeInProgress',
])

/** The node's conditions, with those of others as they stand now. */
export function mergeConditions(
  own: readonly PodCondition[],
  current: readonly PodCondition[] | undefined,
): readonly PodCondition[] {
  return [...own, ...(current ?? []).filter(({ type }) => !OWN_TYPES.has(type))]
}

function condition(verdict: Verdict, previous: readonly PodCondition[], { pod, nowMs }: PodView): PodCondition {
  const before = previous.find(({ type }) => type === verdict.type)
  const unchanged = before?.status === verdict.status
  return {
    ...verdict,
    lastProbeTime: null,
    lastTransitionTime: unchanged ? before.lastTransitionTime : formatTime(nowMs),
    observedGeneration: pod.metadata.generation,
  }
}

function initializedVerdict(view: PodView, phase: string, statuses: ReadonlyMap<string, ContainerStatus>): Verdict {
  const type = 'Initialized'
  if (phase === 'Succeeded') return { type, status: 'True', reason: 'PodCompleted' }
  const mainsBegan = podContainers(view.pod).some(
    ({ kind, spec }) => kind === 'main' && newestOf(view, spec.name) !== undefined,
  )
  if (mainsBegan) return { type, status: 'True' }
  const incomplete = podContainers(view.pod)
    .filter(
      ({ kind, spec }) =>
        (kind === 'init' && !statuses.get(spec.name)?.ready) ||
        (kind === 'sidecar' && !statuses.get(spec.name)?.started),
    )
    .map(({ spec }) => spec.name)
  if (incomplete.length === 0) return { type, status: 'True' }
  const message = `containers with incomplete status: [${incomplete.join(' ')}]`
  return { type, status: 'False', reason: 'ContainersNotInitialized', message }
}

function containersReadyVerdict(view: PodView, phase: string, statuses: ReadonlyMap<string, ContainerStatus>): Verdict {
  const type = 'ContainersReady'
  if (phase === 'Succeeded') return { type, status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' }
  const unready = podContainers(view.pod)
    .filter(({ kind, spec }) => (kind === 'main' || kind === 'sidecar') && !statuses.get(spec.name)?.ready)
    .map(({ spec }) => spec.name)
  if (unready.length === 0) return { type, status: 'True' }
  return {
    type,
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  }
}

function readyVerdict({ spec, status }: Pod, containersReady: Verdict): Verdict {
  const type = 'Ready'
  if (containersReady.status === 'False') return { ...containersReady, type }
  const missing = (spec?.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = status?.conditions?.find((candidate) => candidate.type === conditionType)
    if (gate?.status === 'True') return []
    return gate
      ? `the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`
      : `corresponding condition of pod readiness gate "${conditionType}" does not exist.`
  })
  if (missing.length === 0) return { type, status: 'True' }
  return { type, status: 'False', reason: 'ReadinessGatesNotReady', message: missing.join(', ') }
}
