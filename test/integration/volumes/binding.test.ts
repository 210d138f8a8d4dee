/** Volumes and claims: brought together, kept while they are used, and let go. */

import { expect, test } from 'vitest'
import { events } from '../../../src/apis/core/event.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { persistentVolumes } from '../../../src/apis/core/persistent-volume/definition.ts'
import { persistentVolumeClaims } from '../../../src/apis/core/persistent-volume-claim.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { serviceAccounts } from '../../../src/apis/core/service-account.ts'
import type { PersistentVolumeClaimSpec, PersistentVolumeSpec } from '../../../src/apis/core/types.gen.ts'
import { storageClasses } from '../../../src/apis/storage/storage-class.ts'
import { volumeAttributesClasses } from '../../../src/apis/storage/volume-attributes-class.ts'
import { ephemeralVolumeController } from '../../../src/controllers/volumes/ephemeral-volume.ts'
import {
  attributesClassProtectionController,
  claimProtectionController,
  volumeProtectionController,
} from '../../../src/controllers/volumes/protection.ts'
import { claimBinder, volumeReclaimer } from '../../../src/controllers/volumes/volume-binder.ts'
import { volumeExpander } from '../../../src/controllers/volumes/volume-expander.ts'
import { builtinPlugins } from '../../../src/server/admission/chain.ts'
import { namespace, pod } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

const CONTROLLERS = [
  claimBinder,
  volumeReclaimer,
  claimProtectionController,
  volumeProtectionController,
  attributesClassProtectionController,
  ephemeralVolumeController,
  volumeExpander,
]

async function start(): Promise<TestCluster> {
  const cluster = await createTestCluster(CONTROLLERS, { plugins: builtinPlugins })
  await cluster.client.of(namespaces).create(namespace())
  await cluster.client.of(serviceAccounts).create({ metadata: { namespace: 'default', name: 'default' } })
  return cluster
}

const addVolume = ({ client }: TestCluster, name: string, size: string, spec: PersistentVolumeSpec = {}) =>
  client.of(persistentVolumes).create({
    metadata: { name },
    spec: {
      capacity: { storage: size },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      hostPath: { path: '/data' },
      ...spec,
    },
  })

const at = (name: string) => ({ namespace: 'default', name })

const addClaim = ({ client }: TestCluster, name: string, size: string, spec: PersistentVolumeClaimSpec = {}) =>
  client.of(persistentVolumeClaims).create({
    metadata: at(name),
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: size } }, ...spec },
  })

const untilClaim = (cluster: TestCluster, name: string, phase: string) =>
  cluster.eventually(persistentVolumeClaims, (claims) =>
    claims.find(({ metadata, status }) => metadata.name === name && status?.phase === phase),
  )

const untilVolume = (cluster: TestCluster, name: string, phase: string) =>
  cluster.eventually(persistentVolumes, (volumes) =>
    volumes.find(({ metadata, status }) => metadata.name === name && status?.phase === phase),
  )

test('a claim gets the smallest volume that is large enough', async () => {
  await using cluster = await start()
  await addVolume(cluster, 'large', '10Gi')
  await addVolume(cluster, 'fitting', '2Gi')
  await addVolume(cluster, 'small', '1Gi')
  for (const name of ['large', 'fitting', 'small']) await untilVolume(cluster, name, 'Available')
  await addClaim(cluster, 'data', '1500Mi')
  const claim = await untilClaim(cluster, 'data', 'Bound')
  expect(claim.spec.volumeName).toBe('fitting')
  expect(claim.status).toMatchObject({ capacity: { storage: '2Gi' }, accessModes: ['ReadWriteOnce'] })
  expect(claim.metadata.annotations).toEqual({
    'pv.kubernetes.io/bind-completed': 'yes',
    'pv.kubernetes.io/bound-by-controller': 'yes',
  })
  const volume = await untilVolume(cluster, 'fitting', 'Bound')
  expect(volume.spec?.claimRef).toMatchObject({ kind: 'PersistentVolumeClaim', name: 'data', uid: claim.metadata.uid })
  expect(volume.metadata.annotations).toEqual({ 'pv.kubernetes.io/bound-by-controller': 'yes' })
})

