import { expect, test } from 'vitest'
import { job } from '../../../test/support/builders.ts'
import type { JobStatus } from '../../apis/batch/types.gen.ts'
import { planTtl } from './ttl-after-finished.ts'

const FINISHED = '2026-01-01T00:00:00Z'
const T = Date.parse(FINISHED)

const ended = (type: string, status = 'True'): JobStatus => ({
  conditions: [{ type, status, lastTransitionTime: FINISHED }],
})

for (const [situation, ttl, status, nowMs, expected] of [
  ['a job that still runs stays', 10, {}, T, { actions: [] }],
  ['a job without a limit stays', undefined, ended('Complete'), T + 1e9, { actions: [] }],
  ['a job of late stays for a while', 10, ended('Complete'), T + 4_000, { actions: [], requeueAfterMs: 6_000 }],
  ['a job of long ago goes', 10, ended('Complete'), T + 10_000, { actions: [{ do: 'delete' }] }],
  ['a failed one goes too', 0, ended('Failed'), T, { actions: [{ do: 'delete', propagationPolicy: 'Foreground' }] }],
  ['a job that only is to fail stays', 0, ended('FailureTarget'), T, { actions: [] }],
  ['a job that has not failed stays', 0, ended('Failed', 'False'), T, { actions: [] }],
] as const)
  test(situation, () => {
    const plan = planTtl(job({ spec: { ttlSecondsAfterFinished: ttl }, status }), nowMs)
    expect(plan).toMatchObject(expected)
    expect(plan.actions).toHaveLength(expected.actions.length)
  })

test('a job on its way out is not deleted again', () => {
  const metadata = { deletionTimestamp: FINISHED }
  const gone = job({ metadata, spec: { ttlSecondsAfterFinished: 0 }, status: ended('Complete') })
  expect(planTtl(gone, T)).toEqual({ actions: [] })
})
