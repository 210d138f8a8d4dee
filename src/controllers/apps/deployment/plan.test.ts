import { describe, expect, test } from 'vitest'
import { deployment as built } from '../../../../test/support/builders.ts'
import { deployments } from '../../../apis/apps/deployment.ts'
import type { Deployment, ReplicaSet } from '../../../apis/apps/types.gen.ts'
import { ApiError, alreadyExists, conflict } from '../../../machinery/meta/api-error.ts'
import { formatTime } from '../../../machinery/meta/time.ts'
import type { Action } from '../../runtime/action.ts'
import { type DeploymentView, planDeployment } from './plan.ts'
import { newReplicaSet } from './revisions.ts'

// Goal: single decisions of a Deployment that are hard to see from outside. Method: one view, one plan.

const NOW_MS = Date.UTC(2026, 0, 1)

function deployment(spec: Partial<Deployment['spec']> = {}, status?: Deployment['status']): Deployment {
  const metadata = { uid: 'web', generation: 1, annotations: { team: 'a' } }
  return deployments.default(built({ metadata, spec: { replicas: 3, ...spec }, ...(status ? { status } : {}) }))
}

function owned(object: Deployment, revision: number, parts: Partial<ReplicaSet> = {}): ReplicaSet {
  const made = newReplicaSet(object, revision)
  const metadata = { ...made.metadata, uid: `rs-${revision}`, generation: 1, ...parts.metadata }
  return { ...made, ...parts, metadata }
}

function view(object: Deployment, candidates: readonly ReplicaSet[], namesake?: ReplicaSet): DeploymentView {
  return { deployment: object, candidates, namesake, pods: [] }
}

const brief = (action: Action): string => {
  switch (action.do) {
    case 'event':
      return `event ${action.event.reason}`
    case 'patch':
      return `patch ${action.key.name}`
    default:
      return `${action.do} ${action.object.metadata.name}`
  }
}

function statusOf(actions: readonly Action[]): Deployment['status'] {
  const last = actions.at(-1)
  return last?.do === 'update-status' ? (last.object as Deployment).status : undefined
}

