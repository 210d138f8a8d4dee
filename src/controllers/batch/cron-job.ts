/**
 * cronjob-controller: makes a Job at each time of a CronJob's schedule. The job's name says its time, so that no time
 * has two jobs, whoever dies in between; the status follows the jobs that are there.
 */

import { cronJobs } from '../../apis/batch/cron-job.ts'
import { type CronSchedule, parseCronSchedule } from '../../apis/batch/cron-schedule.ts'
import { jobs } from '../../apis/batch/job.ts'
import { findTimeZone, formatInZone, type TimeZone } from '../../apis/batch/time-zone.ts'
import type { CronJob, CronJobStatus, Job } from '../../apis/batch/types.gen.ts'
import type { ObjectReference } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { isAlreadyExists } from '../../machinery/meta/api-error.ts'
import { isConditionTrue } from '../../machinery/meta/conditions.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import { keyText } from '../../machinery/meta/object.ts'
import { formatTime, parseTime } from '../../machinery/meta/time.ts'
import { type Action, createAction, deleteAction, type PlannedEvent, updateStatusAction } from '../runtime/action.ts'
import { ownedBy } from '../runtime/claim.ts'
import { defineController, type Plan, type ReconcilingController } from '../runtime/controller.ts'
import { isNamespaceTerminating, plannedEvent } from '../runtime/status.ts'
import { dueTime, untilNextMs } from './cron-times.ts'
import { isFinished } from './job/plan.ts'

/** When the job should have started, as the clocks of the CronJob's zone show it. */
const SCHEDULED_TIME = 'batch.kubernetes.io/cronjob-scheduled-timestamp'
const MINUTE_MS = 60_000

export interface CronJobView {
  readonly cronJob: CronJob
  /** The jobs that it controls. */
  readonly children: readonly Job[]
  /** When it got the schedule that it has, if that is known: times before that are not made up for. */
  readonly rescheduledMs?: number | undefined
}

interface Seen {
  readonly uid: string | undefined
  readonly schedule: string
  readonly timeZone: string | undefined
  readonly rescheduledMs?: number | undefined
}

export function cronJobController(): ReconcilingController<CronJobView, CronJob> {
  const schedules = new Map<string, Seen>()
  return defineController({
    name: 'cronjob-controller',
    reconciles: cronJobs,
    owns: [jobs],
    observe: (cache, key, nowMs): CronJobView | undefined => {
      const cronJob = cache.get(cronJobs, key)
      if (!cronJob) {
        schedules.delete(keyText(key))
        return undefined
      }
      const seen = seenNow(cronJob, schedules.get(keyText(key)), nowMs)
      schedules.set(keyText(key), seen)
      return { cronJob, children: cache.controlledBy(jobs, cronJob), rescheduledMs: seen.rescheduledMs }
    },
    plan: planCronJob,
  })
}

function seenNow({ metadata: { uid }, spec }: CronJob, before: Seen | undefined, nowMs: number): Seen {
  const { schedule, timeZone } = spec
  if (before?.uid !== uid) return { uid, schedule, timeZone }
  return before?.schedule === schedule && before.timeZone === timeZone
    ? before
    : { uid, schedule, timeZone, rescheduledMs: nowMs }
}

export function planCronJob(view: CronJobView, nowMs: number): Plan {
  const { cronJob } = view
  const cleanup = historyDeletions(view)
  const status = statusOf(view)
  const start = cronJob.metadata.deletionTimestamp ? { actions: [] } : startOf({ ...view, status: status.next }, nowMs)
  const next = { ...status.next, ...start.status }
  const update = deepEqual(cronJob.status ?? {}, next)
    ? []
    : [updateStatusAction(cronJobs, { ...cronJob, status: next }, { afterSuccess: true, events: status.events })]
  const news = update.length > 0 ? [] : status.events.map((event): Action => ({ do: 'event', event }))
  return { actions: [...news, ...cleanup, ...start.actions, ...update], requeueAfterMs: start.requeueAfterMs }
}

