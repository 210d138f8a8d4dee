import { describe, expect, test } from 'vitest'
import { replicaSet } from '../../../test/support/builders.ts'
import { replicaSets } from '../../apis/apps/replica-set.ts'
import { ApiError, conflict } from '../../machinery/meta/api-error.ts'
import type { Condition } from '../../machinery/meta/conditions.ts'
import { isNamespaceTerminating, isTellingFailure, statusActions, withCondition } from './status.ts'

const BEFORE = '2026-01-01T00:00:00Z'
const NOW = '2026-01-01T00:01:00Z'
const ready: Condition = {
  type: 'Ready',
  status: 'True',
  reason: 'Up',
  message: 'it is up',
  lastTransitionTime: BEFORE,
}
const stored: Condition = { type: 'Stored', status: 'True', lastTransitionTime: BEFORE }

describe('a condition', () => {
  test('is added at the end', () => {
    expect(withCondition([stored], { ...ready, lastTransitionTime: NOW })).toEqual([
      stored,
      { ...ready, lastTransitionTime: NOW },
    ])
  })

  test('stays as it is when only its message changes', () => {
    const list = [ready, stored]
    expect(withCondition(list, { ...ready, message: 'still up', lastTransitionTime: NOW })).toBe(list)
  })

  test('keeps the time of its transition when only its reason changes', () => {
    const next = { ...ready, reason: 'Stable', lastTransitionTime: NOW }
    expect(withCondition([ready, stored], next)).toEqual([stored, { ...next, lastTransitionTime: BEFORE }])
  })

  test('has a new transition when its status changes', () => {
    const next = { ...ready, status: 'False', lastTransitionTime: NOW }
    expect(withCondition([ready], next)).toEqual([next])
  })
})

describe('a status', () => {
  const object = replicaSet({ status: { replicas: 2 } })

  test('that is the same is not written', () => {
    expect(statusActions(replicaSets, object, { replicas: 2, readyReplicas: undefined })).toEqual([])
  })

  test('that differs is written whole', () => {
    const [action] = statusActions(replicaSets, object, { replicas: 3 })
    expect(action).toMatchObject({ do: 'update-status', object: { ...object, status: { replicas: 3 } } })
  })
})

describe('a failure', () => {
  const causes = [{ reason: 'NamespaceTerminating', message: 'being terminated', field: 'metadata.namespace' }]
  const terminating = new ApiError(403, 'Forbidden', 'the namespace is being terminated', { causes })
  const quota = new ApiError(403, 'Forbidden', 'exceeded quota')

  test('is about the namespace when its cause says so', () => {
    expect([terminating, quota, new Error('other')].map(isNamespaceTerminating)).toEqual([true, false, false])
  })

  test('tells nothing when it is a conflict or about the namespace', () => {
    const stale = conflict({ group: 'apps', resource: 'replicasets' }, 'web', 'old')
    expect([quota, stale, terminating, undefined].map(isTellingFailure)).toEqual([true, false, false, false])
  })
})
