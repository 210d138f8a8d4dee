import { describe, expect, test } from 'vitest'
import { job, pod, podTemplate } from '../../../../test/support/builders.ts'
import type { Job, JobStatus } from '../../../apis/batch/types.gen.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import type { Plan } from '../../runtime/controller.ts'
import { type Failures, noFailures } from './backoff.ts'
import { COMPLETION_INDEX, INDEX_FAILURE_COUNT, JOB_TRACKING_FINALIZER } from './job-pods.ts'
import { planJob } from './plan.ts'

const T = Date.parse('2026-01-01T00:00:00Z')
const STARTED: JobStatus = { startTime: formatTime(T - 60_000) }

type Kind = 'active' | 'ready' | 'succeeded' | 'failed' | 'terminating'

const PHASES = {
  active: 'Pending',
  ready: 'Running',
  succeeded: 'Succeeded',
  failed: 'Failed',
  terminating: 'Running',
} as const

/** `index:failures` for a pod of an indexed job. */
function podOf(kind: Kind, name: string, index?: number, failures?: number): Pod {
  return pod({
    metadata: {
      name,
      uid: name,
      labels: { app: 'web' },
      finalizers: [JOB_TRACKING_FINALIZER],
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'work', uid: 'job', controller: true }],
      annotations: {
        ...(index === undefined ? {} : { [COMPLETION_INDEX]: String(index) }),
        ...(failures === undefined ? {} : { [INDEX_FAILURE_COUNT]: String(failures) }),
      },
      creationTimestamp: formatTime(T - 60_000),
      ...(kind === 'terminating' ? { deletionTimestamp: formatTime(T) } : {}),
    },
    status: {
      phase: PHASES[kind],
      ...(kind === 'ready' ? { conditions: [{ type: 'Ready', status: 'True' }] } : {}),
    },
  })
}

/** As many pods of each kind, named after it. */
function podsOf(counts: Partial<Readonly<Record<Kind, number>>>): readonly Pod[] {
  return Object.entries(counts).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, index) => podOf(kind as Kind, `${kind}-${index}`)),
  )
}

function jobOf(spec: Partial<Job['spec']>, status: JobStatus = STARTED): Job {
  return job({ metadata: { uid: 'job' }, spec: { parallelism: 1, completions: 1, backoffLimit: 6, ...spec }, status })
}

const look = (of: Job, candidates: readonly Pod[], failures: Failures = noFailures): Plan =>
  planJob({ job: of, candidates, failures }, T)

/** What a plan does, as numbers and as the status that it leads to. */
function summary({ actions }: Plan) {
  const count = (what: string) => actions.filter(({ do: done }) => done === what).length
  return { creates: count('create'), untracks: count('patch'), deletes: count('delete') }
}

function statusAfter({ actions }: Plan): JobStatus | undefined {
  const update = actions.find(({ do: done }) => done === 'update-status')
  return update?.do === 'update-status' ? (update.object as Job).status : undefined
}

describe('pods are made and removed', () => {
  const workQueue = { completions: undefined }
  for (const [situation, spec, pods, expected, status] of [
    ['at the start', { parallelism: 2, completions: 5 }, {}, { creates: 2 }, { active: 2, ready: 0 }],
    ['at the start of a work queue', { ...workQueue, parallelism: 2 }, {}, { creates: 2 }, { active: 2 }],
    ['while they are pending', { parallelism: 2, completions: 5 }, { active: 2 }, {}, { active: 2, ready: 0 }],
    ['while some are ready', { parallelism: 3, completions: 5 }, { active: 1, ready: 2 }, {}, { active: 3, ready: 2 }],
    [
      'when there are too few',
      { parallelism: 2, completions: 5 },
      { active: 1, succeeded: 1 },
      { creates: 1 },
      { active: 2, uncountedTerminatedPods: { succeeded: ['succeeded-0'] } },
    ],
    [
      'when some fail',
      { parallelism: 2, completions: 5 },
      { active: 1, succeeded: 1, failed: 1 },
      { creates: 1 },
      { active: 2, uncountedTerminatedPods: { succeeded: ['succeeded-0'], failed: ['failed-0'] } },
    ],
    [
      'while a pod that goes counts as failed',
      { podReplacementPolicy: 'TerminatingOrFailed' },
      { terminating: 1 },
      { creates: 1 },
      { active: 1, terminating: 1, uncountedTerminatedPods: { failed: ['terminating-0'] } },
    ],
    [
      'only once a pod that goes is gone',
      { podReplacementPolicy: 'Failed' },
      { terminating: 1 },
      {},
      { active: undefined, terminating: 1, uncountedTerminatedPods: {} },
    ],
    [
      'when there are more that go than are wanted',
      { podReplacementPolicy: 'Failed' },
      { active: 2, terminating: 4 },
      { untracks: 1 },
      { active: 1, terminating: 5 },
    ],
    [
      'when there are too many',
      { parallelism: 2, completions: 5 },
      { ready: 3 },
      { untracks: 1 },
      { active: 2, ready: 2, terminating: 1 },
    ],
    ['never more than are to be completed', { parallelism: 5, completions: 2 }, { active: 1 }, { creates: 1 }, {}],
    [
      'no more once a work queue has succeeded',
      { ...workQueue, parallelism: 3 },
      { active: 1, succeeded: 1 },
      {},
      { active: 1, uncountedTerminatedPods: { succeeded: ['succeeded-0'] } },
    ],
    [
      'none of parallelism 0',
      { parallelism: 0, completions: 5 },
      { active: 1 },
      { untracks: 1 },
      { active: undefined },
    ],
  ] satisfies readonly (readonly [string, Partial<Job['spec']>, Parameters<typeof podsOf>[0], object, JobStatus])[])
    test(situation, () => {
      const plan = look(jobOf(spec), podsOf(pods))
      expect(summary(plan)).toEqual({ creates: 0, untracks: 0, deletes: 0, ...expected })
      expect(statusAfter(plan)).toMatchObject(status)
    })

  test('later, after a failure', () => {
    const plan = look(jobOf({}), [], { count: 1, lastMs: T - 4_000 })
    expect(summary(plan).creates).toBe(0)
    expect(plan.requeueAfterMs).toBe(6_000)
  })

  test('with the finalizer that they are counted by', () => {
    const [action] = look(jobOf({}), []).actions.filter(({ do: done }) => done === 'create')
    expect(action).toMatchObject({ object: { metadata: { finalizers: [JOB_TRACKING_FINALIZER] } } })
  })
})