/** The jobs that run, and when one last succeeded. */
function statusOf({ cronJob, children }: CronJobView): {
  readonly next: CronJobStatus
  readonly events: readonly PlannedEvent[]
} {
  const known = new Set((cronJob.status?.active ?? []).map(({ uid }) => uid))
  const byUid = new Map(children.map((job) => [job.metadata.uid, job]))
  const events: PlannedEvent[] = []
  const active: ObjectReference[] = []
  for (const reference of cronJob.status?.active ?? []) {
    const job = byUid.get(reference.uid)
    if (!job) events.push(eventOf(cronJob, 'Normal', 'MissingJob', `Active job went missing: ${reference.name}`))
    else if (isFinished(job)) events.push(completedEvent(cronJob, job))
    else active.push(reference)
  }
  for (const job of children) {
    if (known.has(job.metadata.uid) || isFinished(job) || job.metadata.deletionTimestamp) continue
    if (scheduledMs(job) !== undefined) active.push(referenceTo(job))
    else events.push(unexpectedEvent(cronJob, job))
  }
  const { active: _, lastSuccessfulTime, ...others } = cronJob.status ?? {}
  const succeeded = latestSuccess(children, lastSuccessfulTime)
  return {
    next: {
      ...others,
      ...(active.length > 0 ? { active } : {}),
      ...(succeeded === undefined ? {} : { lastSuccessfulTime: succeeded }),
    },
    events,
  }
}

function completedEvent(cronJob: CronJob, job: Job): PlannedEvent {
  const condition = isSucceeded(job) ? 'Complete' : 'Failed'
  const message = `Saw completed job: ${job.metadata.name}, condition: ${condition}`
  return eventOf(cronJob, 'Normal', 'SawCompletedJob', message)
}

function unexpectedEvent(cronJob: CronJob, { metadata }: Job): PlannedEvent {
  const message = `Saw a job that the controller did not create or forgot: ${metadata.name}`
  return eventOf(cronJob, 'Warning', 'UnexpectedJob', message)
}

function isSucceeded({ status }: Job): boolean {
  return isConditionTrue(status?.conditions, 'Complete')
}

function latestSuccess(children: readonly Job[], known: string | undefined): string | undefined {
  const times = children.filter(isSucceeded).flatMap(({ status }) => status?.completionTime ?? [])
  return [...(known === undefined ? [] : [known]), ...times].reduce<string | undefined>(
    (latest, time) => ((parseTime(latest) ?? 0) < (parseTime(time) ?? 0) ? time : latest),
    undefined,
  )
}

/** The time in the name and the annotation of a job that this controller has made. */
function scheduledMs({ metadata }: Job): number | undefined {
  const ms = parseTime(metadata.annotations?.[SCHEDULED_TIME])
  return ms !== undefined && metadata.name?.endsWith(`-${minutesOf(ms)}`) ? ms : undefined
}

function referenceTo({ metadata }: Job): ObjectReference {
  const { namespace, name, uid, resourceVersion } = metadata
  return { kind: jobs.kind, namespace, name, uid, apiVersion: apiVersionOf(jobs), resourceVersion }
}

interface Start extends Plan {
  readonly status?: CronJobStatus | undefined
}

interface StartView extends CronJobView {
  readonly status: CronJobStatus
}

function startOf(view: StartView, nowMs: number): Start {
  const { cronJob, rescheduledMs = 0 } = view
  const { schedule: text, timeZone, suspend, startingDeadlineSeconds } = cronJob.spec
  const zone = findTimeZone(timeZone ?? '')
  if (!zone)
    return warning(cronJob, 'UnknownTimeZone', `invalid timeZone: "${timeZone}": unknown time zone ${timeZone}`)
  if (suspend) return { actions: [] }
  const schedule = parseCronSchedule(text, zone)
  if (typeof schedule === 'string')
    return warning(cronJob, 'UnparseableSchedule', `unparseable schedule: "${text}" : ${schedule}`)
  const later: Start = { actions: [], requeueAfterMs: untilNextMs(cronJob, schedule, nowMs) }
  const deadlineMs = startingDeadlineSeconds === undefined ? undefined : startingDeadlineSeconds * 1000
  const fromMs = Math.max(rescheduledMs, deadlineMs === undefined ? 0 : nowMs - deadlineMs)
  const time = dueTime(cronJob, schedule, nowMs, fromMs)
  if ('failure' in time) return warning(cronJob, 'InvalidSchedule', `invalid schedule: ${text} : ${time.failure}`)
  if (time.due === undefined) return later
  const warnings = time.isTooMany ? warning(cronJob, 'TooManyMissedTimes', TOO_MANY_MISSED).actions : []
  if (deadlineMs !== undefined && time.due + deadlineMs < nowMs) {
    const missed = `Missed scheduled time to start a job: ${new Date(time.due).toUTCString().replace('GMT', '+0000')}`
    return { ...later, actions: [...warnings, ...warning(cronJob, 'MissSchedule', missed).actions] }
  }
  const started = startNow(view, { due: time.due, zone, schedule }, nowMs)
  return { ...later, ...started, actions: [...warnings, ...started.actions] }
}

