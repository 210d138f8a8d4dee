/** From what is wanted to what is done, as tables. */

import { describe, expect, test } from 'vitest'
import type { HorizontalPodAutoscalerBehavior } from '../../apis/autoscaling/types.gen.ts'
import { normalize } from './normalize.ts'
import type { ScalingHistory } from './scaling-history.ts'

const NOW = 1_000_000_000
const MINUTE = 60_000

const NOTHING: ScalingHistory = { recommendations: [], added: [], removed: [] }
const wanted = (...wishes: readonly [replicas: number, agoMs: number][]): ScalingHistory => ({
  ...NOTHING,
  recommendations: wishes.map(([replicas, agoMs]) => ({ replicas, atMs: NOW - agoMs })),
})

interface Case {
  readonly current: number
  readonly desired: number
  readonly history?: ScalingHistory
  readonly behavior?: HorizontalPodAutoscalerBehavior
  readonly minReplicas?: number
  readonly maxReplicas?: number
}

function outcome({ current, desired, history = NOTHING, behavior, minReplicas = 1, maxReplicas = 100 }: Case) {
  const spec = { scaleTargetRef: { kind: 'Deployment', name: 'web' }, minReplicas, maxReplicas, behavior }
  const { replicas, ableToScale, limited } = normalize({
    autoscaler: { metadata: {}, spec },
    current,
    desired,
    history,
    nowMs: NOW,
  })
  return [replicas, ableToScale.reason, limited.reason]
}

describe('without behaviour', () => {
  test.each<[string, Case, readonly unknown[]]>([
    ['what is wanted is done', { current: 3, desired: 5 }, [5, 'ReadyForNewScale', 'DesiredWithinRange']],
    ['at most twice as many at once', { current: 3, desired: 10 }, [6, 'ReadyForNewScale', 'ScaleUpLimit']],
    ['but always four', { current: 1, desired: 10 }, [4, 'ReadyForNewScale', 'ScaleUpLimit']],
    [
      'never more than the maximum',
      { current: 8, desired: 20, maxReplicas: 10 },
      [10, 'ReadyForNewScale', 'TooManyReplicas'],
    ],
    [
      'never fewer than the minimum',
      { current: 3, desired: 1, minReplicas: 2 },
      [2, 'ReadyForNewScale', 'TooFewReplicas'],
    ],
    [
      'not fewer than was wanted in the last five minutes',
      { current: 5, desired: 2, history: wanted([4, 4 * MINUTE], [9, 6 * MINUTE]) },
      [4, 'ScaleDownStabilized', 'DesiredWithinRange'],
    ],
  ])('%s', (_, subject, expected) => {
    expect(outcome(subject)).toEqual(expected)
  })
})

describe('with behaviour', () => {
  const scaleUp = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds: 15 },
      { type: 'Percent', value: 100, periodSeconds: 15 },
    ],
  }
  const scaleDown = {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [{ type: 'Pods', value: 2, periodSeconds: 60 }],
  }
  const behavior = { scaleUp, scaleDown }
  const changed = (added: number, removed: number, agoMs: number): ScalingHistory => ({
    ...NOTHING,
    added: added > 0 ? [{ count: added, atMs: NOW - agoMs }] : [],
    removed: removed > 0 ? [{ count: removed, atMs: NOW - agoMs }] : [],
  })
  test.each<[string, Case, readonly unknown[]]>([
    [
      'the larger of the policies counts',
      { current: 10, desired: 50, behavior },
      [20, 'ReadyForNewScale', 'ScaleUpLimit'],
    ],
    [
      'the smaller, if that is selected',
      { current: 10, desired: 50, behavior: { scaleUp: { ...scaleUp, selectPolicy: 'Min' }, scaleDown } },
      [14, 'ReadyForNewScale', 'ScaleUpLimit'],
    ],
    [
      'what was added in the period counts',
      { current: 10, desired: 50, behavior, history: changed(5, 0, 10_000) },
      [10, 'ReadyForNewScale', 'ScaleUpLimit'],
    ],
    [
      'before the period it does not',
      { current: 10, desired: 50, behavior, history: changed(5, 0, 20_000) },
      [20, 'ReadyForNewScale', 'ScaleUpLimit'],
    ],
    ['down by two a minute', { current: 10, desired: 1, behavior }, [8, 'ReadyForNewScale', 'ScaleDownLimit']],
    [
      'and no further in the same minute',
      { current: 8, desired: 1, behavior, history: changed(0, 2, 30_000) },
      [8, 'ReadyForNewScale', 'ScaleDownLimit'],
    ],
    [
      'not at all when that is disabled',
      { current: 10, desired: 1, behavior: { scaleUp, scaleDown: { ...scaleDown, selectPolicy: 'Disabled' } } },
      [10, 'ReadyForNewScale', 'ScaleDownLimit'],
    ],
    [
      'up only to the lowest of the window',
      {
        current: 5,
        desired: 9,
        behavior: { scaleUp: { ...scaleUp, stabilizationWindowSeconds: 120 }, scaleDown },
        history: wanted([6, MINUTE]),
      },
      [6, 'ScaleUpStabilized', 'DesiredWithinRange'],
    ],
    [
      'down only to the highest of the window',
      {
        current: 9,
        desired: 2,
        behavior: { scaleUp, scaleDown: { ...scaleDown, stabilizationWindowSeconds: 120 } },
        history: wanted([8, MINUTE], [20, 3 * MINUTE]),
      },
      [8, 'ScaleDownStabilized', 'DesiredWithinRange'],
    ],
  ])('%s', (_, subject, expected) => {
    expect(outcome(subject)).toEqual(expected)
  })
})
