import { expect, test } from 'vitest'
import { pod } from '../../../test/support/builders.ts'
import { podGraceSeconds } from './content.ts'
import { deletionConditions } from './deletion-conditions.ts'

const NOTHING = { contentFailures: [], remaining: [] }
const NOW = Date.UTC(2026, 0, 1)

test('an empty namespace has all five conditions, none of them true', () => {
  const conditions = deletionConditions([], NOTHING, NOW)
  expect(conditions.map(({ type, status }) => [type, status])).toEqual([
    ['NamespaceDeletionDiscoveryFailure', 'False'],
    ['NamespaceDeletionGroupVersionParsingFailure', 'False'],
    ['NamespaceDeletionContentFailure', 'False'],
    ['NamespaceContentRemaining', 'False'],
    ['NamespaceFinalizersRemaining', 'False'],
  ])
})

test('failures and what remains are told in a stable order', () => {
  const findings = {
    discoveryFailure: 'no answer',
    contentFailures: ['second', 'first'],
    remaining: [
      { group: 'apps', resource: 'deployments', finalizers: [['b/x'], ['a/x', 'b/x']] },
      { group: '', resource: 'configmaps', finalizers: [[]] },
    ],
  }
  const told = deletionConditions([], findings, NOW).map(({ status, reason, message }) => [status, reason, message])
  expect(told.filter(([status]) => status === 'True')).toEqual([
    ['True', 'DiscoveryFailed', 'no answer'],
    ['True', 'ContentDeletionFailed', 'Failed to delete all resource types, 2 remaining: first, second'],
    [
      'True',
      'SomeResourcesRemain',
      'Some resources are remaining: configmaps. has 1 resource instances, deployments.apps has 2 resource instances',
    ],
    [
      'True',
      'SomeFinalizersRemain',
      'Some content in the namespace has finalizers remaining: a/x in 1 resource instances, b/x in 2 resource instances',
    ],
  ])
})

test('conditions keep their time until their status changes, and others are left alone', () => {
  const foreign = { type: 'example.com/Mine', status: 'True' }
  const left = (count: number) => [{ group: '', resource: 'pods', finalizers: Array<string[]>(count).fill([]) }]
  const first = deletionConditions([foreign], { ...NOTHING, remaining: left(2) }, NOW)
  expect(deletionConditions(first, { ...NOTHING, remaining: left(2) }, NOW + 5_000)).toBe(first)
  const second = deletionConditions(first, { ...NOTHING, remaining: left(1) }, NOW + 5_000)
  const third = deletionConditions(second, NOTHING, NOW + 9_000)
  const times = [first, second, third].map(
    (list) => list.find(({ type }) => type === 'NamespaceContentRemaining')?.lastTransitionTime,
  )
  expect(times).toEqual(['2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00:09Z'])
  expect(third[0]).toBe(foreign)
})

test('the longest grace of pods that still run is waited for, but not longer than that', () => {
  const running = pod({ spec: { terminationGracePeriodSeconds: 20 } })
  const finished = pod({ spec: { terminationGracePeriodSeconds: 90 }, status: { phase: 'Succeeded' } })
  expect(podGraceSeconds([running, finished], NOW, NOW + 5_000)).toBe(20)
  expect(podGraceSeconds([running, finished], NOW, NOW + 20_000)).toBe(0)
  expect(podGraceSeconds([], NOW, NOW)).toBe(0)
})

test('a finished pod that its node is about to let go is waited for', () => {
  const metadata = { deletionTimestamp: '2026-01-01T00:00:30Z', deletionGracePeriodSeconds: 30 }
  expect(podGraceSeconds([pod({ metadata, status: { phase: 'Succeeded' } })], NOW, NOW + 1_000)).toBe(30)
})
