/** The status of a job as one look leads to it, and what is told of it. */

import { countIndexes } from '../../../apis/batch/index-intervals.ts'
import { jobs } from '../../../apis/batch/job.ts'
import type { Job, JobCondition, JobStatus } from '../../../apis/batch/types.gen.ts'
import { isPodReady } from '../../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { findCondition } from '../../../machinery/meta/conditions.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import type { PlannedEvent } from '../../runtime/action.ts'
import { plannedEvent } from '../../runtime/status.ts'
import type { IndexState } from './indexed.ts'
import { indexesOf, indexesText, union } from './intervals.ts'
import { type Tracking, uncountedStatus } from './tracking.ts'
import { isSuspended, recordedVerdict, type Verdict } from './verdict.ts'

export interface StatusFacts {
  readonly job: Job
  /** Active pods that stay, and how many there will be on their way out and newly made. */
  readonly staying: readonly Pod[]
  readonly terminating: number
  readonly created: number
  readonly tracking: Tracking
  readonly indexes: IndexState | undefined
  readonly verdict: Verdict | undefined
  /** Whether pods are managed at this look: only then does the job become suspended or resumed. */
  readonly isManaged: boolean
}

export interface NextStatus {
  readonly status: JobStatus
  readonly events: readonly PlannedEvent[]
}

export function nextStatus(facts: StatusFacts, nowMs: number): NextStatus {
  const counted = withCounts(facts)
  const started = counted.startTime || isSuspended(facts.job) ? counted : { ...counted, startTime: formatTime(nowMs) }
  if (facts.verdict) return withVerdict(facts, facts.verdict, started, nowMs)
  return facts.isManaged ? withSuspension(facts.job, started, nowMs) : { status: started, events: [] }
}

function withCounts({ job, staying, terminating, created, tracking, indexes }: StatusFacts): JobStatus {
  const { completedIndexes: _, failedIndexes: __, ...status } = job.status ?? {}
  const completed = indexes && union(indexes.succeeded, indexesOf(tracking.newIndexes))
  return {
    ...status,
    active: positive(staying.length + created),
    ready: staying.filter(isPodReady).length,
    terminating,
    succeeded: positive(completed ? countIndexes(completed) : tracking.succeeded),
    failed: positive(tracking.failed),
    uncountedTerminatedPods: uncountedStatus(tracking),
    ...(completed && completed.length > 0 ? { completedIndexes: indexesText(completed) } : {}),
    ...(indexes?.failed ? { failedIndexes: indexesText(indexes.failed) } : {}),
  }
}

/** What the API does not write when it is zero. */
function positive(count: number): number | undefined {
  return count > 0 ? count : undefined
}

/** The verdict, and with the last pod its end. */
function withVerdict(
  { job, tracking, staying, terminating }: StatusFacts,
  verdict: Verdict,
  status: JobStatus,
  nowMs: number,
): NextStatus {
  const conditions = status.conditions ?? []
  const { type, reason, message } = verdict
  if (!recordedVerdict(job))
    return { status: { ...status, conditions: [...conditions, conditionOf(type, reason, message, nowMs)] }, events: [] }
  const waiting = tracking.uncounted.succeeded.length + tracking.uncounted.failed.length + tracking.newIndexes.length
  if (waiting + staying.length + terminating > 0 || tracking.isPartial) return { status, events: [] }
  const isSuccess = type === 'SuccessCriteriaMet'
  const end = conditionOf(isSuccess ? 'Complete' : 'Failed', reason, message, nowMs)
  const finished = {
    ...status,
    conditions: [...conditions, end],
    ...(isSuccess ? { completionTime: formatTime(nowMs) } : {}),
  }
  return {
    status: finished,
    events: isSuccess ? successEvents(job, finished) : [event(job, 'Warning', reason, message)],
  }
}

function successEvents(job: Job, { succeeded = 0 }: JobStatus): readonly PlannedEvent[] {
  const completed = event(job, 'Normal', 'Completed', 'Job completed')
  const { completions } = job.spec
  if (completions === undefined || succeeded <= completions) return [completed]
  const message = 'Too many succeeded pods running after completion count reached'
  return [event(job, 'Warning', 'TooManySucceededPods', message), completed]
}

/** A job that never was suspended has no condition of it. A resumed one starts its clock anew. */
function withSuspension(job: Job, status: JobStatus, nowMs: number): NextStatus {
  const conditions = status.conditions ?? []
  const previous = findCondition(conditions, 'Suspended')
  const suspended = isSuspended(job)
  const next = suspended
    ? conditionOf('Suspended', 'JobSuspended', 'Job suspended', nowMs)
    : { ...conditionOf('Suspended', 'JobResumed', 'Job resumed', nowMs), status: 'False' }
  const isSame = previous ? previous.status === next.status && previous.reason === next.reason : !suspended
  if (isSame) return { status, events: [] }
  const replaced = previous ? conditions.map((one) => (one === previous ? next : one)) : [...conditions, next]
  const { startTime: _, ...others } = status
  return {
    status: { ...others, conditions: replaced, ...(suspended ? {} : { startTime: formatTime(nowMs) }) },
    events: [event(job, 'Normal', suspended ? 'Suspended' : 'Resumed', next.message ?? '')],
  }
}

function conditionOf(type: string, reason: string, message: string, nowMs: number): JobCondition {
  const now = formatTime(nowMs)
  return { type, status: 'True', lastProbeTime: now, lastTransitionTime: now, reason, message }
}

function event(job: Job, type: 'Normal' | 'Warning', reason: string, message: string): PlannedEvent {
  return plannedEvent(jobs, job, { type, reason, message })
}
