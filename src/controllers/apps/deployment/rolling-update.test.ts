import { describe, expect, test } from 'vitest'
import { deployment as built, replicaSet } from '../../../../test/support/builders.ts'
import type { Deployment, ReplicaSet } from '../../../apis/apps/types.gen.ts'
import type { IntOrString } from '../../../machinery/meta/int-or-string.ts'
import { withReplicaAnnotations } from './revisions.ts'
import { isScaling, maxSurge, maxUnavailable, nextCurrentSize, type Rollout, rollOn, scaled } from './rolling-update.ts'

// Goal: the sizes of ReplicaSets in rollouts and changes of size. Method: `size/available` in, sizes out.

function deployment(replicas: number, surge: IntOrString, unavailable: IntOrString): Deployment {
  const rollingUpdate = { maxSurge: surge, maxUnavailable: unavailable }
  return built({ spec: { replicas, strategy: { type: 'RollingUpdate', rollingUpdate } } })
}

/** `before`: the Deployment's desired and largest size when the ReplicaSet was last sized. */
function sized(name: string, size: number, available = size, before?: readonly [number, number]): ReplicaSet {
  const plain = replicaSet({
    metadata: { name, creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { replicas: size },
    status: { replicas: size, availableReplicas: available },
  })
  return before ? withReplicaAnnotations(plain, ...before) : plain
}

function sizes({ current, old }: Rollout): readonly (number | undefined)[] {
  return [current, ...old].map((found) => found?.spec.replicas)
}

describe('limits', () => {
  const rows: readonly (readonly [number, IntOrString, IntOrString, surge: number, unavailable: number])[] = [
    [10, '25%', '25%', 3, 2],
    [1, '25%', '25%', 1, 0],
    [3, 0, '1%', 0, 1],
    [2, 1, 0, 1, 0],
    [4, 0, 9, 0, 4],
    [0, '25%', '25%', 0, 0],
  ]
  test.each(rows)('of %i pods with surge %s and unavailable %s', (replicas, surge, unavailable, ...expected) => {
    const object = deployment(replicas, surge, unavailable)
    expect([maxSurge(object), maxUnavailable(object)]).toEqual(expected)
  })

  test('do not exist for Recreate', () => {
    const object = built({ spec: { replicas: 4, strategy: { type: 'Recreate' } } })
    expect([maxSurge(object), maxUnavailable(object)]).toEqual([0, 0])
  })
})

test.each([
  ['grows by the surge', 0, 10, 3],
  ['fills what old ones have left', 3, 11, 5],
  ['waits while there are as many pods as may be', 3, 13, 3],
  ['does not grow beyond what is desired', 9, 9, 10],
  ['shrinks to what is desired', 12, 12, 10],
])('the current ReplicaSet %s', (_behaviour, size, total, expected) => {
  expect(nextCurrentSize(deployment(10, 3, 2), size, total)).toBe(expected)
})

describe('a rollout', () => {
  const rows: readonly (readonly [behaviour: string, rollout: Rollout, sizes: ReturnType<typeof sizes>])[] = [
    [
      'grows the new one first',
      { deployment: deployment(10, 3, 2), current: sized('new', 0), old: [sized('old', 10)] },
      [3, 10],
    ],
    [
      'then takes from the old what may be unavailable',
      { deployment: deployment(10, 3, 2), current: sized('new', 3, 0), old: [sized('old', 10)] },
      [3, 8],
    ],
    [
      'waits for new pods before it takes more',
      { deployment: deployment(10, 3, 2), current: sized('new', 5, 0), old: [sized('old', 8)] },
      [5, 8],
    ],
    [
      'takes old pods that are not available at once',
      { deployment: deployment(10, 3, 2), current: sized('new', 3, 3), old: [sized('old', 10, 5)] },
      [3, 5],
    ],
    [
      'takes from the oldest first',
      { deployment: deployment(10, 3, 2), current: sized('new', 5, 5), old: [sized('a', 4), sized('b', 4)] },
      [5, 0, 3],
    ],
    [
      'ends when no old pod is left',
      { deployment: deployment(10, 3, 2), current: sized('new', 10), old: [sized('old', 0)] },
      [10, 0],
    ],
    [
      'never goes below the minimum without surge',
      { deployment: deployment(4, 0, 1), current: sized('new', 1, 0), old: [sized('old', 3)] },
      [1, 3],
    ],
  ]
  test.each(rows)('%s', (_behaviour, rollout, expected) => {
    expect(sizes(rollOn(rollout))).toEqual(expected)
  })
})

describe('a change of size', () => {
  const at10: readonly [number, number] = [10, 13]
  const rows: readonly (readonly [behaviour: string, rollout: Rollout, sizes: ReturnType<typeof sizes>])[] = [
    [
      'goes to the only one with pods',
      { deployment: deployment(5, 1, 0), current: sized('new', 3, 3, [3, 4]), old: [sized('old', 0)] },
      [5, 0],
    ],
    [
      'goes to the newest when none has pods',
      { deployment: deployment(5, 1, 0), current: undefined, old: [sized('a', 0), sized('b', 0)] },
      [undefined, 0, 5],
    ],
    [
      'is shared in the middle of a rollout',
      { deployment: deployment(30, 3, 2), current: sized('new', 5, 0, at10), old: [sized('old', 8, 8, at10)] },
      [13, 20],
    ],
    [
      'is shared when it shrinks',
      { deployment: deployment(5, 3, 2), current: sized('new', 5, 5, at10), old: [sized('old', 8, 8, at10)] },
      [3, 5],
    ],
    [
      'takes all when nothing is desired',
      { deployment: deployment(0, 3, 2), current: sized('new', 5, 5, at10), old: [sized('old', 8, 8, at10)] },
      [0, 0],
    ],
    [
      'empties old ones once the new one is complete',
      { deployment: deployment(5, 1, 0), current: sized('new', 5, 5, [5, 6]), old: [sized('old', 2, 2, [3, 4])] },
      [5, 0],
    ],
  ]
  test.each(rows)('%s', (_behaviour, rollout, expected) => {
    const after = scaled(rollout)
    expect(sizes(after)).toEqual(expected)
    expect(isScaling(after)).toBe(false)
  })

  test('is noticed by what the ReplicaSets were sized for', () => {
    const rollout = { deployment: deployment(10, 3, 2), current: sized('new', 10, 10, at10), old: [] }
    expect(isScaling(rollout)).toBe(false)
    expect(isScaling({ ...rollout, deployment: deployment(11, 3, 2) })).toBe(true)
  })
})
