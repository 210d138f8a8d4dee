import { expect, test } from 'vitest'
import { cronJobs } from '../../../src/apis/batch/cron-job.ts'
import { jobs } from '../../../src/apis/batch/job.ts'
import type { CronJob, CronJobSpec, Job, JobSpec } from '../../../src/apis/batch/types.gen.ts'
import { events } from '../../../src/apis/core/event.ts'
import { cronJobController } from '../../../src/controllers/batch/cron-job.ts'
import { ttlAfterFinishedController } from '../../../src/controllers/batch/ttl-after-finished.ts'
import { keyOf } from '../../../src/machinery/meta/object.ts'
import { controllerOf } from '../../../src/machinery/meta/owner.ts'
import { container } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

// Goal: a CronJob has a job for each of its times. Method: real server and controller on a clock that the test moves;
// it begins at midnight of 1 January 2026.

const KEY = { namespace: 'default', name: 'tick' }
const MINUTE_MS = 60_000
/** The minutes of 2026-01-01T00:00:00Z since 1970. */
const START = Date.UTC(2026, 0, 1) / MINUTE_MS
const template = { spec: { restartPolicy: 'Never', containers: [container()] } } as JobSpec['template']

async function withCronJob(spec: Partial<CronJobSpec> = {}): Promise<TestCluster> {
  const cluster = await createTestCluster([cronJobController(), ttlAfterFinishedController])
  const jobTemplate = { metadata: { labels: { app: 'tick' } }, spec: { template } }
  await cluster.client.of(cronJobs).create({ metadata: KEY, spec: { schedule: '* * * * *', jobTemplate, ...spec } })
  await cluster.eventually(cronJobs, (all) => all.at(0))
  return cluster
}

const names = (all: readonly Job[]): readonly string[] => all.map(({ metadata }) => metadata.name ?? '').toSorted()
const jobsNamed = (cluster: TestCluster, ...minutes: readonly number[]): Promise<readonly Job[]> =>
  cluster.eventually(jobs, (all) => {
    const wanted = minutes.map((minute) => `tick-${START + minute}`)
    return JSON.stringify(names(all)) === JSON.stringify(wanted) ? all : undefined
  })
const cronJobWhere = (cluster: TestCluster, holds: (cronJob: CronJob) => boolean): Promise<CronJob> =>
  cluster.eventually(cronJobs, (all) => all.find(holds))
const eventOf = (cluster: TestCluster, reason: string) =>
  cluster.eventually(events, (all) => all.find((event) => event.reason === reason))

/** The job's end, as the job-controller writes it. */
async function complete(cluster: TestCluster, job: Job | undefined, isSuccess = true): Promise<void> {
  if (!job) throw new Error('there is a job')
  const now = new Date(cluster.clock.now()).toISOString()
  const types = isSuccess ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed']
  const conditions = types.map((type) => ({ type, status: 'True', lastTransitionTime: now }))
  const status = { startTime: now, conditions, ...(isSuccess ? { completionTime: now } : {}) }
  await cluster.client.of(jobs).patch(keyOf(job), { type: 'merge', body: { status } }, { subresource: 'status' })
}

/** A little past the minute: controllers look a tenth of a second late. */
const nextMinute = (cluster: TestCluster) => cluster.clock.advance(MINUTE_MS + 200)

test('every time of the schedule has a job with its time in the name', async () => {
  await using cluster = await withCronJob()
  await nextMinute(cluster)
  const [job] = await jobsNamed(cluster, 1)
  expect(job?.metadata).toMatchObject({
    labels: { app: 'tick' },
    annotations: { 'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T00:01:00Z' },
  })
  expect(controllerOf(job ?? { metadata: {} })).toMatchObject({ kind: 'CronJob', name: 'tick', controller: true })
  const cronJob = await cronJobWhere(cluster, ({ status }) => status?.active?.length === 1)
  expect(cronJob.status).toMatchObject({
    lastScheduleTime: '2026-01-01T00:01:00Z',
    active: [{ kind: 'Job', apiVersion: 'batch/v1', namespace: 'default', name: job?.metadata.name }],
  })
  await complete(cluster, job)
  const done = await cronJobWhere(cluster, ({ status }) => status?.active === undefined)
  expect(done.status?.lastSuccessfulTime).toBe('2026-01-01T00:01:00Z')
  expect((await eventOf(cluster, 'SawCompletedJob')).message).toBe(
    `Saw completed job: ${job?.metadata.name}, condition: Complete`,
  )
  expect((await eventOf(cluster, 'SuccessfulCreate')).message).toBe(`Created job ${job?.metadata.name}`)
})

test('jobs run side by side when that is allowed', async () => {
  await using cluster = await withCronJob()
  await nextMinute(cluster)
  await jobsNamed(cluster, 1)
  await cronJobWhere(cluster, ({ status }) => status?.active?.length === 1)
  await cluster.clock.advance(MINUTE_MS)
  await jobsNamed(cluster, 1, 2)
  await cronJobWhere(cluster, ({ status }) => status?.active?.length === 2)
})

