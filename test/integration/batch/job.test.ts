import { describe, expect, test } from 'vitest'
import { jobs } from '../../../src/apis/batch/job.ts'
import type { Job, JobSpec } from '../../../src/apis/batch/types.gen.ts'
import { events } from '../../../src/apis/core/event.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { isPodActive } from '../../../src/apis/core/pod/pod-status.ts'
import type { Pod } from '../../../src/apis/core/types.gen.ts'
import { jobController, orphanedJobPods } from '../../../src/controllers/batch/job/controller.ts'
import { keyOf } from '../../../src/machinery/meta/object.ts'
import { controllerOf } from '../../../src/machinery/meta/owner.ts'
import { container } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

// Goal: a job ends as its spec says, and counts every pod once. Method: real server and controller, no nodes.

const KEY = { namespace: 'default', name: 'pi' }
const INDEX = 'batch.kubernetes.io/job-completion-index'
const template = { metadata: { labels: { app: 'pi' } }, spec: { restartPolicy: 'Never', containers: [container()] } }

async function withJob(spec: Partial<JobSpec> = {}): Promise<TestCluster> {
  const cluster = await createTestCluster([jobController(), orphanedJobPods])
  await cluster.client.of(jobs).create({ metadata: KEY, spec: { template, ...spec } as JobSpec })
  return cluster
}

function active(cluster: TestCluster, count: number): Promise<readonly Pod[]> {
  return cluster.eventually(pods, (all) => {
    const found = all.filter(isPodActive)
    return found.length === count ? found.toSorted((left, right) => indexOf(left) - indexOf(right)) : undefined
  })
}

const indexOf = ({ metadata }: Pod): number => Number(metadata.annotations?.[INDEX] ?? -1)
const jobWhere = (cluster: TestCluster, holds: (job: Job) => boolean): Promise<Job> =>
  cluster.eventually(jobs, (all) => all.find((job) => job.metadata.name === 'pi' && holds(job)))
const hasCondition =
  (type: string) =>
  ({ status }: Job): boolean =>
    (status?.conditions ?? []).some((one) => one.type === type && one.status === 'True')
const conditions = ({ status }: Job) => (status?.conditions ?? []).map(({ type, reason }) => `${type} ${reason}`)
const reasons = (cluster: TestCluster) =>
  cluster.informers
    .of(events)
    .list()
    .map(({ reason, message }) => `${reason}: ${message}`)
const untracked = (cluster: TestCluster) =>
  cluster.eventually(pods, (all) => (all.every(({ metadata }) => !metadata.finalizers?.length) ? all : undefined))

async function finish(cluster: TestCluster, found: readonly Pod[], phase: 'Succeeded' | 'Failed'): Promise<void> {
  for (const pod of found) await cluster.reportPhase(pod, phase)
}

/** The containers' end, as a kubelet reports it. */
async function exit(cluster: TestCluster, pod: Pod | undefined, exitCode: number): Promise<void> {
  if (!pod) throw new Error('there is a pod')
  const finishedAt = new Date(cluster.clock.now()).toISOString()
  const terminated = { exitCode, finishedAt, reason: 'Error' }
  const containerStatuses = [
    { name: 'app', state: { terminated }, ready: false, restartCount: 0, image: '', imageID: '' },
  ]
  const body = { status: { phase: exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses } }
  await cluster.client.of(pods).patch(keyOf(pod), { type: 'strategic', body }, { subresource: 'status' })
}

test('a job runs its pods, so many at a time, and is complete', async () => {
  await using cluster = await withJob({ completions: 3, parallelism: 2 })
  const first = await active(cluster, 2)
  expect(controllerOf(first[0] ?? { metadata: {} })).toMatchObject({ kind: 'Job', name: 'pi' })
  expect(first[0]?.metadata.labels).toMatchObject({ app: 'pi', 'batch.kubernetes.io/job-name': 'pi' })
  expect(first[0]?.metadata.finalizers).toEqual(['batch.kubernetes.io/job-tracking'])
  for (const pod of first) await cluster.reportReady(pod)
  await jobWhere(cluster, ({ status }) => status?.ready === 2)
  await finish(cluster, first, 'Succeeded')
  await finish(cluster, await active(cluster, 1), 'Succeeded')
  const job = await jobWhere(cluster, hasCondition('Complete'))
  expect(job.status).toMatchObject({
    succeeded: 3,
    ready: 0,
    terminating: 0,
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:00:00Z',
    uncountedTerminatedPods: {},
  })
  expect(conditions(job)).toEqual(['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'])
  expect(await untracked(cluster)).toHaveLength(3)
  await cluster.eventually(events, (all) => all.find(({ reason }) => reason === 'Completed'))
  expect(reasons(cluster).filter((text) => text.startsWith('SuccessfulCreate'))).toHaveLength(3)
})

