/**
 * Counting pods so that none is lost and none is counted twice. A finished pod keeps a finalizer until the status says
 * that it is known, by its uid or its index; what is known and has no finalizer any more becomes part of the counts:
 *
 *   pod ends     status.uncountedTerminatedPods.succeeded: [uid]     pod.finalizers: [job-tracking]
 *   next look    status.uncountedTerminatedPods.succeeded: [uid]     pod.finalizers: []
 *   next look    status.succeeded: 1                                 (the pod may go)
 *
 * Each line is one write, and whatever happens between two of them, the next look goes on from there.
 */

import { isIndexed } from '../../../apis/batch/job-rules.ts'
import type { Job, JobStatus } from '../../../apis/batch/types.gen.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { hasIndex, type Indexes } from './intervals.ts'
import { completionIndex, indexBelow, isPodFailed, isPodSucceeded, isTracked } from './job-pods.ts'
import { judgeFailure } from './pod-failure-policy.ts'
import { recordedVerdict, type Verdict } from './verdict.ts'

/** Keeps the lists of uids in a status below 20 KB, and one big job from holding up the others. */
const UNCOUNTED_PODS_MAX = 500

export interface Tracking {
  /** What is counted, once those pods are counted whose finalizers are gone. */
  readonly succeeded: number
  readonly failed: number
  readonly uncounted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] }
  /** Indexes of pods that are known with the next status. */
  readonly newIndexes: readonly number[]
  /** Pods that the status knows: their finalizers go. */
  readonly known: readonly Pod[]
  /** More pods than one status takes are waiting. */
  readonly isPartial: boolean
}

export interface TrackingRequest {
  readonly job: Job
  readonly pods: readonly Pod[]
  readonly verdict: Verdict | undefined
  /** Of the status, for indexed jobs. */
  readonly counted: Indexes
  /** Failed pods whose successors are not there yet. */
  readonly awaited: ReadonlyMap<number, Pod>
}

export function track(request: TrackingRequest): Tracking {
  const { job, pods, counted } = request
  const { succeeded = [], failed = [] } = job.status?.uncountedTerminatedPods ?? {}
  const tracked = inIndexOrder(pods.filter(isTracked))
  const uids = new Set(tracked.map(({ metadata }) => metadata.uid))
  const waiting = { succeeded: succeeded.filter((uid) => uids.has(uid)), failed: failed.filter((uid) => uids.has(uid)) }
  const newIndexes: number[] = []
  const known: Pod[] = []
  let isPartial = false
  for (const pod of tracked) {
    const { metadata } = pod
    const standing = standingOf(request, pod)
    if (standing === 'stays') continue
    if (standing === 'known') known.push(pod)
    else if (standing === 'failed') waiting.failed.push(metadata.uid ?? '')
    else if (standing === 'succeeded') waiting.succeeded.push(metadata.uid ?? '')
    else if (!hasIndex(counted, standing) && !newIndexes.includes(standing)) newIndexes.push(standing)
    isPartial = newIndexes.length + waiting.succeeded.length + waiting.failed.length >= UNCOUNTED_PODS_MAX
    if (isPartial) break
  }
  return {
    succeeded: (job.status?.succeeded ?? 0) + succeeded.filter((uid) => !uids.has(uid)).length,
    failed: (job.status?.failed ?? 0) + failed.filter((uid) => !uids.has(uid)).length,
    uncounted: waiting,
    newIndexes,
    known,
    isPartial,
  }
}

/** Not done with it yet; known; or to be noted, by its uid or by its index. */
type Standing = 'stays' | 'known' | 'succeeded' | 'failed' | number

function standingOf({ job, verdict, counted, awaited }: TrackingRequest, pod: Pod): Standing {
  const { completions = 0 } = job.spec
  const uncounted = job.status?.uncountedTerminatedPods
  const uid = pod.metadata.uid ?? ''
  const indexed = isIndexed(job.spec)
  const index = indexed ? indexBelow(pod, completions) : undefined
  const isFailed = isPodFailed(pod, job)
  const isNotedFailed = (uncounted?.failed ?? []).includes(uid)
  if (isPodSucceeded(pod)) {
    if (isNotedFailed) return 'known'
    if (indexed) return index === undefined || hasIndex(counted, index) ? 'known' : index
    return (uncounted?.succeeded ?? []).includes(uid) ? 'known' : 'succeeded'
  }
  const goes = isFailed ? !isAwaited(pod, awaited) || verdict !== undefined : verdict !== undefined
  if (!goes && !job.metadata.deletionTimestamp) return 'stays'
  // Pods that only the verdict ends wait until the verdict stands in the status.
  if (!isFailed && verdict && !recordedVerdict(job)) return 'stays'
  const counts = isFailed || verdict?.type === 'FailureTarget'
  if (!counts || isNotedFailed || (indexed && index === undefined)) return 'known'
  return judgeFailure(job, pod).counts ? 'failed' : 'known'
}

function isAwaited(pod: Pod, awaited: ReadonlyMap<number, Pod>): boolean {
  const index = completionIndex(pod)
  return index !== undefined && awaited.get(index)?.metadata.uid === pod.metadata.uid
}

function inIndexOrder(pods: readonly Pod[]): readonly Pod[] {
  return pods.toSorted((left, right) => (completionIndex(left) ?? -1) - (completionIndex(right) ?? -1))
}

/** Failures that count towards the limit: counted, noted, and new ones. */
export function failedCount(job: Job, pods: readonly Pod[]): number {
  const { uncountedTerminatedPods, failed = 0 } = job.status ?? {}
  const noted = uncountedTerminatedPods?.failed ?? []
  const news = newPods(job, pods, noted).filter((pod) => isPodFailed(pod, job) && judgeFailure(job, pod).counts)
  return failed + noted.length + news.length
}

/** For jobs without indexes; the others count their indexes. */
export function succeededCount(job: Job, pods: readonly Pod[]): number {
  const { uncountedTerminatedPods, succeeded = 0 } = job.status ?? {}
  const noted = uncountedTerminatedPods?.succeeded ?? []
  return succeeded + noted.length + newPods(job, pods, noted).filter(isPodSucceeded).length
}

function newPods(job: Job, pods: readonly Pod[], noted: readonly string[]): readonly Pod[] {
  const { completions = 0 } = job.spec
  const isValid = (pod: Pod): boolean => !isIndexed(job.spec) || indexBelow(pod, completions) !== undefined
  return pods.filter((pod) => isTracked(pod) && !noted.includes(pod.metadata.uid ?? '') && isValid(pod))
}

/** Absent lists, as the API writes them. */
export function uncountedStatus({ uncounted }: Tracking): NonNullable<JobStatus['uncountedTerminatedPods']> {
  const { succeeded, failed } = uncounted
  return { ...(succeeded.length > 0 ? { succeeded } : {}), ...(failed.length > 0 ? { failed } : {}) }
}
