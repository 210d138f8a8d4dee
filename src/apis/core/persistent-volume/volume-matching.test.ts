/** Which volume suits a claim, as a table. */

import { describe, expect, test } from 'vitest'
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from '../types.gen.ts'
import { findVolume, mismatch } from './volume-matching.ts'

const volume = (name: string, storage: string, spec: PersistentVolumeSpec = {}, labels = {}): PersistentVolume => ({
  metadata: { name, labels },
  spec: { capacity: { storage }, accessModes: ['ReadWriteOnce'], ...spec },
  status: { phase: 'Available' },
})

const claim = (storage: string, spec: PersistentVolumeClaimSpec = {}): PersistentVolumeClaim => ({
  metadata: { namespace: 'default', name: 'data', uid: 'uid-1' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...spec },
})

const own = { namespace: 'default', name: 'data' }

describe('a claim gets', () => {
  const shared = volume('shared', '1Gi', { accessModes: ['ReadWriteOnce', 'ReadWriteMany'] })
  const table: readonly [string, PersistentVolumeClaim, readonly PersistentVolume[], string | undefined][] = [
    ['the smallest', claim('1Gi'), [volume('b', '3Gi'), volume('a', '2Gi')], 'a'],
    ['nothing too small', claim('1Gi'), [volume('a', '1000Mi')], undefined],
    ['one with no more access modes than needed', claim('1Gi'), [shared, volume('big', '9Gi')], 'big'],
    [
      'one with all its access modes',
      claim('1Gi', { accessModes: ['ReadWriteMany'] }),
      [volume('a', '1Gi'), shared],
      'shared',
    ],
    ['one of its class', claim('1Gi', { storageClassName: 'gold' }), [volume('a', '1Gi')], undefined],
    ['one of its mode', claim('1Gi', { volumeMode: 'Block' }), [volume('a', '1Gi')], undefined],
    [
      'one that its selector takes',
      claim('1Gi', { selector: { matchLabels: { disk: 'ssd' } } }),
      [volume('a', '1Gi'), volume('b', '2Gi', {}, { disk: 'ssd' })],
      'b',
    ],
    ['the one that is meant for it', claim('1Gi'), [volume('a', '1Gi'), volume('z', '9Gi', { claimRef: own })], 'z'],
    [
      'none of an older claim of its name',
      claim('1Gi'),
      [volume('a', '1Gi', { claimRef: { ...own, uid: 'uid-0' } })],
      undefined,
    ],
  ]
  test.each(table)('%s', (_, subject, volumes, expected) => {
    expect(findVolume(subject, volumes, false)?.metadata.name).toBe(expected)
  })

  test('only what is meant for it where the choice is made with the node', () => {
    expect(findVolume(claim('1Gi'), [volume('a', '1Gi')], true)).toBeUndefined()
    expect(findVolume(claim('1Gi'), [volume('a', '1Gi', { claimRef: own })], true)?.metadata.name).toBe('a')
  })
})

test.each([
  [volume('a', '1Gi'), claim('2Gi'), 'requested PV is too small'],
  [volume('a', '1Gi'), claim('1Gi', { storageClassName: 'gold' }), 'storageClassName does not match'],
  [volume('a', '1Gi'), claim('1Gi', { volumeMode: 'Block' }), 'incompatible volumeMode'],
  [volume('a', '1Gi'), claim('1Gi', { accessModes: ['ReadWriteMany'] }), 'incompatible accessMode'],
  [volume('a', '1Gi'), claim('1Gi'), undefined],
])('a volume that is asked for by name', (subject, wish, expected) => {
  expect(mismatch(subject, wish)).toBe(expected)
})
