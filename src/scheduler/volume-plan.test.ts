/** Which volumes a pod's claims get on a node, as tables. */

import { describe, expect, test } from 'vitest'
import type { PersistentVolume, PersistentVolumeClaim } from '../apis/core/types.gen.ts'
import type { StorageClass } from '../apis/storage/types.gen.ts'
import { nodeOf, podOf } from './test-objects.ts'
import type { VolumeLookups } from './volume-lookups.ts'
import { NO_MATCH, NODE_CONFLICT, planVolumes, VOLUME_MISSING, volumesOf } from './volume-plan.ts'

const claim = (name: string, storage: string, parts: Partial<PersistentVolumeClaim> = {}): PersistentVolumeClaim => ({
  metadata: { name, namespace: 'default', uid: `uid-${name}`, ...parts.metadata },
  spec: {
    storageClassName: 'local',
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage } },
    ...parts.spec,
  },
  ...(parts.status ? { status: parts.status } : {}),
})

const boundTo = (name: string, volumeName: string): PersistentVolumeClaim =>
  claim(name, '1Gi', {
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      annotations: { 'pv.kubernetes.io/bind-completed': 'yes' },
    },
    spec: { volumeName },
  })

const volume = (name: string, storage: string, node?: string, claimUid?: string): PersistentVolume => ({
  metadata: { name },
  spec: {
    capacity: { storage },
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'local',
    ...(claimUid ? { claimRef: { namespace: 'default', name: claimUid.slice(4), uid: claimUid } } : {}),
    ...(node
      ? {
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
              ],
            },
          },
        }
      : {}),
  },
  status: { phase: 'Available' },
})

const local: StorageClass = {
  metadata: { name: 'local' },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
}
const made: StorageClass = { ...local, provisioner: 'disk.example.com' }

function lookups(
  claims: readonly PersistentVolumeClaim[],
  volumes: readonly PersistentVolume[] = [],
  storageClass: StorageClass | undefined = local,
): VolumeLookups {
  return {
    claim: (_, name) => claims.find(({ metadata }) => metadata.name === name),
    volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
    storageClass: () => storageClass,
    candidates: () => volumes,
  }
}

const podWith = (...names: readonly string[]) =>
  podOf({ spec: { volumes: names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })) } })

function outcome(names: readonly string[], found: VolumeLookups, node = nodeOf('node-1')) {
  const claims = volumesOf(podWith(...names), found)
  if (typeof claims === 'string') return claims
  const plan = planVolumes(claims, node, found)
  if ('reasons' in plan) return plan.reasons
  return {
    given: plan.given.map(({ claim: one, volume: other }) => `${one.metadata.name}=${other.metadata.name}`),
    made: plan.made.map(({ metadata }) => metadata.name),
  }
}

describe('no node will do', () => {
  const immediate = { ...local, volumeBindingMode: 'Immediate' } as const
  test.each<[string, VolumeLookups, string]>([
    ['for a claim that is not there', lookups([]), 'persistentvolumeclaim "data" not found'],
    [
      'for a claim that is not bound yet',
      lookups([claim('data', '1Gi')], [], immediate),
      'pod has unbound immediate PersistentVolumeClaims',
    ],
    [
      'for a claim on its way out',
      lookups([claim('data', '1Gi', { metadata: { name: 'data', deletionTimestamp: '2026-01-01T00:00:00Z' } })]),
      'persistentvolumeclaim "data" is being deleted',
    ],
    [
      'for a claim that has lost its volume',
      lookups([claim('data', '1Gi', { spec: { volumeName: 'gone' }, status: { phase: 'Lost' } })]),
      'persistentvolumeclaim "data" bound to non-existent persistentvolume "gone"',
    ],
  ])('%s', (_, found, expected) => {
    expect(outcome(['data'], found)).toBe(expected)
  })

  test('before the claim of an ephemeral volume is made', () => {
    const pod = podOf({ spec: { volumes: [{ name: 'scratch', ephemeral: {} }] } })
    expect(volumesOf(pod, lookups([]))).toBe(
      'waiting for ephemeral volume controller to create the persistentvolumeclaim "pod-scratch"',
    )
  })
})

describe('a claim that has its volume', () => {
  const bound = boundTo('data', 'disk')
  test.each([
    [
      'goes where the volume is',
      lookups([bound], [volume('disk', '1Gi', 'node-1', 'uid-data')]),
      { given: [], made: [] },
    ],
    ['and nowhere else', lookups([bound], [volume('disk', '1Gi', 'node-2', 'uid-data')]), [NODE_CONFLICT]],
    ['nor anywhere without it', lookups([bound]), [VOLUME_MISSING]],
  ])('%s', (_, found, expected) => {
    expect(outcome(['data'], found)).toEqual(expected)
  })
})

describe('a claim that waits for its consumer', () => {
  const wanted = claim('data', '1Gi')
  test.each([
    [
      'gets the smallest volume of the node',
      lookups(
        [wanted],
        [volume('other', '1Gi', 'node-2'), volume('large', '9Gi', 'node-1'), volume('fit', '2Gi', 'node-1')],
      ),
      { given: ['data=fit'], made: [] },
    ],
    ['has nothing on a node without one', lookups([wanted], [volume('other', '1Gi', 'node-2')]), [NO_MATCH]],
    ['gets one made for the node', lookups([wanted], [], made), { given: [], made: ['data'] }],
    [
      'only where its class allows',
      lookups([wanted], [], {
        ...made,
        allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['a'] }] }],
      }),
      [NO_MATCH],
    ],
    [
      'stays with the node that was selected',
      lookups(
        [
          claim('data', '1Gi', {
            metadata: { name: 'data', annotations: { 'volume.kubernetes.io/selected-node': 'node-2' } },
          }),
        ],
        [],
        made,
      ),
      [NO_MATCH],
    ],
  ])('%s', (_, found, expected) => {
    expect(outcome(['data'], found)).toEqual(expected)
  })

  test('does not take the volume that a larger claim of the pod needs', () => {
    const found = lookups([claim('large', '5Gi'), wanted], [volume('a', '5Gi', 'node-1'), volume('b', '1Gi', 'node-1')])
    expect(outcome(['large', 'data'], found)).toEqual({ given: ['data=b', 'large=a'], made: [] })
  })
})
