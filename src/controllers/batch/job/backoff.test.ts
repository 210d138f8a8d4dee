import { describe, expect, test } from 'vitest'
import { job, pod } from '../../../../test/support/builders.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import { FailureMemory, noFailures, remainingIndexMs, remainingMs } from './backoff.ts'
import { INDEX_FAILURE_COUNT, INDEX_IGNORED_FAILURE_COUNT } from './job-pods.ts'

const T = Date.parse('2026-01-01T00:00:00Z')

let uids = 0
const finished = (phase: 'Failed' | 'Succeeded', atMs: number, annotations: Readonly<Record<string, string>> = {}) =>
  pod({
    metadata: { uid: `pod-${uids++}`, annotations },
    status: {
      phase,
      containerStatuses: [
        {
          name: 'main',
          ready: false,
          restartCount: 0,
          image: '',
          imageID: '',
          state: { terminated: { exitCode: 1, finishedAt: formatTime(atMs) } },
        },
      ],
    },
  })
const failed = (atMs: number) => finished('Failed', atMs)
const succeeded = (atMs: number) => finished('Succeeded', atMs)

describe('the failures since the last success', () => {
  for (const [situation, pods, expected] of [
    ['of one pod', [failed(T)], { count: 1, lastMs: T }],
    ['of two pods', [failed(T), failed(T - 1000)], { count: 2, lastMs: T }],
    ['before a success', [succeeded(T), failed(T - 2000), failed(T - 1000)], noFailures],
    [
      'before and after a success',
      [succeeded(T - 2000), failed(T), failed(T - 4000), failed(T - 3000), failed(T - 1000)],
      { count: 2, lastMs: T },
    ],
    ['at the time of a success', [succeeded(T), failed(T)], noFailures],
    ['of nothing', [], noFailures],
    ['of a success', [succeeded(T)], noFailures],
  ] as const)
    test(situation, () => expect(new FailureMemory().note('key', job(), pods)).toEqual(expected))

  test('are remembered when the pods are gone, and counted once', () => {
    const memory = new FailureMemory()
    const first = failed(T - 5000)
    memory.note('key', job(), [first, failed(T - 6000)])
    expect(memory.note('key', job(), [first])).toEqual({ count: 2, lastMs: T - 5000 })
    expect(memory.note('key', job(), [first, failed(T)])).toEqual({ count: 3, lastMs: T })
  })

  test('are not those of another job of the same name', () => {
    const memory = new FailureMemory()
    memory.note('key', job({ metadata: { uid: 'one' } }), [failed(T)])
    expect(memory.note('key', job({ metadata: { uid: 'two' } }), [])).toEqual(noFailures)
  })
})

describe('the wait', () => {
  for (const [count, passedMs, expected] of [
    [0, 0, 0],
    [1, 0, 10_000],
    [1, 4_000, 6_000],
    [1, 10_000, 0],
    [2, 5_000, 15_000],
    [3, 0, 40_000],
    [7, 0, 600_000],
    [100, 0, 600_000],
  ] as const)
    test(`after ${count} failures, the last ${passedMs} ms ago, is ${expected} ms`, () =>
      expect(remainingMs({ count, lastMs: T - passedMs }, T)).toBe(expected))

  test('of an index goes by what its last pod says of those before it', () => {
    const last = finished('Failed', T, { [INDEX_FAILURE_COUNT]: '1', [INDEX_IGNORED_FAILURE_COUNT]: '1' })
    expect(remainingIndexMs(last, T + 1000)).toBe(39_000)
    expect(remainingIndexMs(undefined, T)).toBe(0)
  })
})
