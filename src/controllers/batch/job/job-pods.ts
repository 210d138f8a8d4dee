/** What a job wants to know of one of its pods: whether it is counted already, its index, whether and when it failed. */

import type { Job } from '../../../apis/batch/types.gen.ts'
import { isRestartableInit, podCondition } from '../../../apis/core/pod/pod-status.ts'
import type { ContainerStatus, Pod } from '../../../apis/core/types.gen.ts'
import { parseTime } from '../../../machinery/meta/time.ts'

/** On every pod until its job has counted it: no pod is lost, whoever deletes it. */
export const JOB_TRACKING_FINALIZER = 'batch.kubernetes.io/job-tracking'
/** An annotation and a label. */
export const COMPLETION_INDEX = 'batch.kubernetes.io/job-completion-index'
/** How many pods of the index failed before this one, and how many of them did not count. */
export const INDEX_FAILURE_COUNT = 'batch.kubernetes.io/job-index-failure-count'
export const INDEX_IGNORED_FAILURE_COUNT = 'batch.kubernetes.io/job-index-ignored-failure-count'

const INT32_MAX = 2 ** 31 - 1

export function isTracked({ metadata }: Pod): boolean {
  return (metadata.finalizers ?? []).includes(JOB_TRACKING_FINALIZER)
}

export function isPodSucceeded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded'
}

/** Undefined for a pod without an index, or with one that somebody has broken. */
export function completionIndex({ metadata }: Pod): number | undefined {
  const text = metadata.annotations?.[COMPLETION_INDEX] ?? ''
  const index = /^\+?\d+$/.test(text) ? Number(text) : undefined
  return Number.isSafeInteger(index) ? index : undefined
}

/** The index, if it is one of the job's. */
export function indexBelow(pod: Pod, completions: number): number | undefined {
  const index = completionIndex(pod)
  return index !== undefined && index < completions ? index : undefined
}

export function indexFailures(pod: Pod): number {
  return countOf(pod, INDEX_FAILURE_COUNT)
}

export function ignoredIndexFailures(pod: Pod): number {
  return countOf(pod, INDEX_IGNORED_FAILURE_COUNT)
}

function countOf({ metadata }: Pod, annotation: string): number {
  const text = metadata.annotations?.[annotation] ?? ''
  const count = /^\+?\d+$/.test(text) ? Number(text) : 0
  return count <= INT32_MAX ? count : 0
}

/** Whether a pod on its way out is waited for before there is another one. */
export function replacesOnlyFailed({ spec }: Job): boolean {
  return spec.podReplacementPolicy === 'Failed' || spec.podFailurePolicy !== undefined
}

/** A deleted pod counts as failed: it may never get to say so itself. */
export function isPodFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true
  if (replacesOnlyFailed(job)) return false
  return Boolean(pod.metadata.deletionTimestamp) && !isPodSucceeded(pod)
}

/** By its containers, else by when it was not ready any more, was deleted, or at worst was made. */
export function finishedMs(pod: Pod): number {
  return containersFinishedMs(pod) ?? unreadyMs(pod) ?? deletedMs(pod) ?? parseTime(pod.metadata.creationTimestamp) ?? 0
}

/** Undefined as long as one container of those that matter runs. */
function containersFinishedMs({ spec, status }: Pod): number | undefined {
  const sidecars = new Set((spec?.initContainers ?? []).filter(isRestartableInit).map(({ name }) => name))
  const inits = (status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name))
  const times = [...(status?.containerStatuses ?? []), ...inits].map(containerFinishedMs)
  const known = times.filter((time) => time !== undefined)
  return known.length > 0 && known.length === times.length ? Math.max(...known) : undefined
}

function containerFinishedMs({ state }: ContainerStatus): number | undefined {
  return parseTime(state?.terminated?.finishedAt)
}

function unreadyMs(pod: Pod): number | undefined {
  const ready = podCondition(pod, 'Ready')
  return ready?.status === 'False' ? parseTime(ready.lastTransitionTime) : undefined
}

function deletedMs({ metadata }: Pod): number | undefined {
  const deletion = parseTime(metadata.deletionTimestamp)
  return deletion === undefined ? undefined : deletion - (metadata.deletionGracePeriodSeconds ?? 0) * 1000
}
