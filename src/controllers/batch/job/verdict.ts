/**
 * Whether a job is to end, and how. A verdict is first a condition of its own, `FailureTarget` or `SuccessCriteriaMet`;
 * only when all pods are gone and counted does it become `Failed` or `Complete`. Once said it stays.
 */

import { countIndexes } from '../../../apis/batch/index-intervals.ts'
import type { Job } from '../../../apis/batch/types.gen.ts'
import { templateSpec } from '../../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { findCondition } from '../../../machinery/meta/conditions.ts'
import { parseTime } from '../../../machinery/meta/time.ts'
import type { IndexState } from './indexed.ts'
import { isPodFailed } from './job-pods.ts'
import { judgeFailure } from './pod-failure-policy.ts'
import { metSuccessRule } from './success-policy.ts'

export interface Verdict {
  readonly type: 'FailureTarget' | 'SuccessCriteriaMet'
  readonly reason: string
  readonly message: string
}

/** What there is to judge by. */
export interface Evidence {
  readonly job: Job
  readonly pods: readonly Pod[]
  /** Failures that count, of pods that are still to be counted too. */
  readonly failed: number
  readonly indexes: IndexState | undefined
}

/** The verdict that the job has, or that its failures and its success policy lead to. Nothing of its completions. */
export function verdictOf(evidence: Evidence, nowMs: number): Verdict | undefined {
  return recordedVerdict(evidence.job) ?? failureOf(evidence, nowMs) ?? policySuccess(evidence)
}

export function recordedVerdict({ status }: Job): Verdict | undefined {
  for (const type of ['SuccessCriteriaMet', 'FailureTarget'] as const) {
    const condition = findCondition(status?.conditions, type)
    if (condition?.status === 'True') return { type, reason: condition.reason ?? '', message: condition.message ?? '' }
  }
  return undefined
}

export const completionsReached: Verdict = {
  type: 'SuccessCriteriaMet',
  reason: 'CompletionsReached',
  message: 'Reached expected number of succeeded pods',
}

export function isSuspended({ spec }: Job): boolean {
  return spec.suspend === true
}

/** When the job's deadline passes; undefined without one, and as long as its clock stands still. */
export function deadlineMs(job: Job): number | undefined {
  const start = parseTime(job.status?.startTime)
  const { activeDeadlineSeconds } = job.spec
  if (activeDeadlineSeconds === undefined || start === undefined || isSuspended(job)) return undefined
  return start + activeDeadlineSeconds * 1000
}

function failureOf({ job, pods, failed, indexes }: Evidence, nowMs: number): Verdict | undefined {
  const failsJob = failingPod(job, pods)
  if (failsJob !== undefined) return failure('PodFailurePolicy', failsJob)
  if (failed > (job.spec.backoffLimit ?? 0) || hasRestartedTooOften(job, pods))
    return failure('BackoffLimitExceeded', 'Job has reached the specified backoff limit')
  if ((deadlineMs(job) ?? Number.POSITIVE_INFINITY) <= nowMs)
    return failure('DeadlineExceeded', 'Job was active longer than specified deadline')
  return indexes?.failed ? indexFailure(job, indexes, countIndexes(indexes.failed)) : undefined
}

function failure(reason: string, message: string): Verdict {
  return { type: 'FailureTarget', reason, message }
}

function failingPod(job: Job, pods: readonly Pod[]): string | undefined {
  if (!job.spec.podFailurePolicy) return undefined
  for (const pod of pods) {
    const { failsJob } = isPodFailed(pod, job) ? judgeFailure(job, pod) : {}
    if (failsJob !== undefined) return failsJob
  }
  return undefined
}

/** Containers that are restarted in their pod count as failures of it. */
function hasRestartedTooOften({ spec }: Job, pods: readonly Pod[]): boolean {
  if (templateSpec(spec.template).restartPolicy !== 'OnFailure') return false
  const running = pods.filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
  const restarts = running
    .flatMap(({ status }) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])])
    .reduce((total, { restartCount }) => total + restartCount, 0)
  const { backoffLimit = 0 } = spec
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit
}

function indexFailure({ spec }: Job, { succeeded }: IndexState, failed: number): Verdict | undefined {
  const { maxFailedIndexes, completions = 0 } = spec
  if (maxFailedIndexes !== undefined && failed > maxFailedIndexes)
    return failure('MaxFailedIndexesExceeded', 'Job has exceeded the specified maximal number of failed indexes')
  if (failed === 0 || failed + countIndexes(succeeded) < completions) return undefined
  return failure('FailedIndexes', 'Job has failed indexes')
}

function policySuccess({ job, indexes }: Evidence): Verdict | undefined {
  const message = indexes && metSuccessRule(job, indexes.succeeded)
  return message === undefined ? undefined : { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message }
}