test('failed pods are replaced, later each time, until they are too many', async () => {
  await using cluster = await withJob({ backoffLimit: 1 })
  const [first] = await active(cluster, 1)
  await exit(cluster, first, 1)
  await jobWhere(cluster, ({ status }) => status?.failed === 1)
  await cluster.clock.advance(9_000)
  expect(cluster.informers.of(pods).list()).toHaveLength(1)
  await cluster.clock.advance(1_000)
  const [second] = await active(cluster, 1)
  await exit(cluster, second, 1)
  const job = await jobWhere(cluster, hasCondition('Failed'))
  expect(job.status?.failed).toBe(2)
  expect(conditions(job)).toEqual(['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'])
  await cluster.eventually(events, (all) => all.find(({ reason }) => reason === 'BackoffLimitExceeded'))
  expect(reasons(cluster)).toContain('BackoffLimitExceeded: Job has reached the specified backoff limit')
})

test('a pod that somebody deletes counts as failed and is replaced', async () => {
  await using cluster = await withJob({ completions: 1 })
  const [first] = await active(cluster, 1)
  if (!first) throw new Error('there is a pod')
  await cluster.finish(first)
  await jobWhere(cluster, ({ status }) => status?.failed === 1)
  await cluster.clock.advance(10_000)
  const [second] = await active(cluster, 1)
  expect(second?.metadata.uid).not.toBe(first.metadata.uid)
})