const TOO_MANY_MISSED = 'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew'

interface Due {
  readonly due: number
  readonly zone: TimeZone
  readonly schedule: CronSchedule
}

/** Running jobs are left alone, stand in the way, or are deleted; then the new one comes at the next look. */
function startNow({ cronJob, children, status }: StartView, { due, zone, schedule }: Due, nowMs: number): Start {
  const name = `${cronJob.metadata.name}-${minutesOf(due)}`
  if (children.some(({ metadata }) => metadata.name === name)) return { actions: [] }
  const active = status.active ?? []
  const { concurrencyPolicy } = cronJob.spec
  if (concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid'
    return { actions: [{ do: 'event', event: eventOf(cronJob, 'Normal', 'JobAlreadyActive', message) }] }
  }
  if (concurrencyPolicy === 'Replace' && active.length > 0) {
    const uids = new Set(active.map(({ uid }) => uid))
    const replaced = children.filter(({ metadata }) => uids.has(metadata.uid))
    return { actions: replaced.map((job) => deleteJobAction(cronJob, job)), status: { active: undefined } }
  }
  const lastScheduleTime = formatTime(due)
  const next = untilNextMs({ ...cronJob, status: { ...status, lastScheduleTime } }, schedule, nowMs)
  return {
    actions: [createJobAction(cronJob, name, formatInZone(zone, due))],
    status: { lastScheduleTime },
    requeueAfterMs: next,
  }
}

function createJobAction(cronJob: CronJob, name: string, scheduledTime: string): Action {
  const { metadata, spec = { template: {} } } = cronJob.spec.jobTemplate
  const job = {
    metadata: {
      namespace: cronJob.metadata.namespace,
      name,
      labels: metadata?.labels,
      annotations: { ...metadata?.annotations, [SCHEDULED_TIME]: scheduledTime },
      ownerReferences: [ownedBy(cronJobs, cronJob)],
    },
    spec,
  }
  return createAction(jobs, job, {
    success: () => eventOf(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${name}`),
    failure: (error) =>
      isNamespaceTerminating(error) || isAlreadyExists(error)
        ? undefined
        : eventOf(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${error.message}`),
  })
}

function deleteJobAction(cronJob: CronJob, job: Job): Action {
  return deleteAction(jobs, job, {
    propagationPolicy: 'Background',
    success: () => eventOf(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${job.metadata.name}`),
    failure: (error) => eventOf(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${error.message}`),
  })
}

/** Of the finished jobs so many are kept of each outcome, the latest ones. */
function historyDeletions({ cronJob, children }: CronJobView): readonly Action[] {
  const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = cronJob.spec
  const finished = children.filter((job) => isFinished(job) && !job.metadata.deletionTimestamp)
  const surplus = (found: readonly Job[], limit: number | undefined): readonly Job[] =>
    found.toSorted(earlierStart).slice(0, Math.max(0, found.length - (limit ?? found.length)))
  return [
    ...surplus(finished.filter(isSucceeded), successfulJobsHistoryLimit),
    ...surplus(
      finished.filter((job) => !isSucceeded(job)),
      failedJobsHistoryLimit,
    ),
  ].map((job) => deleteJobAction(cronJob, job))
}

function earlierStart(left: Job, right: Job): number {
  const [one, two] = [left, right].map(({ status }) => parseTime(status?.startTime) ?? Number.POSITIVE_INFINITY)
  if (one === two || one === undefined || two === undefined)
    return byCodeUnit(left.metadata.name ?? '', right.metadata.name ?? '')
  return one - two
}

const minutesOf = (ms: number): number => Math.floor(ms / MINUTE_MS)

function warning(cronJob: CronJob, reason: string, message: string): Start {
  return { actions: [{ do: 'event', event: eventOf(cronJob, 'Warning', reason, message) }] }
}

function eventOf(cronJob: CronJob, type: 'Normal' | 'Warning', reason: string, message: string): PlannedEvent {
  return plannedEvent(cronJobs, cronJob, { type, reason, message })
}
