/** How many replicas a measured value asks for: upstream's cases, one container to a pod. */

import { describe, expect, test } from 'vitest'
import { container, pod } from '../../../test/support/builders.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import {
  type Measures,
  replicasForAverage,
  replicasForShare,
  replicasForUtilization,
  replicasForValue,
} from './replica-calculator.ts'

const NOW = Date.parse('2026-01-01T12:00:00Z')
const MINUTE = 60_000
const TOLERANCE = { down: 0.1, up: 0.1 }

/** `ready`, `never`: has not been ready since its start; `hot`: has started just now; the rest are phases and states. */
type State = 'ready' | 'never' | 'hot' | 'failed' | 'pending' | 'deleted'

function podIn(state: State, index: number): Pod {
  const startMs = state === 'hot' ? NOW - MINUTE : NOW - 60 * MINUTE
  const changedMs = state === 'ready' ? NOW - 50 * MINUTE : state === 'hot' ? NOW - 10_000 : startMs
  const status = state === 'never' ? 'False' : 'True'
  const phase = state === 'failed' ? 'Failed' : state === 'pending' ? 'Pending' : 'Running'
  const metadata = { name: `pod-${index}`, ...(state === 'deleted' ? { deletionTimestamp: formatTime(NOW) } : {}) }
  const condition = { type: 'Ready', status, lastTransitionTime: formatTime(changedMs) } as const
  return pod({
    metadata,
    spec: { containers: [container({ resources: { requests: { cpu: '1', memory: '1Gi' } } })] },
    status: { phase, startTime: formatTime(startMs), conditions: [condition] },
  })
}

const podsIn = (states: readonly State[]) => states.map(podIn)
const measuresOf = (levels: readonly number[]): Measures =>
  new Map(levels.map((milli, index) => [`pod-${index}`, { milli, atMs: NOW, windowMs: MINUTE }]))
const workloadOf = (replicas: number, states: readonly State[]) => ({
  replicas,
  pods: podsIn(states),
  tolerance: TOLERANCE,
  nowMs: NOW,
})

describe('for a utilisation of the processor', () => {
  const table: readonly [string, number, readonly State[], readonly number[], number, number, number?][] = [
    ['grows', 3, ['ready', 'ready', 'ready'], [300, 500, 700], 30, 5, 50],
    ['grows less while a pod is not ready', 3, ['never', 'ready', 'ready'], [300, 500, 700], 30, 4, 60],
    ['grows less while a pod has just started', 3, ['hot', 'ready', 'ready'], [300, 500, 700], 30, 4, 60],
    ['stays when most pods are not ready', 3, ['ready', 'never', 'never'], [400, 500, 700], 30, 3, 40],
    ['stays when most pods have just started', 3, ['ready', 'hot', 'hot'], [400, 500, 700], 30, 3, 40],
    ['does not count failed pods', 2, ['ready', 'ready', 'failed', 'failed'], [500, 700], 30, 4, 60],
    ['does not count pods that are being deleted', 2, ['ready', 'ready', 'deleted', 'deleted'], [500, 700], 30, 4, 60],
    ['shrinks', 5, ['ready', 'ready', 'ready', 'ready', 'ready'], [100, 300, 500, 250, 250], 50, 3, 28],
    [
      'shrinks without what is not ready',
      5,
      ['never', 'ready', 'ready', 'ready', 'ready'],
      [100, 300, 500, 250, 250],
      50,
      3,
      32,
    ],
    ['stays within the tolerance', 3, ['ready', 'ready', 'ready'], [1010, 1030, 1020], 100, 3, 102],
    [
      'takes a pod that was not measured as idle when growing',
      4,
      ['ready', 'ready', 'ready', 'ready'],
      [300, 500, 700],
      30,
      5,
      50,
    ],
    ['takes it as on target when shrinking', 4, ['ready', 'ready', 'ready', 'ready'], [100, 100, 100], 40, 4, 10],
    ['grows with pods that are still pending', 3, ['ready', 'ready', 'pending'], [700, 800], 30, 5, 75],
  ]
  test.each(table)('%s', (_, replicas, states, levels, percent, expected, utilization) => {
    const found = replicasForUtilization(workloadOf(replicas, states), measuresOf(levels), { resource: 'cpu', percent })
    expect(found).toMatchObject({ replicas: expected, ...(utilization === undefined ? {} : { percent: utilization }) })
  })

  test('measured pods that nobody knows say nothing', () => {
    const measures = new Map([['older', { milli: 100, atMs: NOW, windowMs: MINUTE }]])
    const found = replicasForUtilization(workloadOf(1, ['ready']), measures, { resource: 'cpu', percent: 100 })
    expect(found).toEqual({ error: 'no metrics returned matched known pods' })
  })

  test('a container that requests nothing leaves nothing to compare with', () => {
    const silent = { ...workloadOf(1, []), pods: [pod({ metadata: { name: 'pod-0' }, status: { phase: 'Running' } })] }
    const found = replicasForUtilization(silent, measuresOf([100]), { resource: 'memory', percent: 50 })
    expect(found).toEqual({ error: 'missing request for memory in container app of Pod pod-0' })
  })

  test('without pods, or without one that counts, nothing is said', () => {
    const target = { resource: 'cpu', percent: 50 }
    expect(replicasForUtilization(workloadOf(1, []), measuresOf([100]), target)).toEqual({
      error: 'no pods returned by selector while calculating replica count',
    })
    expect(replicasForUtilization(workloadOf(1, ['pending']), measuresOf([100]), target)).toEqual({
      error: 'did not receive metrics for targeted pods (pods might be unready)',
    })
  })
})

