import { describe, expect, test } from 'vitest'
import { cronJob, job } from '../../../test/support/builders.ts'
import type { CronJob, CronJobStatus, Job } from '../../apis/batch/types.gen.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import type { Plan } from '../runtime/controller.ts'
import { type CronJobView, planCronJob } from './cron-job.ts'

// The situations are those of upstream's test: a CronJob on the hour, looked at just before and just after it.
const HOUR = Date.parse('2016-05-19T10:00:00Z')
const MINUTE = 60_000
const BEFORE = HOUR - MINUTE
const AFTER = HOUR + MINUTE
const LATE = 100
const CREATED = formatTime(HOUR - 59 * MINUTE)
const MINUTES = HOUR / MINUTE

const RAN: CronJobStatus = {
  lastScheduleTime: formatTime(HOUR - 60 * MINUTE),
  active: [{ kind: 'Job', apiVersion: 'batch/v1', namespace: 'default', name: 'ran', uid: 'ran' }],
}

function child(name: string, end?: 'Complete' | 'Failed', parts: Partial<Job['status'] & object> = {}): Job {
  const conditions = end === undefined ? [] : [{ type: end, status: 'True' as const }]
  return job({ metadata: { name, uid: name }, status: { conditions, ...parts } })
}

function look(
  spec: Partial<CronJob['spec']>,
  nowMs: number,
  others: Partial<CronJobView> & { status?: CronJobStatus } = {},
) {
  const { status = {}, children = [], ...view } = others
  const of = cronJob({ metadata: { uid: 'cron', creationTimestamp: CREATED }, spec, status })
  return planCronJob({ cronJob: of, children, ...view }, nowMs)
}

function did({ actions }: Plan) {
  return {
    created: actions.flatMap((action) => (action.do === 'create' ? [action.object.metadata.name] : [])),
    deleted: actions.flatMap((action) => (action.do === 'delete' ? [action.object.metadata.name] : [])),
    reasons: actions.flatMap((action) => {
      if (action.do === 'event') return [action.event.reason]
      return action.do === 'update-status' ? (action.events ?? []).map(({ reason }) => reason) : []
    }),
  }
}

function statusAfter({ actions }: Plan): CronJobStatus | undefined {
  const update = actions.find((action) => action.do === 'update-status')
  return update?.do === 'update-status' ? (update.object as CronJob).status : undefined
}

const NEW_JOB = `work-${MINUTES}`
const NEXT_HOUR = HOUR + 60 * MINUTE - AFTER + LATE

describe('a CronJob that never ran', () => {
  for (const [situation, spec, nowMs, expected, requeueAfterMs] of [
    ['waits for its time', {}, BEFORE, {}, MINUTE + LATE],
    ['makes a job of that time', {}, AFTER, { created: [NEW_JOB] }, NEXT_HOUR],
    ['makes it in its zone', { timeZone: 'America/New_York' }, AFTER, { created: [NEW_JOB] }, NEXT_HOUR],
    ['makes none while it is suspended', { suspend: true }, AFTER, {}, undefined],
    ['makes none past the deadline', { startingDeadlineSeconds: 10 }, AFTER, {}, NEXT_HOUR],
    ['makes one before the deadline', { startingDeadlineSeconds: 600 }, AFTER, { created: [NEW_JOB] }, NEXT_HOUR],
    [
      'is told of a schedule that cannot be read',
      { schedule: 'x' },
      AFTER,
      { reasons: ['UnparseableSchedule'] },
      undefined,
    ],
    ['is told of an unknown zone', { timeZone: 'Bad' }, AFTER, { reasons: ['UnknownTimeZone'] }, undefined],
    [
      'is told of a schedule without times',
      { schedule: '59 23 31 2 *' },
      AFTER,
      { reasons: ['InvalidSchedule'] },
      undefined,
    ],
  ] as const)
    test(situation, () => {
      const plan = look(spec, nowMs)
      expect(did(plan)).toEqual({ created: [], deleted: [], reasons: [], ...expected })
      expect(plan.requeueAfterMs).toBe(requeueAfterMs)
    })

  test('notes what it was due for, and tells the job', () => {
    const plan = look({ timeZone: 'America/New_York' }, AFTER)
    expect(statusAfter(plan)).toEqual({ lastScheduleTime: '2016-05-19T10:00:00Z' })
    expect(plan.actions[0]).toMatchObject({
      object: {
        metadata: {
          annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2016-05-19T06:00:00-04:00' },
          ownerReferences: [{ kind: 'CronJob', uid: 'cron', controller: true, blockOwnerDeletion: true }],
        },
      },
    })
  })

  test('does not make up for times before its schedule changed', () => {
    expect(did(look({}, AFTER, { rescheduledMs: HOUR + 1000 })).created).toEqual([])
  })

  test('makes the last of many missed jobs, and is told of the others', () => {
    const status = { lastScheduleTime: formatTime(HOUR - 101 * 60 * MINUTE) }
    expect(did(look({}, AFTER, { status }))).toEqual({
      created: [NEW_JOB],
      deleted: [],
      reasons: ['TooManyMissedTimes'],
    })
  })

  test('makes no job twice', () => {
    expect(did(look({}, AFTER, { children: [child(NEW_JOB)] })).created).toEqual([])
  })
})