describe('pods are counted', () => {
  test('when their finalizers are gone', () => {
    const status = { ...STARTED, uncountedTerminatedPods: { succeeded: ['a', 'b'], failed: ['c'] } }
    const pods = [podOf('succeeded', 'b')]
    const plan = look(jobOf({ completions: 5 }, status), pods)
    expect(summary(plan).untracks).toBe(1)
    expect(statusAfter(plan)).toMatchObject({ succeeded: 1, failed: 1, uncountedTerminatedPods: { succeeded: ['b'] } })
  })

  test('up to 500 at a look', () => {
    const plan = look(jobOf({ completions: 1000, parallelism: 0 }), podsOf({ succeeded: 600 }))
    expect(statusAfter(plan)?.uncountedTerminatedPods?.succeeded).toHaveLength(500)
  })

  test('unless the policy ignores them', () => {
    const rules = [{ action: 'Ignore', onPodConditions: [{ type: 'Lost', status: 'True' }] }] as const
    const failed = podOf('failed', 'a')
    const lost = { ...failed, status: { ...failed.status, conditions: [{ type: 'Lost', status: 'True' as const }] } }
    const plan = look(jobOf({ podFailurePolicy: { rules } }), [lost])
    expect(summary(plan)).toMatchObject({ untracks: 1, creates: 1 })
    expect(statusAfter(plan)).toMatchObject({ uncountedTerminatedPods: {} })
  })
})

describe('the verdict', () => {
  for (const [situation, spec, pods, type, reason] of [
    ['of all completions', { completions: 2 }, { succeeded: 2 }, 'SuccessCriteriaMet', 'CompletionsReached'],
    [
      'of a work queue',
      { completions: undefined },
      { succeeded: 1, failed: 1 },
      'SuccessCriteriaMet',
      'CompletionsReached',
    ],
    ['of too many failures', { backoffLimit: 1 }, { failed: 2 }, 'FailureTarget', 'BackoffLimitExceeded'],
    ['of the deadline', { activeDeadlineSeconds: 60 }, { active: 1 }, 'FailureTarget', 'DeadlineExceeded'],
  ] satisfies readonly (readonly [string, Partial<Job['spec']>, Parameters<typeof podsOf>[0], string, string])[])
    test(situation, () => {
      const plan = look(jobOf(spec), podsOf(pods))
      expect(statusAfter(plan)?.conditions).toMatchObject([{ type, status: 'True', reason }])
      expect(summary(plan).creates).toBe(0)
    })

  const condition = (type: string) => ({ type, status: 'True' as const, reason: 'R', message: 'M' })
  const status = { ...STARTED, conditions: [condition('FailureTarget')] }

  test('deletes what runs, and stands before that is let go', () => {
    const plan = look(jobOf({ activeDeadlineSeconds: 60 }), podsOf({ active: 1 }))
    expect(summary(plan)).toEqual({ creates: 0, untracks: 0, deletes: 1 })
  })

  test('is the end when no pod is left', () => {
    expect(statusAfter(look(jobOf({}, status), []))?.conditions).toMatchObject([
      { type: 'FailureTarget' },
      { type: 'Failed', reason: 'R', message: 'M' },
    ])
  })

  test('is not the end while a pod is on its way out', () => {
    const plan = look(jobOf({}, status), podsOf({ terminating: 1 }))
    expect(statusAfter(plan)?.conditions).toHaveLength(1)
  })

  test('of a finished job lets go of its pods', () => {
    const plan = look(jobOf({}, { ...status, conditions: [condition('Failed')] }), podsOf({ failed: 2, active: 1 }))
    expect(summary(plan)).toEqual({ creates: 0, untracks: 3, deletes: 0 })
    expect(statusAfter(plan)).toBeUndefined()
  })
})