describe('for an average of something else', () => {
  const table: readonly [string, number, readonly State[], readonly number[], number, number, number][] = [
    ['grows', 3, ['ready', 'ready', 'ready'], [20_000, 10_000, 30_000], 15_000, 4, 20_000],
    ['takes pods as they are, ready or not', 3, ['ready', 'ready', 'hot'], [50_000, 10_000, 30_000], 15_000, 6, 30_000],
    ['rounds the average down', 3, ['never', 'ready', 'never'], [50_000, 15_000, 30_000], 15_000, 7, 31_666],
    [
      'shrinks',
      5,
      ['ready', 'ready', 'ready', 'ready', 'ready'],
      [12_000, 12_000, 12_000, 12_000, 12_000],
      20_000,
      3,
      12_000,
    ],
  ]
  test.each(table)('%s', (_, replicas, states, levels, milli, expected, average) => {
    expect(replicasForAverage(workloadOf(replicas, states), measuresOf(levels), { milli })).toEqual({
      replicas: expected,
      milli: average,
    })
  })
})

describe('for one value', () => {
  test.each([
    [3, ['ready', 'ready', 'ready'], 20_000, 15_000, 4],
    [3, ['never', 'ready', 'never'], 50_000, 10_000, 5],
    [3, ['never', 'ready', 'never'], 8_600, 4_400, 2],
    [0, [], 20_000, 15_000, 2],
    [3, ['ready', 'ready', 'ready'], 15_500, 15_000, 3],
    [3, ['ready', 'ready', 'ready'], 9e18, 1, 2_147_483_647],
  ] as const)('%i replicas, %j, %i of %i', (replicas, states, milli, target, expected) => {
    expect(replicasForValue(workloadOf(replicas, states), milli, target)).toEqual({ replicas: expected, milli })
  })

  test('that is shared, the share is told', () => {
    const shared = { replicas: 3, tolerance: TOLERANCE }
    expect(replicasForShare(shared, 20_000, 5_000)).toEqual({ replicas: 4, milli: 6_667 })
    expect(replicasForShare(shared, 15_500, 5_000)).toEqual({ replicas: 3, milli: 5_167 })
  })
})
