import { describe, expect, test } from 'vitest'
import { cronJob } from '../../../test/support/builders.ts'
import { parseCronSchedule } from '../../apis/batch/cron-schedule.ts'
import { findTimeZone } from '../../apis/batch/time-zone.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { dueTime, untilNextMs } from './cron-times.ts'

// The rows are those of upstream's tests of the same calculations.
const TOP_OF_THE_HOUR = Date.parse('2016-05-19T10:00:00Z')
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

interface Case {
  readonly schedule: string
  /** All times are counted from the top of the hour. */
  readonly now: number
  readonly created?: number
  readonly last?: number
  readonly from?: number
}

function prepared({ schedule: text, created = 0, last, now, from }: Case) {
  const zone = findTimeZone('')
  const schedule = zone && parseCronSchedule(text, zone)
  if (!schedule || typeof schedule === 'string') throw new Error(`no schedule: ${schedule}`)
  const timeOf = (offset: number) => formatTime(TOP_OF_THE_HOUR + offset)
  const object = cronJob({
    metadata: { creationTimestamp: timeOf(created) },
    status: last === undefined ? {} : { lastScheduleTime: timeOf(last) },
  })
  return { object, schedule, nowMs: TOP_OF_THE_HOUR + now, fromMs: from === undefined ? 0 : TOP_OF_THE_HOUR + from }
}

describe('the last time that has passed', () => {
  const due = (offset: number, isTooMany = false) => ({ due: TOP_OF_THE_HOUR + offset, isTooMany })
  const none = { isMissed: false }
  for (const [situation, request, expected] of [
    ['now before next schedule', { schedule: '0 * * * *', now: 30_000 }, none],
    ['now just after next schedule', { schedule: '0 * * * *', now: 61 * MINUTE }, due(HOUR)],
    ['missed 5 schedules', { schedule: '0 * * * *', created: 10_000, now: 301 * MINUTE }, due(300 * MINUTE)],
    [
      'complex schedule',
      { schedule: '30 6-16/4 * * 1-5', last: 30 * MINUTE, now: DAY + 31 * MINUTE },
      due(DAY + 30 * MINUTE),
    ],
    [
      'another complex schedule',
      { schedule: '30 10,11,12 * * 1-5', last: 30 * MINUTE, now: 30 * HOUR + 30 * MINUTE },
      { isMissed: true },
    ],
    [
      'complex schedule with longer diff between executions',
      { schedule: '30 6-16/4 * * 1-5', last: 30 * MINUTE, now: 96 * HOUR + 31 * MINUTE },
      due(96 * HOUR + 30 * MINUTE),
    ],
    [
      'complex schedule with shorter diff between executions',
      { schedule: '30 6-16/4 * * 1-5', now: DAY + 31 * MINUTE },
      due(DAY + 30 * MINUTE),
    ],
    [
      '@every schedule',
      { schedule: '@every 1h', created: -59 * MINUTE, last: MINUTE, now: 7 * DAY },
      due(6 * DAY + 23 * HOUR + MINUTE, true),
    ],
    [
      'rogue cronjob',
      { schedule: '59 23 31 2 *', created: 10_000, now: HOUR },
      { failure: 'time difference between two schedules is less than 1 second' },
    ],
    ['just started', { schedule: '0 * * * *', last: 0, now: 30_000 }, none],
    ['started between two times', { schedule: '*/5 * * * *', last: 30 * MINUTE, now: 31 * MINUTE }, none],
    [
      'outside of the deadline',
      { schedule: '*/5 * * * *', last: 30 * MINUTE, now: 32 * MINUTE, from: 31 * MINUTE },
      none,
    ],
  ] satisfies readonly (readonly [string, Case, object])[])
    test(situation, () => {
      const { object, schedule, nowMs, fromMs } = prepared(request)
      expect(dueTime(object, schedule, nowMs, fromMs)).toEqual(expected)
    })
})

describe('the time until the next one', () => {
  const LATE = 100
  for (const [situation, request, expected] of [
    [
      'complex schedule skipping weekend',
      { schedule: '30 6-16/4 * * 1-5', last: 30 * MINUTE, now: DAY + 31 * MINUTE },
      3 * HOUR + 59 * MINUTE,
    ],
    [
      'another complex schedule skipping weekend',
      { schedule: '30 10,11,12 * * 1-5', last: 30 * MINUTE, now: 30 * HOUR + 30 * MINUTE },
      66 * HOUR,
    ],
    [
      'once a week cronjob, missed two runs',
      { schedule: '0 12 * * 4', last: 2 * HOUR, now: 19 * DAY + HOUR + 30 * MINUTE },
      48 * HOUR + 30 * MINUTE,
    ],
    ['no previous run of a cronjob', { schedule: '0 12 * * 5', now: 6 * HOUR }, 20 * HOUR],
  ] satisfies readonly (readonly [string, Case, number])[])
    test(situation, () => {
      const { object, schedule, nowMs } = prepared(request)
      expect(untilNextMs(object, schedule, nowMs)).toBe(expected + LATE)
    })
})
