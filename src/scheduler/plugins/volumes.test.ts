/** What volumes say to nodes, as tables. */

import { describe, expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../../apis/core/types.gen.ts'
import { clusterWith, infoOf, nodeInfo } from '../test-objects.ts'
import { NO_VOLUMES } from '../volume-lookups.ts'
import { volumeRestrictions } from './volume-restrictions.ts'
import { volumeZone } from './volume-zone.ts'

const user = (name: string) =>
  infoOf({ name, spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] } })

describe('the zone of a volume', () => {
  const ZONE = 'topology.kubernetes.io/zone'
  const inZone = (labels: Record<string, string>) => ({
    ...NO_VOLUMES,
    claim: (): PersistentVolumeClaim => ({ metadata: { name: 'data' }, spec: { volumeName: 'disk' } }),
    volume: (): PersistentVolume => ({ metadata: { name: 'disk', labels }, spec: {} }),
  })
  test.each([
    ['is that of the node', { [ZONE]: 'a' }, { [ZONE]: 'a' }, true],
    ['is another one', { [ZONE]: 'a' }, { [ZONE]: 'b' }, false],
    ['is one of several', { [ZONE]: 'a__b' }, { [ZONE]: 'b' }, true],
    ['is named by an old label', { 'failure-domain.beta.kubernetes.io/zone': 'a' }, { [ZONE]: 'a' }, true],
    ['matters not on a node without labels', { [ZONE]: 'a' }, {}, true],
    ['is not that of a node with a region only', { [ZONE]: 'a' }, { 'topology.kubernetes.io/region': 'r' }, false],
  ])('%s', (_, volume, labels, fits) => {
    const node = nodeInfo('node-1', { labels })
    const { filter } = volumeZone.prepare(user('web'), clusterWith(inZone(volume), [node]))
    expect(filter?.(node)?.reasons ?? []).toEqual(fits ? [] : ['node(s) had no available volume zone'])
  })
})

describe('a claim for one pod', () => {
  const exclusive = {
    ...NO_VOLUMES,
    claim: (): PersistentVolumeClaim => ({ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOncePod'] } }),
  }
  const used = nodeInfo('used', {}, [user('other')])
  const free = nodeInfo('free')

  test('that another pod uses leaves no node', () => {
    const { filter } = volumeRestrictions.prepare(user('web'), clusterWith(exclusive, [used, free]))
    const reasons = ['node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode']
    expect([filter?.(used), filter?.(free)]).toEqual([
      { reasons, resolvable: true },
      { reasons, resolvable: false },
    ])
  })

  test('that nobody uses is in nobody’s way', () => {
    expect(volumeRestrictions.prepare(user('web'), clusterWith(exclusive, [free]))).toEqual({})
  })

  test('wakes whoever waits for it when its user goes', () => {
    const event = { resource: 'pods', action: 'delete', pod: user('other') } as const
    expect(volumeRestrictions.wakes?.(user('web'), event)).toBe(true)
    expect(volumeRestrictions.wakes?.(infoOf({ name: 'web' }), event)).toBe(false)
  })
})