test('two claims never get the same volume', async () => {
  await using cluster = await start()
  await Promise.all([1, 2, 3].map((index) => addVolume(cluster, `volume-${index}`, '1Gi')))
  await Promise.all([1, 2, 3, 4].map((index) => addClaim(cluster, `claim-${index}`, '1Gi')))
  const bound = await cluster.eventually(persistentVolumeClaims, (claims) => {
    const names = claims.filter(({ status }) => status?.phase === 'Bound').map(({ spec }) => spec.volumeName)
    return names.length === 3 ? names : undefined
  })
  expect(new Set(bound).size).toBe(3)
})

test('a volume that is meant for a claim is not given to another one, and comes without a choice', async () => {
  await using cluster = await start()
  await addVolume(cluster, 'reserved', '5Gi', { claimRef: { namespace: 'default', name: 'later' } })
  await untilVolume(cluster, 'reserved', 'Available')
  await addClaim(cluster, 'early', '1Gi')
  await addClaim(cluster, 'later', '1Gi')
  expect((await untilClaim(cluster, 'later', 'Bound')).spec.volumeName).toBe('reserved')
  const { metadata } = await untilVolume(cluster, 'reserved', 'Bound')
  expect(metadata.annotations).toBeUndefined()
  expect((await untilClaim(cluster, 'early', 'Pending')).spec.volumeName).toBeUndefined()
})

test('a volume whose claim is gone is released; a claim whose volume is gone is lost', async () => {
  await using cluster = await start()
  await addVolume(cluster, 'kept', '1Gi')
  await addClaim(cluster, 'data', '1Gi')
  await untilClaim(cluster, 'data', 'Bound')
  await cluster.client.of(persistentVolumeClaims).delete(at('data'))
  await untilVolume(cluster, 'kept', 'Released')
  await addVolume(cluster, 'broken', '1Gi')
  await addClaim(cluster, 'other', '1Gi')
  await untilClaim(cluster, 'other', 'Bound')
  await untilVolume(cluster, 'broken', 'Bound')
  await cluster.client.of(persistentVolumes).delete({ name: 'broken' })
  const held = await cluster.client.of(persistentVolumes).get({ name: 'broken' })
  expect(held.metadata.finalizers).toEqual(['kubernetes.io/pv-protection'])
  const body = { metadata: { finalizers: null } }
  await cluster.client.of(persistentVolumes).patch({ name: 'broken' }, { type: 'merge', body })
  await untilClaim(cluster, 'other', 'Lost')
})

test('what nobody here can delete or recycle fails', async () => {
  await using cluster = await start()
  for (const policy of ['Delete', 'Recycle'] as const) {
    await addVolume(cluster, policy.toLowerCase(), '1Gi', { persistentVolumeReclaimPolicy: policy })
    await addClaim(cluster, policy.toLowerCase(), '1Gi', { volumeName: policy.toLowerCase() })
    await untilClaim(cluster, policy.toLowerCase(), 'Bound')
    await cluster.client.of(persistentVolumeClaims).delete(at(policy.toLowerCase()))
    await untilVolume(cluster, policy.toLowerCase(), 'Failed')
  }
  const reasons = await cluster.eventually(events, (all) =>
    all.length >= 2 ? all.map(({ reason }) => reason) : undefined,
  )
  expect(reasons.toSorted()).toEqual(['VolumeFailedDelete', 'VolumeFailedRecycle'])
})

test('a claim stays while a pod uses it', async () => {
  await using cluster = await start()
  await addClaim(cluster, 'data', '1Gi')
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
  const user = await cluster.client.of(pods).create(pod({ spec: { volumes, nodeName: 'node-1' } }))
  await cluster.eventually(pods, (all) => (all.length === 1 ? true : undefined))
  await cluster.client.of(persistentVolumeClaims).delete(at('data'))
  const held = await cluster.client.of(persistentVolumeClaims).get(at('data'))
  expect(held.metadata.finalizers).toEqual(['kubernetes.io/pvc-protection'])
  await cluster.finish(user)
  await cluster.eventually(persistentVolumeClaims, (claims) => (claims.length === 0 ? true : undefined))
})

