import { describe, expect, test } from 'vitest'
import { pod as builtPod, replicaSet } from '../../../test/support/builders.ts'
import type { ReplicaSet } from '../../apis/apps/types.gen.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { ApiError, conflict } from '../../machinery/meta/api-error.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { replicaSetKind } from './replica-set.ts'
import { planReplicas } from './replicas.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const quota = new ApiError(403, 'Forbidden', 'exceeded quota')
const failed = { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota' }

function owned(name: string, parts: Partial<Pod> = {}): Pod {
  const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'web', controller: true }
  const metadata = { name, uid: name, labels: { app: 'web' }, ownerReferences: [reference], ...parts.metadata }
  return builtPod({ ...parts, metadata })
}

function plan(parts: Partial<ReplicaSet>, pods: readonly Pod[], failure?: Error) {
  const owner = replicaSet({ ...parts, metadata: { uid: 'web', generation: 1, ...parts.metadata } })
  const { actions, requeueAfterMs } = planReplicas(
    { kind: replicaSetKind, owner, candidates: pods, related: [] },
    NOW_MS,
    failure,
  )
  const last = actions.at(-1)
  const status = last?.do === 'update-status' ? (last.object as ReplicaSet).status : undefined
  return { kinds: actions.map((action) => action.do), status, requeueAfterMs }
}

const spec = (replicas: number, minReadySeconds = 0) => ({ ...replicaSet().spec, replicas, minReadySeconds })
const deletionTimestamp = formatTime(NOW_MS)

describe('a ReplicaSet', () => {
  test('makes what is missing', () => {
    expect(plan({ spec: spec(2) }, []).kinds).toEqual(['create', 'create', 'update-status'])
  })

  test('does not count pods that ended or leave, and reports those that leave', () => {
    const pods = [owned('a', { status: { phase: 'Failed' } }), owned('b', { metadata: { deletionTimestamp } })]
    const { kinds, status } = plan({ spec: spec(1) }, pods)
    expect(kinds).toEqual(['create', 'update-status'])
    expect(status).toMatchObject({ replicas: 0, terminatingReplicas: 1 })
  })

  test('makes at most 500 at once', () => {
    expect(plan({ spec: spec(1_000) }, []).kinds).toHaveLength(501)
  })

  test('makes and deletes nothing while it is being deleted', () => {
    expect(plan({ spec: spec(2), metadata: { deletionTimestamp } }, []).kinds).toEqual(['update-status'])
  })

  test('claims first', () => {
    const orphan = builtPod({ metadata: { labels: { app: 'web' } } })
    expect(plan({ spec: spec(2) }, [orphan]).kinds).toEqual(['patch'])
  })

  test('comes back when a pod will have been ready for long enough', () => {
    const since = (seconds: number) => ({
      status: {
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: formatTime(NOW_MS - seconds * 1_000) }],
      },
    })
    const pods = [owned('a', since(40)), owned('b', since(20)), owned('c', since(5)), owned('d')]
    const { status, requeueAfterMs } = plan({ spec: spec(4, 30) }, pods)
    expect(status).toMatchObject({ replicas: 4, readyReplicas: 3, availableReplicas: 1 })
    expect(requeueAfterMs).toBe(10_000)
  })
})

describe('a failure to make pods', () => {
  test('is shown', () => {
    const { status } = plan({ spec: spec(1) }, [], quota)
    expect(status?.conditions).toEqual([{ ...failed, lastTransitionTime: formatTime(NOW_MS) }])
  })

  test('is shown no more when pods are made again', () => {
    const { status } = plan({ spec: spec(2), status: { replicas: 1, conditions: [failed] } }, [owned('a')])
    expect(status?.conditions).toBeUndefined()
  })

  test('is shown no more when there is nothing to make', () => {
    const { status } = plan({ spec: spec(1), status: { replicas: 1, conditions: [failed] } }, [owned('a')], quota)
    expect(status?.conditions).toBeUndefined()
  })

  test('is not what a conflict is', () => {
    const stale = conflict({ group: 'apps', resource: 'replicasets' }, 'web', 'old')
    expect(plan({ spec: spec(1) }, [], stale).status?.conditions).toBeUndefined()
  })

  test('because the namespace is being deleted stops the attempts', () => {
    const details = { causes: [{ reason: 'NamespaceTerminating' }] }
    const terminating = new ApiError(403, 'Forbidden', 'being terminated', details)
    expect(plan({ spec: spec(1) }, [], terminating).kinds).toEqual(['update-status'])
  })
})
