/** When a CronJob is due: the last of its times that has passed, and how long it is to the next one. */

import type { CronSchedule } from '../../apis/batch/cron-schedule.ts'
import type { CronJob } from '../../apis/batch/types.gen.ts'
import { parseTime } from '../../machinery/meta/time.ts'

/** Clocks of machines differ a little: a job is rather started late than looked at too early. */
const LATE_MS = 100
/** More times than this were missed: something is wrong with a clock, or was. */
const MISSED_MAX = 100
const SECOND_MS = 1000

export type DueTime =
  | { readonly due: number; readonly isTooMany: boolean }
  | { readonly due?: undefined; readonly isMissed: boolean }
  | { readonly failure: string }

/** The latest time that has passed since the CronJob last started a job, or was made, and not before `fromMs`. */
export function dueTime(cronJob: CronJob, schedule: CronSchedule, nowMs: number, fromMs = 0): DueTime {
  const first = schedule.next(Math.max(sinceMs(cronJob), fromMs))
  if (first !== undefined && nowMs < first) return { isMissed: false }
  const second = first === undefined ? undefined : schedule.next(first)
  if (first !== undefined && second !== undefined && nowMs < second) return { due: first, isTooMany: false }
  const intervalMs = first === undefined || second === undefined ? 0 : second - first
  if (first === undefined || intervalMs < SECOND_MS)
    return { failure: 'time difference between two schedules is less than 1 second' }
  const missed = Math.floor((nowMs - first) / intervalMs) + 1
  // One interval further back than the guess: not all of them are of the same length.
  const due = lastUntil(schedule, first + (missed - 2) * intervalMs, nowMs)
  return due === undefined ? { isMissed: true } : { due, isTooMany: missed > MISSED_MAX }
}

export function untilNextMs(cronJob: CronJob, schedule: CronSchedule, nowMs: number): number | undefined {
  const time = dueTime(cronJob, schedule, nowMs)
  const fromMs = fromOf(time, cronJob, nowMs)
  const next = schedule.next(fromMs)
  return next === undefined ? undefined : next + LATE_MS - nowMs
}

function fromOf(time: DueTime, cronJob: CronJob, nowMs: number): number {
  if ('failure' in time) return nowMs
  if (time.due !== undefined) return time.due
  return time.isMissed ? nowMs : sinceMs(cronJob)
}

function sinceMs({ status, metadata }: CronJob): number {
  return parseTime(status?.lastScheduleTime) ?? parseTime(metadata.creationTimestamp) ?? 0
}

function lastUntil(schedule: CronSchedule, fromMs: number, nowMs: number): number | undefined {
  let last: number | undefined
  for (let time = schedule.next(fromMs); time !== undefined && time <= nowMs; time = schedule.next(time)) last = time
  return last
}