test('an ephemeral volume gets a claim of its own, which belongs to the pod', async () => {
  await using cluster = await start()
  const volumeClaimTemplate = {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  } as const
  const volumes = [{ name: 'scratch', ephemeral: { volumeClaimTemplate } }]
  const user = await cluster.client.of(pods).create(pod({ spec: { volumes } }))
  const claim = await cluster.eventually(persistentVolumeClaims, ([first]) => first)
  expect(claim.metadata.name).toBe('web-0-scratch')
  expect(claim.metadata.ownerReferences).toMatchObject([{ kind: 'Pod', uid: user.metadata.uid, controller: true }])
})

test('a claim of a class that waits for its consumer is not bound before, and says so', async () => {
  await using cluster = await start()
  const metadata = { name: 'local' }
  const local = {
    metadata,
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  } as const
  await cluster.client.of(storageClasses).create(local)
  await addVolume(cluster, 'disk', '1Gi', { storageClassName: 'local' })
  await untilVolume(cluster, 'disk', 'Available')
  await addClaim(cluster, 'data', '1Gi', { storageClassName: 'local' })
  const told = await cluster.eventually(events, (all) => all.find(({ reason }) => reason === 'WaitForFirstConsumer'))
  expect(told.message).toBe('waiting for first consumer to be created before binding')
  expect((await cluster.client.of(persistentVolumeClaims).get(at('data'))).spec.volumeName).toBeUndefined()
})

test('a class of volume attributes stays while a claim wants it', async () => {
  await using cluster = await start()
  const { client } = cluster
  await client
    .of(volumeAttributesClasses)
    .create({ metadata: { name: 'fast' }, driverName: 'disk.example.com', parameters: { iops: '9' } })
  await addClaim(cluster, 'data', '1Gi', { volumeAttributesClassName: 'fast' })
  await cluster.eventually(persistentVolumeClaims, (claims) => (claims.length === 1 ? true : undefined))
  await client.of(volumeAttributesClasses).delete({ name: 'fast' })
  const held = await client.of(volumeAttributesClasses).get({ name: 'fast' })
  expect(held.metadata.finalizers).toEqual(['kubernetes.io/vac-protection'])
  await client.of(persistentVolumeClaims).delete(at('data'))
  await cluster.eventually(volumeAttributesClasses, (classes) => (classes.length === 0 ? true : undefined))
})

test('a claim of a class that somebody else serves is marked for its provisioner', async () => {
  await using cluster = await start()
  await cluster.client.of(storageClasses).create({ metadata: { name: 'cloud' }, provisioner: 'disk.example.com' })
  await addClaim(cluster, 'data', '1Gi', { storageClassName: 'cloud' })
  const asked = await cluster.eventually(persistentVolumeClaims, ([claim]) =>
    claim?.metadata.annotations?.['volume.kubernetes.io/storage-provisioner'] ? claim : undefined,
  )
  expect(asked.metadata.annotations).toEqual({
    'volume.beta.kubernetes.io/storage-provisioner': 'disk.example.com',
    'volume.kubernetes.io/storage-provisioner': 'disk.example.com',
  })
})

test('a claim that wants to grow is told who is waited for', async () => {
  await using cluster = await start()
  const metadata = { name: 'growing' }
  await cluster.client
    .of(storageClasses)
    .create({ metadata, provisioner: 'disk.example.com', allowVolumeExpansion: true })
  await addVolume(cluster, 'disk', '1Gi', { storageClassName: 'growing' })
  await addClaim(cluster, 'data', '1Gi', { storageClassName: 'growing', volumeName: 'disk' })
  await untilClaim(cluster, 'data', 'Bound')
  const body = { spec: { resources: { requests: { storage: '2Gi' } } } }
  await cluster.client.of(persistentVolumeClaims).patch(at('data'), { type: 'merge', body })
  const told = await cluster.eventually(events, (all) => all.find(({ reason }) => reason === 'ExternalExpanding'))
  expect(told.message).toBe('waiting for an external controller to expand this PVC')
})
