import { describe, expect, test } from 'vitest'
import { pod as builtPod, statefulSet } from '../../../../test/support/builders.ts'
import type { PersistentVolumeClaim } from '../../../apis/core/types.gen.ts'
import type { OwnerReference } from '../../../machinery/meta/object.ts'
import { leavingClaim, misownedClaims } from './claims.ts'

// Goal: who owns a claim under each retention policy. Method: a set of two pods; web-5 is beyond it.

const set: OwnerReference = reference('apps/v1', 'StatefulSet', 'web', 'set')

function reference(apiVersion: string, kind: string, name: string, uid: string): OwnerReference {
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

function podReference(ordinal: number, uid = 'pod'): OwnerReference {
  return reference('v1', 'Pod', `web-${ordinal}`, uid)
}

function setWith(whenScaled: string, whenDeleted: string) {
  return statefulSet({
    metadata: { uid: 'set' },
    spec: {
      replicas: 2,
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }],
      persistentVolumeClaimRetentionPolicy: { whenScaled, whenDeleted },
    },
  })
}

function claims(ordinal: number, ownerReferences: readonly OwnerReference[]) {
  const name = `data-web-${ordinal}`
  const claim: PersistentVolumeClaim = { metadata: { name, ownerReferences }, spec: {} }
  return new Map([[name, claim]])
}

/** The references that are written; undefined: nothing is. */
function written(policy: readonly [string, string], ordinal: number, owners: readonly OwnerReference[]) {
  const pod = builtPod({ metadata: { name: `web-${ordinal}`, uid: 'pod' } })
  return misownedClaims(setWith(...policy), pod, ordinal, claims(ordinal, owners))[0]?.metadata.ownerReferences
}

describe('a claim', () => {
  const other = reference('example.com/v1', 'Backup', 'nightly', 'other')
  const former = { ...set, uid: 'former' }
  type Row = readonly [
    behaviour: string,
    policy: readonly [whenScaled: string, whenDeleted: string],
    ordinal: number,
    before: readonly OwnerReference[],
    after: readonly OwnerReference[] | undefined,
  ]
  const rows: readonly Row[] = [
    ['that is kept belongs to nobody', ['Retain', 'Retain'], 0, [], undefined],
    ['that is kept from now on is let go', ['Retain', 'Retain'], 0, [set], []],
    ['that goes with the set belongs to it', ['Retain', 'Delete'], 0, [], [set]],
    ['that goes with the set belongs to it beyond its size, too', ['Retain', 'Delete'], 5, [], [set]],
    ['that goes with a scaled down pod belongs to that', ['Delete', 'Retain'], 5, [], [podReference(5)]],
    ['that goes with a scaled down pod belongs to nobody before', ['Delete', 'Retain'], 0, [], undefined],
    ['changes its owner when its pod is scaled down', ['Delete', 'Delete'], 5, [set], [podReference(5)]],
    ['changes its owner back', ['Delete', 'Delete'], 0, [podReference(0)], [set]],
    [
      'keeps owners that do not control it',
      ['Retain', 'Delete'],
      0,
      [{ ...other, controller: false }],
      [{ ...other, controller: false }, set],
    ],
    ['that another controls is left alone', ['Retain', 'Delete'], 0, [other], undefined],
    ['of a former set is left alone', ['Retain', 'Delete'], 0, [former], undefined],
  ]
  test.each(rows)('%s', (_behaviour, policy, ordinal, before, after) => {
    expect(written(policy, ordinal, before)).toEqual(after)
  })
})

test('a claim that a former pod owns must go before a new pod comes', () => {
  const owned = claims(0, [podReference(0, 'former')])
  expect(leavingClaim(setWith('Delete', 'Retain'), 0, owned)).toBe('data-web-0')
  expect(leavingClaim(setWith('Retain', 'Retain'), 0, owned)).toBeUndefined()
})