describe('a CronJob whose last job', () => {
  for (const [situation, concurrencyPolicy, end, expected] of [
    ['is done starts another one', 'Forbid', 'Complete', { created: [NEW_JOB], reasons: ['SawCompletedJob'] }],
    ['still runs starts another one beside it', 'Allow', undefined, { created: [NEW_JOB] }],
    ['still runs waits for it', 'Forbid', undefined, { reasons: ['JobAlreadyActive'] }],
    ['still runs replaces it', 'Replace', undefined, { deleted: ['ran'] }],
  ] as const)
    test(situation, () => {
      const plan = look({ concurrencyPolicy }, AFTER, { status: RAN, children: [child('ran', end)] })
      expect(did(plan)).toEqual({ created: [], deleted: [], reasons: [], ...expected })
    })

  test('is done names it no more, and when it succeeded', () => {
    const done = child('ran', 'Complete', { completionTime: formatTime(BEFORE) })
    const plan = look({}, BEFORE, { status: RAN, children: [done] })
    expect(statusAfter(plan)).toEqual({
      lastScheduleTime: RAN.lastScheduleTime,
      lastSuccessfulTime: formatTime(BEFORE),
    })
  })

  test('is gone is told of it', () => {
    expect(did(look({}, BEFORE, { status: RAN })).reasons).toEqual(['MissingJob'])
  })

  test('was made by somebody else is told of it', () => {
    expect(did(look({}, BEFORE, { children: [child('stranger')] })).reasons).toEqual(['UnexpectedJob'])
  })

  test('was forgotten is taken up again', () => {
    const name = `work-${MINUTES - 60}`
    const annotations = { 'batch.kubernetes.io/cronjob-scheduled-timestamp': formatTime(HOUR - 60 * MINUTE) }
    const forgotten = job({ metadata: { name, uid: name, annotations } })
    expect(statusAfter(look({}, BEFORE, { children: [forgotten] }))?.active).toMatchObject([{ name, uid: name }])
  })
})

describe('the history', () => {
  const ended = (name: string, end: 'Complete' | 'Failed', startedMs: number) =>
    child(name, end, { startTime: formatTime(startedMs) })
  const children = [
    ended('s2', 'Complete', HOUR - 2000),
    ended('s1', 'Complete', HOUR - 3000),
    ended('s3', 'Complete', HOUR - 1000),
    ended('f1', 'Failed', HOUR - 3000),
    ended('f2', 'Failed', HOUR - 2000),
  ]
  for (const [situation, limits, deleted] of [
    ['keeps the latest ones', { successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 1 }, ['s1', 's2', 'f1']],
    ['keeps none of those', { successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 2 }, ['s1', 's2', 's3']],
    ['keeps as many as there are', { successfulJobsHistoryLimit: 9, failedJobsHistoryLimit: 9 }, []],
    ['keeps all without limits', {}, []],
  ] as const)
    test(situation, () => expect(did(look({ ...limits }, BEFORE, { children })).deleted).toEqual(deleted))
})
