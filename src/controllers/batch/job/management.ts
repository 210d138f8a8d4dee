/** How many pods a job should have at once, which ones are too many, and which ones to make. */

import { jobs } from '../../../apis/batch/job.ts'
import { isIndexed } from '../../../apis/batch/job-rules.ts'
import type { Job } from '../../../apis/batch/types.gen.ts'
import { pods as podDefinition } from '../../../apis/core/pod/definition.ts'
import type { Pod, PodTemplateSpec } from '../../../apis/core/types.gen.ts'
import { keyOf, type ObjectMeta } from '../../../machinery/meta/object.ts'
import { podsToDelete } from '../../apps/pod-ranking.ts'
import { createPodAction, deletePodAction, podFromTemplate } from '../../apps/pod-template.ts'
import type { Action } from '../../runtime/action.ts'
import { type Failures, remainingIndexMs, remainingMs } from './backoff.ts'
import { type IndexState, indexNameBase, indexTemplate, pendingIndexes, surplusIndexPods } from './indexed.ts'
import { isTracked, JOB_TRACKING_FINALIZER, replacesOnlyFailed } from './job-pods.ts'
import { isSuspended } from './verdict.ts'

/** Pods that are created or deleted before the world is looked at again. */
const PODS_PER_LOOK_MAX = 500
/** A job is not looked at more often than this for its back-off. */
const BACKOFF_LOOK_MS_MIN = 1_000

export interface Workforce {
  readonly job: Job
  readonly active: readonly Pod[]
  readonly terminating: readonly Pod[]
  readonly succeeded: number
  readonly failures: Failures
  readonly indexes: IndexState | undefined
  readonly awaited: ReadonlyMap<number, Pod>
}

export interface Management {
  readonly surplus: readonly Pod[]
  readonly creations: readonly Action[]
  /** When the back-off allows more pods. */
  readonly lookAgainMs?: number | undefined
}

const NOTHING: Management = { surplus: [], creations: [] }

/** Either pods are too many or too few, never both at one look. */
export function manage(workforce: Workforce, nowMs: number): Management {
  const { job, active, terminating } = workforce
  if (isSuspended(job)) return { ...NOTHING, surplus: active }
  const wanted = wantedActive(workforce)
  const surplus = surplusPods(job, active, active.length - wanted, nowMs)
  if (surplus.length > 0) return { ...NOTHING, surplus: surplus.slice(0, PODS_PER_LOOK_MAX) }
  const missing = wanted - active.length - (replacesOnlyFailed(job) ? terminating.length : 0)
  return missing > 0 ? creationsOf(workforce, Math.min(missing, PODS_PER_LOOK_MAX), nowMs) : NOTHING
}

/** Never more than what is still to be completed; without completions, none once one has succeeded. */
function wantedActive({ job, active, succeeded }: Workforce): number {
  const { parallelism = 1, completions } = job.spec
  if (completions === undefined) return succeeded > 0 ? active.length : parallelism
  return Math.max(0, Math.min(completions - succeeded, parallelism))
}

function surplusPods(job: Job, active: readonly Pod[], count: number, nowMs: number): readonly Pod[] {
  const { completions = 0 } = job.spec
  const wrong = isIndexed(job.spec) ? surplusIndexPods(active, completions, nowMs) : []
  const others = active.filter((pod) => !wrong.includes(pod))
  return [...wrong, ...podsToDelete(others, [], Math.max(0, count - wrong.length), nowMs)]
}

function creationsOf(workforce: Workforce, count: number, nowMs: number): Management {
  const { job, failures, indexes, awaited } = workforce
  const template = trackedTemplate(job.spec.template)
  const waitMs = job.spec.backoffLimitPerIndex === undefined ? remainingMs(failures, nowMs) : 0
  if (waitMs > 0) return { ...NOTHING, lookAgainMs: Math.max(waitMs, BACKOFF_LOOK_MS_MIN) }
  if (!indexes) {
    const pod = podFromTemplate(jobs, job, template)
    return { surplus: [], creations: Array.from({ length: count }, () => createPodAction(jobs, job, pod)) }
  }
  const pending = pendingIndexes(job, workforce, indexes, count)
  const waits = pending.map((index) => remainingIndexMs(awaited.get(index), nowMs))
  const ready = pending.filter((_, position) => waits[position] === 0)
  if (ready.length === 0 && waits.length > 0)
    return { ...NOTHING, lookAgainMs: Math.max(Math.min(...waits), BACKOFF_LOOK_MS_MIN) }
  return { surplus: [], creations: ready.map((index) => createIndexPod(job, template, index, awaited.get(index))) }
}

function createIndexPod(job: Job, template: PodTemplateSpec, index: number, replaced: Pod | undefined): Action {
  const pod = podFromTemplate(jobs, job, indexTemplate(job, template, index, replaced))
  const generateName = indexNameBase(job.metadata.name ?? '', index)
  return createPodAction(jobs, job, { ...pod, metadata: { ...pod.metadata, generateName } })
}

function trackedTemplate(template: PodTemplateSpec): PodTemplateSpec {
  const { finalizers = [] } = template.metadata ?? {}
  if (finalizers.includes(JOB_TRACKING_FINALIZER)) return template
  return { ...template, metadata: { ...template.metadata, finalizers: [...finalizers, JOB_TRACKING_FINALIZER] } }
}

/** Pods that nobody misses are let go first and deleted at the next look: they did not fail. */
export function removalActions(job: Job, surplus: readonly Pod[]): readonly Action[] {
  return [
    ...surplus.filter(isTracked).map(untrackAction),
    ...surplus.filter((pod) => !isTracked(pod)).map((pod) => deletePodAction(jobs, job, pod)),
  ]
}

/** Takes the finalizer from the pod. */
export function untrackAction(pod: Pod): Action {
  return untracking(pod, { uid: pod.metadata.uid })
}

/** Only while the pod is still as it was seen. */
export function untrackUnchangedAction(pod: Pod): Action {
  const { uid, resourceVersion } = pod.metadata
  return untracking(pod, { uid, resourceVersion })
}

function untracking(pod: Pod, preconditions: Pick<ObjectMeta, 'uid' | 'resourceVersion'>): Action {
  const metadata = { ...preconditions, '$deleteFromPrimitiveList/finalizers': [JOB_TRACKING_FINALIZER] }
  return {
    do: 'patch',
    definition: podDefinition,
    key: keyOf(pod),
    patch: { type: 'strategic', body: { metadata } },
  }
}