describe('without a ReplicaSet of its template a Deployment', () => {
  const object = deployment()
  const made = newReplicaSet(object, 1)

  test('makes one, and tells so only when that succeeded', () => {
    const { actions } = planDeployment(view(object, []), NOW_MS)
    expect(actions.map(brief)).toEqual([`create ${made.metadata.name}`, 'update-status web'])
    expect(actions.at(-1)).toMatchObject({ afterSuccess: true })
    expect(statusOf(actions)?.conditions).toMatchObject([
      {
        type: 'Progressing',
        reason: 'NewReplicaSetCreated',
        message: `Created new replica set "${made.metadata.name}"`,
      },
      { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable' },
    ])
  })

  test('gives it annotations but those about the Deployment itself', () => {
    const { metadata } = newReplicaSet(deployment({}, undefined), 7)
    expect(metadata.annotations).toEqual({ team: 'a', 'deployment.kubernetes.io/revision': '7' })
  })

  test('counts a collision when another template has the name', () => {
    const namesake = { ...made, metadata: { ...made.metadata, uid: 'other', ownerReferences: [] } }
    const taken = alreadyExists({ group: 'apps', resource: 'replicasets' }, made.metadata.name ?? '')
    const { actions } = planDeployment(view(object, [], namesake), NOW_MS, taken)
    expect(actions.map(brief)).toEqual(['update-status web'])
    expect(statusOf(actions)?.collisionCount).toBe(1)
    expect(newReplicaSet({ ...object, status: { collisionCount: 1 } }, 1).metadata.name).not.toBe(made.metadata.name)
  })

  test('waits while the name is taken by what its cache does not show', () => {
    const taken = alreadyExists({ group: 'apps', resource: 'replicasets' }, made.metadata.name ?? '')
    const { actions } = planDeployment(view(object, []), NOW_MS, taken)
    expect(actions.map(brief)).toEqual([`create ${made.metadata.name}`, 'update-status web'])
  })

  test('shows why none could be made, once', () => {
    const quota = new ApiError(403, 'Forbidden', 'exceeded quota')
    const { actions } = planDeployment(view(object, []), NOW_MS, quota)
    expect(statusOf(actions)?.conditions).toMatchObject([
      {
        type: 'Progressing',
        status: 'False',
        reason: 'ReplicaSetCreateError',
        message: `Failed to create new replica set "${made.metadata.name}": exceeded quota`,
      },
    ])
    const shown = { ...object, status: statusOf(actions) }
    expect(planDeployment(view(shown, []), NOW_MS, quota).actions.map(brief)[0]).toBe(`create ${made.metadata.name}`)
  })

  test('does nothing in a namespace that is being deleted', () => {
    const details = { causes: [{ reason: 'NamespaceTerminating' }] }
    const terminating = new ApiError(403, 'Forbidden', 'being terminated', details)
    expect(planDeployment(view(object, []), NOW_MS, terminating).actions).toEqual([])
  })

  test('makes none while it is paused', () => {
    const { actions } = planDeployment(view(deployment({ paused: true }), []), NOW_MS)
    expect(actions.map(brief)).toEqual(['update-status web'])
  })
})

describe('with a ReplicaSet of its template a Deployment', () => {
  test('finds it under any hash', () => {
    const object = deployment()
    const renamed = owned({ ...object, status: { collisionCount: 5 } }, 1)
    const { actions } = planDeployment(view(object, [renamed]), NOW_MS)
    expect(actions.map(brief)).toEqual([`update ${renamed.metadata.name}`, 'update-status web'])
    expect(statusOf(actions)?.conditions).toMatchObject([{ reason: 'FoundNewReplicaSet' }, { type: 'Available' }])
  })

  test('takes over changed annotations and minReadySeconds', () => {
    const current = owned(deployment(), 1, { spec: { ...newReplicaSet(deployment(), 1).spec, replicas: 3 } })
    const changed = deployment({ minReadySeconds: 5 })
    const annotations = { ...changed.metadata.annotations, team: 'b' }
    const object = { ...changed, metadata: { ...changed.metadata, annotations } }
    const [update] = planDeployment(view(object, [current]), NOW_MS).actions
    expect(update).toMatchObject({
      do: 'update',
      object: { metadata: { annotations: { team: 'b' } }, spec: { minReadySeconds: 5 } },
    })
  })

  test('comes back when its deadline is over', () => {
    const updated = formatTime(NOW_MS - 100_000)
    const condition = { type: 'Progressing', status: 'True', reason: 'ReplicaSetUpdated', lastUpdateTime: updated }
    const status = { observedGeneration: 1, replicas: 3, updatedReplicas: 3, conditions: [condition] }
    const object = deployment({ progressDeadlineSeconds: 160 }, status)
    const current = owned(object, 1, { status: { replicas: 3 } })
    expect(planDeployment(view(object, [current]), NOW_MS).requeueAfterMs).toBe(61_000)
  })

  test('passes on what keeps pods from being made', () => {
    const failure = {
      type: 'ReplicaFailure',
      status: 'True',
      reason: 'FailedCreate',
      message: 'quota',
      lastTransitionTime: null,
    }
    const object = deployment()
    const current = owned(object, 1, { status: { replicas: 0, conditions: [failure] } })
    const { actions } = planDeployment(view(object, [current]), NOW_MS)
    expect(statusOf(actions)?.conditions?.at(-1)).toMatchObject({ type: 'ReplicaFailure', message: 'quota' })
  })

  test('is not put off by a conflict', () => {
    const object = deployment()
    const stale = conflict({ group: 'apps', resource: 'deployments' }, 'web', 'old')
    const current = owned(object, 1)
    const [calm, put] = [undefined, stale].map((failure) => planDeployment(view(object, [current]), NOW_MS, failure))
    expect(put?.actions.map(brief)).toEqual(calm?.actions.map(brief))
    expect(statusOf(put?.actions ?? [])).toEqual(statusOf(calm?.actions ?? []))
  })
})
