import { describe, expect, test } from 'vitest'
import { pod } from '../../../test/support/builders.ts'
import type { Pod, PodStatus } from '../../apis/core/types.gen.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { podsToDelete } from './pod-ranking.ts'

// Goal: the order in which pods go. Method: pairs that differ in one thing; the first one goes.

const NOW_MS = Date.UTC(2026, 0, 1)
const ago = (seconds: number): string => formatTime(NOW_MS - seconds * 1_000)

interface Traits {
  readonly node?: string
  readonly phase?: PodStatus['phase']
  readonly readySince?: number
  readonly cost?: string
  readonly created?: number
  readonly restarts?: number
  readonly sidecarRestarts?: number
}

function running(name: string, traits: Traits = {}): Pod {
  const { node = 'a', phase = 'Running', readySince = 100, cost, created = 1_000, restarts = 0 } = traits
  const status = { image: '', imageID: '', ready: true }
  const ready = { type: 'Ready', status: 'True', lastTransitionTime: ago(readySince) }
  return pod({
    metadata: {
      name,
      uid: name,
      creationTimestamp: ago(created),
      annotations: cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': cost },
    },
    spec: { nodeName: node, initContainers: [{ name: 'sidecar', restartPolicy: 'Always' }] },
    status: {
      phase,
      conditions: traits.readySince === -1 ? [] : [ready],
      containerStatuses: [{ ...status, name: 'app', restartCount: restarts }],
      initContainerStatuses: [{ ...status, name: 'sidecar', restartCount: traits.sidecarRestarts ?? 0 }],
    },
  })
}

function firstOf(pods: readonly Pod[], related: readonly Pod[] = []): string | undefined {
  return podsToDelete(pods, related, 1, NOW_MS)[0]?.metadata.name
}

describe('of two pods the one goes first', () => {
  const rows: readonly (readonly [behaviour: string, first: Traits, second: Traits])[] = [
    ['that has no node', { node: '' }, { phase: 'Pending' }],
    ['that is pending', { phase: 'Pending' }, { readySince: -1 }],
    ['whose phase is unknown, before a running one', { phase: 'Unknown' }, { readySince: -1 }],
    ['that is not ready', { readySince: -1 }, { cost: '-5' }],
    ['that is cheap to delete', { cost: '-5' }, { readySince: 1 }],
    ['that became ready last', { readySince: 1 }, { restarts: 9 }],
    ['that restarted more', { restarts: 2 }, { created: 1 }],
    ['whose sidecar restarted more', { sidecarRestarts: 2 }, { created: 1 }],
    ['that is younger', { created: 1 }, {}],
  ]
  for (const [behaviour, first, second] of rows) {
    test(behaviour, () => {
      const pods = [running('second', second), running('first', first)]
      expect([firstOf(pods), firstOf(pods.toReversed())]).toEqual(['first', 'first'])
    })
  }
})

test('a node with more pods of the same job loses one first', () => {
  const pods = [running('lonely', { node: 'a' }), running('crowded', { node: 'b' })]
  const related = [...pods, running('neighbour', { node: 'b' })]
  expect(firstOf(pods, related)).toBe('crowded')
})

test('ages of the same order of magnitude are drawn by uid', () => {
  const pods = [running('z', { created: 1_000 }), running('a', { created: 1_050 })]
  expect(firstOf(pods)).toBe('a')
})

test('a cost that is no whole number counts as none', () => {
  const pods = [running('plain', { readySince: 1 }), running('wrong', { cost: '-1.5' })]
  expect(firstOf(pods)).toBe('plain')
})

test('all go when all must', () => {
  const pods = [running('one'), running('two')]
  expect(podsToDelete(pods, [], 2, NOW_MS)).toBe(pods)
})
