import { describe, expect, test } from 'vitest'
import { statusFindings } from '../../../test/support/findings.ts'
import { jobs } from './job.ts'
import type { JobSpec, JobStatus } from './types.gen.ts'

const START = '2026-01-01T00:00:00Z'
const LATER = '2026-01-01T00:01:00Z'
const isTrue = (...types: readonly string[]) => ({ conditions: types.map((type) => ({ type, status: 'True' })) })
const complete = { ...isTrue('SuccessCriteriaMet', 'Complete'), startTime: START, completionTime: LATER }
const failed = { ...isTrue('FailureTarget', 'Failed'), startTime: START }
const indexed = { completionMode: 'Indexed', completions: 5 } as const

function errors(status: JobStatus, previous: JobStatus = {}, spec: Partial<JobSpec> = {}): readonly string[] {
  const object = (own: JobStatus) => ({ metadata: { name: 'pi' }, spec: { template: {}, ...spec }, status: own })
  return statusFindings(jobs.status, object(status), object(previous)).map((line) => line.slice(line.indexOf(' ') + 1))
}

describe('a status', () => {
  for (const [status, previous, expected, spec] of [
    [complete, {}, []],
    [failed, {}, []],
    [{ active: -1 }, {}, ['status.active: Invalid value: -1: must be greater than or equal to 0']],
    [
      { uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['a'] } },
      {},
      [
        'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
        'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
      ],
    ],
    [
      { ...failed, ...isTrue('Failed') },
      {},
      ['status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition'],
    ],
    [
      { ...complete, ...isTrue('Complete') },
      {},
      [
        'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
      ],
    ],
    [
      { ...complete, completionTime: undefined },
      {},
      ['status.completionTime: Required value: completionTime is required for Complete jobs'],
    ],
    [
      { completionTime: LATER, startTime: START },
      {},
      [
        'status.completionTime: Invalid value: "2026-01-01T00:01:00Z": ' +
          'cannot set completionTime when there is no Complete=True condition',
      ],
    ],
    [
      { ...complete, startTime: LATER, completionTime: START },
      {},
      ['status.completionTime: Invalid value: "2026-01-01T00:00:00Z": must be equal to or after `startTime`'],
    ],
    [{ ...failed, active: 1 }, {}, ['status.active: Invalid value: 1: active>0 is invalid for finished job']],
    [
      { ...failed, startTime: undefined },
      {},
      ['status.startTime: Required value: startTime is required for finished job'],
    ],
    [
      { ...failed, terminating: 1 },
      {},
      ['status.terminating: Invalid value: 1: terminating>0 is invalid for finished job'],
    ],
    [{ ready: 2, active: 1 }, {}, ['status.ready: Invalid value: 2: cannot set more ready pods than active']],
    [{ ready: 2, active: 1, succeeded: 1 }, { ready: 2, active: 1 }, []],
    [
      {},
      failed,
      [
        'status.conditions: Invalid value: cannot disable the terminal Failed=True condition',
        'status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition',
        'status.startTime: Invalid value: null: field is immutable for unsuspended job once set',
      ],
    ],
    [{}, { failed: 1 }, ['status.failed: Invalid value: 0: cannot decrease the failed counter']],
    [{}, { succeeded: 1 }, ['status.succeeded: Invalid value: 0: cannot decrease the succeeded counter']],
    [{}, { succeeded: 1 }, [], { ...indexed, parallelism: 5 }],
    [{}, { startTime: START }, [], { suspend: true }],
    [
      { completedIndexes: '1' },
      {},
      [
        'status.completedIndexes: Invalid value: "1": ' +
          'cannot set non-empty completedIndexes when non-indexed completion mode',
      ],
    ],
    [
      { completedIndexes: '0,7' },
      {},
      ['status.completedIndexes: Invalid value: "0,7": error parsing completedIndexes: too large index: "7"'],
      indexed,
    ],
    [{ completedIndexes: '0,7', active: 1 }, { completedIndexes: '0,7' }, [], indexed],
    [
      { failedIndexes: '1' },
      {},
      ['status.failedIndexes: Invalid value: "1": cannot set non-null failedIndexes when backoffLimitPerIndex is null'],
      indexed,
    ],
    [
      { completedIndexes: '0-2', failedIndexes: '2,4' },
      {},
      ['status.failedIndexes: Invalid value: "2,4": failedIndexes and completedIndexes overlap at index: 2'],
      { ...indexed, backoffLimitPerIndex: 1 },
    ],
  ] as readonly (readonly [JobStatus, JobStatus, readonly string[], Partial<JobSpec>?])[]) {
    test(expected[0] ?? `${JSON.stringify(status)} after ${JSON.stringify(previous)}`, () => {
      expect(errors(status, previous, spec)).toEqual(expected)
    })
  }
})