describe('an indexed job', () => {
  const indexed = { completionMode: 'Indexed', completions: 3, parallelism: 3 } as const

  test('gives every pod an index, and knows which are done', async () => {
    await using cluster = await withJob(indexed)
    const found = await active(cluster, 3)
    expect(found.map(({ spec }) => spec?.hostname)).toEqual(['pi-0', 'pi-1', 'pi-2'])
    expect(found[1]?.metadata.name).toMatch(/^pi-1-[a-z0-9]{5}$/)
    expect(found[1]?.metadata.labels?.[INDEX]).toBe('1')
    expect(found[1]?.spec?.containers[0]?.env).toEqual([
      {
        name: 'JOB_COMPLETION_INDEX',
        valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${INDEX}']` } },
      },
    ])
    await finish(cluster, found.slice(0, 2), 'Succeeded')
    const job = await jobWhere(cluster, ({ status }) => status?.completedIndexes === '0,1')
    expect(job.status).toMatchObject({ succeeded: 2, active: 1 })
    await finish(cluster, found.slice(2), 'Succeeded')
    expect((await jobWhere(cluster, hasCondition('Complete'))).status?.completedIndexes).toBe('0-2')
  })

  test('with a limit per index goes on with the others when one fails', async () => {
    await using cluster = await withJob({ ...indexed, completions: 2, parallelism: 2, backoffLimitPerIndex: 1 })
    const [zero, one] = await active(cluster, 2)
    expect(zero?.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count']).toBe('0')
    await exit(cluster, one, 0)
    await exit(cluster, zero, 1)
    await cluster.clock.advance(10_000)
    const [again] = await active(cluster, 1)
    expect(again?.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count']).toBe('1')
    await exit(cluster, again, 1)
    const job = await jobWhere(cluster, hasCondition('Failed'))
    expect(job.status).toMatchObject({ succeeded: 1, failed: 2, completedIndexes: '1', failedIndexes: '0' })
    expect(conditions(job)).toEqual(['FailureTarget FailedIndexes', 'Failed FailedIndexes'])
    await untracked(cluster)
  })

  test('with a success policy ends early', async () => {
    const successPolicy = { rules: [{ succeededIndexes: '1', succeededCount: 1 }] }
    await using cluster = await withJob({ ...indexed, successPolicy })
    const [, one] = await active(cluster, 3)
    await exit(cluster, one, 0)
    for (const pod of cluster.informers.of(pods).list().filter(isPodActive)) await cluster.finish(pod)
    const job = await jobWhere(cluster, hasCondition('Complete'))
    expect(job.status).toMatchObject({ succeeded: 1, completedIndexes: '1' })
    expect(conditions(job)).toEqual(['SuccessCriteriaMet SuccessPolicy', 'Complete SuccessPolicy'])
  })
})

describe('a failure policy', () => {
  const onExitCodes = (values: number[]) => ({ operator: 'In', values }) as const

  test('can fail the job at once', async () => {
    const podFailurePolicy = { rules: [{ action: 'FailJob', onExitCodes: onExitCodes([42]) }] } as const
    await using cluster = await withJob({ podFailurePolicy })
    const [pod] = await active(cluster, 1)
    await exit(cluster, pod, 42)
    const job = await jobWhere(cluster, hasCondition('Failed'))
    expect(conditions(job)).toEqual(['FailureTarget PodFailurePolicy', 'Failed PodFailurePolicy'])
    expect(job.status?.conditions?.[0]?.message).toBe(
      `Container app for pod default/${pod?.metadata.name} failed with exit code 42 matching FailJob rule at index 0`,
    )
  })

  test('can ignore failures', async () => {
    const podFailurePolicy = { rules: [{ action: 'Ignore', onExitCodes: onExitCodes([1]) }] } as const
    await using cluster = await withJob({ podFailurePolicy, backoffLimit: 0 })
    const [pod] = await active(cluster, 1)
    await exit(cluster, pod, 1)
    await cluster.clock.advance(10_000)
    const [again] = await active(cluster, 1)
    await exit(cluster, again, 0)
    const job = await jobWhere(cluster, hasCondition('Complete'))
    expect(job.status).toMatchObject({ succeeded: 1 })
    expect(job.status?.failed).toBeUndefined()
  })
})

test('a suspended job has no pods, and starts anew when it is resumed', async () => {
  await using cluster = await withJob({ parallelism: 2, completions: 2 })
  await active(cluster, 2)
  const suspend = (value: boolean) =>
    cluster.client.of(jobs).patch(KEY, { type: 'merge', body: { spec: { suspend: value } } })
  await suspend(true)
  const suspended = await jobWhere(cluster, hasCondition('Suspended'))
  expect(suspended.status?.startTime).toBeUndefined()
  await active(cluster, 0)
  expect((await jobWhere(cluster, ({ status }) => status?.terminating === 0)).status?.failed).toBeUndefined()
  await cluster.clock.advance(60_000)
  await suspend(false)
  await active(cluster, 2)
  const resumed = await jobWhere(cluster, ({ status }) => status?.active === 2)
  expect(resumed.status).toMatchObject({ startTime: '2026-01-01T00:01:00Z' })
  expect(conditions(resumed)).toEqual(['Suspended JobResumed'])
  await cluster.eventually(events, (all) => all.find(({ reason }) => reason === 'Resumed'))
})

test('a job that runs too long fails', async () => {
  await using cluster = await withJob({ activeDeadlineSeconds: 30 })
  const [pod] = await active(cluster, 1)
  if (!pod) throw new Error('there is a pod')
  await jobWhere(cluster, ({ status }) => status?.active === 1)
  await cluster.clock.advance(30_000)
  await active(cluster, 0)
  const waiting = await jobWhere(cluster, hasCondition('FailureTarget'))
  expect(conditions(waiting)).toEqual(['FailureTarget DeadlineExceeded'])
  await cluster.finish(pod)
  const job = await jobWhere(cluster, hasCondition('Failed'))
  expect(job.status).toMatchObject({ failed: 1, ready: 0, terminating: 0 })
})

test('pods of a job that is gone are let go', async () => {
  await using cluster = await withJob()
  const [pod] = await active(cluster, 1)
  await cluster.client.of(jobs).delete(KEY, { propagationPolicy: 'Background' })
  const [left] = await untracked(cluster)
  expect(left?.metadata.uid).toBe(pod?.metadata.uid)
})

test('a job that another controller manages is left alone', async () => {
  await using cluster = await withJob({ managedBy: 'example.com/other' })
  await cluster.client
    .of(jobs)
    .create({ metadata: { namespace: 'default', name: 'own' }, spec: { template } as JobSpec })
  const found = await active(cluster, 1)
  expect(found.map((pod) => controllerOf(pod)?.name)).toEqual(['own'])
})