test('a running job stands in the way when the policy is Forbid', async () => {
  await using cluster = await withCronJob({ concurrencyPolicy: 'Forbid' })
  await nextMinute(cluster)
  const [first] = await jobsNamed(cluster, 1)
  await cronJobWhere(cluster, ({ status }) => status?.active?.length === 1)
  await cluster.clock.advance(MINUTE_MS)
  expect((await eventOf(cluster, 'JobAlreadyActive')).message).toBe(
    'Not starting job because prior execution is running and concurrency policy is Forbid',
  )
  await jobsNamed(cluster, 1)
  await complete(cluster, first)
  await jobsNamed(cluster, 1, 2)
})

test('a running job gives way when the policy is Replace', async () => {
  await using cluster = await withCronJob({ concurrencyPolicy: 'Replace' })
  await nextMinute(cluster)
  await jobsNamed(cluster, 1)
  await cronJobWhere(cluster, ({ status }) => status?.active?.length === 1)
  await cluster.clock.advance(MINUTE_MS)
  await jobsNamed(cluster, 2)
  await cronJobWhere(cluster, ({ status }) => status?.active?.at(0)?.name === `tick-${START + 2}`)
  await eventOf(cluster, 'SuccessfulDelete')
})

test('a suspended CronJob starts nothing, and makes up for the last time it missed', async () => {
  await using cluster = await withCronJob({ suspend: true })
  await cluster.clock.advance(5 * MINUTE_MS)
  expect(cluster.informers.of(jobs).list()).toEqual([])
  await cluster.client.of(cronJobs).patch(KEY, { type: 'merge', body: { spec: { suspend: false } } })
  await jobsNamed(cluster, 5)
})

test('a time that is missed by too much is left out', async () => {
  await using cluster = await withCronJob({ suspend: true, startingDeadlineSeconds: 30, schedule: '0 * * * *' })
  await cluster.clock.advance(61 * MINUTE_MS)
  await cluster.client.of(cronJobs).patch(KEY, { type: 'merge', body: { spec: { suspend: false } } })
  await cronJobWhere(cluster, ({ spec }) => spec.suspend === false)
  await cluster.clock.advance(58 * MINUTE_MS)
  expect(cluster.informers.of(jobs).list()).toEqual([])
  await cluster.clock.advance(MINUTE_MS + 200)
  await jobsNamed(cluster, 120)
})

test('another schedule begins with its next time', async () => {
  await using cluster = await withCronJob({ schedule: '0 12 * * *' })
  await cluster.clock.advance(30 * MINUTE_MS)
  await cluster.client.of(cronJobs).patch(KEY, { type: 'merge', body: { spec: { schedule: '15 * * * *' } } })
  await cronJobWhere(cluster, ({ spec }) => spec.schedule === '15 * * * *')
  await cluster.clock.advance(45 * MINUTE_MS + 200)
  await jobsNamed(cluster, 75)
})

test('a time zone moves the times', async () => {
  await using cluster = await withCronJob({ schedule: '30 9 * * *', timeZone: 'Asia/Tokyo' })
  await cluster.clock.advance(30 * MINUTE_MS + 200)
  const [job] = await jobsNamed(cluster, 30)
  expect(job?.metadata.annotations).toMatchObject({
    'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-01-01T09:30:00+09:00',
  })
})

test('of finished jobs as many stay as the limits say', async () => {
  await using cluster = await withCronJob({ successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0 })
  await nextMinute(cluster)
  await complete(cluster, (await jobsNamed(cluster, 1))[0], false)
  await jobsNamed(cluster)
  await cluster.clock.advance(MINUTE_MS)
  await complete(cluster, (await jobsNamed(cluster, 2))[0])
  await cronJobWhere(cluster, ({ status }) => status?.active === undefined && status?.lastSuccessfulTime !== undefined)
  await cluster.clock.advance(MINUTE_MS)
  const third = (await jobsNamed(cluster, 2, 3)).find(({ metadata }) => metadata.name === `tick-${START + 3}`)
  await complete(cluster, third)
  await jobsNamed(cluster, 3)
})

test('a job that somebody deletes runs no more', async () => {
  await using cluster = await withCronJob({ schedule: '1 * * * *' })
  await nextMinute(cluster)
  const [job] = await jobsNamed(cluster, 1)
  if (!job) throw new Error('there is a job')
  await cronJobWhere(cluster, ({ status }) => status?.active?.length === 1)
  await cluster.client.of(jobs).delete(keyOf(job), { propagationPolicy: 'Background' })
  await cronJobWhere(cluster, ({ status }) => status?.active === undefined)
  expect((await eventOf(cluster, 'MissingJob')).message).toBe(`Active job went missing: ${job.metadata.name}`)
})

test('a finished job goes when its time has passed', async () => {
  await using cluster = await withCronJob({ suspend: true })
  const job = { metadata: { namespace: 'default', name: 'pi' }, spec: { template, ttlSecondsAfterFinished: 30 } }
  await complete(cluster, await cluster.client.of(jobs).create(job))
  await cluster.eventually(jobs, (all) => all.find(({ status }) => status?.completionTime))
  await cluster.clock.advance(29_000)
  expect(cluster.informers.of(jobs).list()).toHaveLength(1)
  await cluster.clock.advance(1_000)
  const gone = await cluster.eventually(jobs, (all) => all.find(({ metadata }) => metadata.deletionTimestamp))
  expect(gone.metadata.finalizers).toEqual(['foregroundDeletion'])
})
