import { describe, expect, test } from 'vitest'
import { replicaSet as builtReplicaSet, pod } from '../../../test/support/builders.ts'
import { replicaSets } from '../../apis/apps/replica-set.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { selectorFromLabels } from '../../machinery/meta/labels.ts'
import type { ObjectMeta } from '../../machinery/meta/object.ts'
import { claim } from './claim.ts'

// Goal: what an owner takes, keeps and lets go. Method: one pod at a time.

const owner = builtReplicaSet({ metadata: { uid: 'owner' } })
const MINE = { app: 'web' }
const OTHER = { app: 'other' }

function candidate(labels: Record<string, string>, controller?: string, metadata: ObjectMeta = {}): Pod {
  const reference = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: controller ?? '', controller: true }
  return pod({ metadata: { uid: 'pod', labels, ownerReferences: controller ? [reference] : [], ...metadata } })
}

function claimed(object: Pod, deletionTimestamp?: string) {
  const { owned, actions } = claim({
    owner: { ...owner, metadata: { ...owner.metadata, deletionTimestamp } },
    ownerDefinition: replicaSets,
    definition: pods,
    selector: selectorFromLabels(MINE),
    candidates: [object],
    accepts: ({ metadata }) => metadata.name !== 'refused',
  })
  const patches = actions.map((action) => (action.do === 'patch' ? action : undefined))
  return { owned: owned.length, patches }
}

describe('an owner', () => {
  const deleted = { deletionTimestamp: '2026-01-01T00:00:00Z' }
  const rows: readonly (readonly [behaviour: string, object: Pod, owned: number, patches: number])[] = [
    ['keeps what it controls and picks', candidate(MINE, 'owner'), 1, 0],
    ['keeps what it controls and picks while that is deleted', candidate(MINE, 'owner', deleted), 1, 0],
    ['releases what it controls and picks no more', candidate(OTHER, 'owner'), 0, 1],
    ['releases what it controls and does not accept', candidate(MINE, 'owner', { name: 'refused' }), 0, 1],
    ['adopts an orphan that it picks', candidate(MINE), 0, 1],
    ['leaves an orphan that it does not pick', candidate(OTHER), 0, 0],
    ['leaves an orphan that is being deleted', candidate(MINE, undefined, deleted), 0, 0],
    ['leaves what another owner of its name controls', candidate(MINE, 'former'), 0, 0],
  ]
  test.each(rows)('%s', (_behaviour, object, owned, patches) => {
    const result = claimed(object)
    expect([result.owned, result.patches.length]).toEqual([owned, patches])
  })

  test('takes nothing and lets nothing go while it is being deleted', () => {
    const results = [candidate(MINE), candidate(OTHER, 'owner'), candidate(MINE, 'owner')].map((object) =>
      claimed(object, '2026-01-01T00:00:00Z'),
    )
    expect(results).toEqual([
      { owned: 0, patches: [] },
      { owned: 0, patches: [] },
      { owned: 1, patches: [] },
    ])
  })
})

test('an adoption holds for this owner and this pod only', () => {
  const [patch] = claimed(candidate(MINE)).patches
  expect(patch?.patch.body).toEqual({
    metadata: {
      uid: 'pod',
      ownerReferences: [
        {
          apiVersion: 'apps/v1',
          kind: 'ReplicaSet',
          name: 'web',
          uid: 'owner',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
  })
  expect(patch?.requires?.object.metadata.uid).toBe('owner')
})

test('a release takes only this owner away', () => {
  const [patch] = claimed(candidate(OTHER, 'owner')).patches
  expect(patch?.patch.body).toEqual({
    metadata: { uid: 'pod', ownerReferences: [{ $patch: 'delete', uid: 'owner' }] },
  })
})