describe('a suspended job', () => {
  test('loses its pods and its start', () => {
    const plan = look(jobOf({ suspend: true, parallelism: 2, completions: 4 }), podsOf({ active: 2 }))
    expect(summary(plan)).toEqual({ creates: 0, untracks: 2, deletes: 0 })
    expect(statusAfter(plan)).toMatchObject({
      conditions: [{ type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }],
    })
    expect(statusAfter(plan)).not.toHaveProperty('startTime')
  })

  test('starts anew when it is resumed', () => {
    const conditions = [
      { type: 'Suspended', status: 'True' as const, reason: 'JobSuspended', message: 'Job suspended' },
    ]
    const plan = look(jobOf({ suspend: false }, { conditions }), [])
    expect(statusAfter(plan)).toMatchObject({
      startTime: formatTime(T),
      conditions: [{ type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' }],
    })
    expect(summary(plan).creates).toBe(1)
  })
})

describe('an indexed job', () => {
  const indexed = (spec: Partial<Job['spec']> = {}, status = STARTED): Job =>
    jobOf({ completionMode: 'Indexed', completions: 3, parallelism: 3, ...spec }, status)
  const madeIndexes = ({ actions }: Plan) =>
    actions.flatMap((action) =>
      action.do === 'create' ? [(action.object as Pod).metadata.annotations?.[COMPLETION_INDEX]] : [],
    )

  test('makes the lowest indexes that are missing', () => {
    const plan = look(indexed({ completions: 6 }, { ...STARTED, completedIndexes: '0' }), [
      podOf('active', 'b', 2),
      podOf('succeeded', 'c', 3),
    ])
    expect(madeIndexes(plan)).toEqual(['1', '4'])
    expect(statusAfter(plan)).toMatchObject({ completedIndexes: '0,3', succeeded: 2 })
  })

  test('gives its pods their index in every way', () => {
    const [action] = look(indexed({ template: podTemplate() }), []).actions
    expect(action).toMatchObject({
      object: {
        metadata: {
          generateName: 'work-0-',
          labels: { [COMPLETION_INDEX]: '0' },
          annotations: { [COMPLETION_INDEX]: '0' },
        },
        spec: { hostname: 'work-0', containers: [{ env: [{ name: 'JOB_COMPLETION_INDEX' }] }] },
      },
    })
  })

  test('removes all but one pod of an index, and those beyond the last one', () => {
    const pods = [podOf('active', 'a', 0), podOf('active', 'b', 0), podOf('active', 'c', 7), podOf('active', 'd', 1)]
    expect(summary(look(indexed(), pods))).toMatchObject({ untracks: 2, creates: 0 })
  })

  test('lets an index fail alone', () => {
    const plan = look(indexed({ backoffLimitPerIndex: 1, backoffLimit: 2 ** 31 - 1 }), [
      podOf('failed', 'a', 0, 1),
      podOf('active', 'b', 1),
      podOf('active', 'c', 2),
    ])
    expect(statusAfter(plan)).toMatchObject({ failedIndexes: '0', active: 2 })
    expect(summary(plan).creates).toBe(0)
  })

  test('keeps the failed pod of an index until its successor is there', () => {
    const spec = { backoffLimitPerIndex: 3, backoffLimit: 2 ** 31 - 1, completions: 1 }
    const plan = look(indexed(spec), [podOf('failed', 'a', 0, 1)])
    const [action] = plan.actions
    expect(action).toMatchObject({ object: { metadata: { annotations: { [INDEX_FAILURE_COUNT]: '2' } } } })
    expect(statusAfter(plan)).toMatchObject({ uncountedTerminatedPods: {} })
  })

  for (const [situation, spec, status, reason] of [
    ['fails when all that is left has failed', {}, { completedIndexes: '0,1', failedIndexes: '2' }, 'FailedIndexes'],
    ['fails when too many have failed', { maxFailedIndexes: 1 }, { failedIndexes: '0,1' }, 'MaxFailedIndexesExceeded'],
  ] as const)
    test(situation, () => {
      const limits = { backoffLimitPerIndex: 0, backoffLimit: 2 ** 31 - 1, ...spec }
      const plan = look(indexed(limits, { ...STARTED, ...status }), [])
      expect(statusAfter(plan)?.conditions).toMatchObject([{ type: 'FailureTarget', reason }])
    })

  test('succeeds early by its success policy, and what still runs goes', () => {
    const spec = { successPolicy: { rules: [{ succeededIndexes: '0' }] } }
    const plan = look(indexed(spec), [podOf('succeeded', 'a', 0), podOf('active', 'b', 1)])
    expect(statusAfter(plan)?.conditions).toMatchObject([
      { type: 'SuccessCriteriaMet', reason: 'SuccessPolicy', message: 'Matched rules at index 0' },
    ])
    expect(summary(plan).deletes).toBe(1)
  })
})
