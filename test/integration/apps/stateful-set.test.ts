import { expect, test } from 'vitest'
import { controllerRevisions } from '../../../src/apis/apps/controller-revision.ts'
import { statefulSets } from '../../../src/apis/apps/stateful-set.ts'
import type { StatefulSet } from '../../../src/apis/apps/types.gen.ts'
import { events } from '../../../src/apis/core/event.ts'
import { persistentVolumeClaims } from '../../../src/apis/core/persistent-volume-claim.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { isPodReady } from '../../../src/apis/core/pod/pod-status.ts'
import type { PersistentVolumeClaim, Pod } from '../../../src/apis/core/types.gen.ts'
import { statefulSetController } from '../../../src/controllers/apps/stateful-set/controller.ts'
import { statefulSet } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

// Goal: a StatefulSet's pods keep their identity and come and go in order. Method: real server and controller; the
// test plays the kubelets.

const WEB = { namespace: 'default', name: 'web' }
const IMAGE = 'registry.example/app'

async function withSet(spec: Partial<StatefulSet['spec']> = {}): Promise<TestCluster> {
  const cluster = await createTestCluster([statefulSetController])
  await cluster.client.of(statefulSets).create(statefulSet({ spec: { replicas: 3, ...spec } }))
  return cluster
}

/** Pods become ready as they appear, and those on their way out end. Returns the order in which names came and went. */
function playKubelets({ informers, reportReady, finish }: TestCluster): string[] {
  const order: string[] = []
  informers.of(pods).subscribe({
    added: (pod) => {
      order.push(`+${pod.metadata.name}`)
      if (pod.status?.phase !== 'Running') void reportReady(pod).catch(() => {})
    },
    updated: (pod) => {
      if (pod.metadata.deletionTimestamp) void finish(pod).catch(() => {})
    },
    deleted: (pod) => void order.push(`-${pod.metadata.name}`),
  })
  return order
}

function settled(cluster: TestCluster, replicas: number): Promise<StatefulSet> {
  return cluster.eventually(statefulSets, ([web]) =>
    web?.status?.observedGeneration === web?.metadata.generation &&
    web?.status?.replicas === replicas &&
    web.status.availableReplicas === replicas &&
    web.status.updatedReplicas === (replicas || undefined)
      ? web
      : undefined,
  )
}

async function change(cluster: TestCluster, spec: object): Promise<void> {
  await cluster.client.of(statefulSets).patch(WEB, { type: 'strategic', body: { spec } })
}

const withImage = (version: string) => ({
  template: { spec: { containers: [{ name: 'app', image: `${IMAGE}:${version}` }] } },
})

const podNamed = (cluster: TestCluster, name: string): Pod | undefined =>
  cluster.informers.of(pods).get({ namespace: 'default', name })

test('pods start one after the other with names and labels of their own', async () => {
  await using cluster = await withSet({ ordinals: { start: 5 } })
  const order = playKubelets(cluster)
  const web = await settled(cluster, 3)
  expect(order).toEqual(['+web-5', '+web-6', '+web-7'])
  const revision = web.status?.updateRevision ?? ''
  expect(podNamed(cluster, 'web-6')).toMatchObject({
    metadata: {
      labels: {
        app: 'web',
        'statefulset.kubernetes.io/pod-name': 'web-6',
        'apps.kubernetes.io/pod-index': '6',
        'controller-revision-hash': revision,
      },
    },
    spec: { hostname: 'web-6', subdomain: 'web' },
  })
  expect(web.status).toEqual({
    observedGeneration: 1,
    replicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
    currentReplicas: 3,
    updatedReplicas: 3,
    currentRevision: revision,
    updateRevision: revision,
    collisionCount: 0,
  })
})

test('a pod that is not ready keeps the next from starting', async () => {
  await using cluster = await withSet()
  const [first] = await cluster.eventually(pods, (all) => (all.length === 1 ? all : undefined))
  if (first) await cluster.reportReady(first, false)
  await cluster.eventually(statefulSets, ([web]) => (web?.status?.replicas === 1 ? web : undefined))
  expect(
    cluster.informers
      .of(pods)
      .list()
      .map(({ metadata }) => metadata.name),
  ).toEqual(['web-0'])
})

test('Parallel waits for nobody', async () => {
  await using cluster = await withSet({ podManagementPolicy: 'Parallel' })
  const all = await cluster.eventually(pods, (found) => (found.length === 3 ? found : undefined))
  expect(all.some(isPodReady)).toBe(false)
})

test('scaling down takes the highest ordinals first', async () => {
  await using cluster = await withSet()
  const order = playKubelets(cluster)
  await settled(cluster, 3)
  await change(cluster, { replicas: 1 })
  await settled(cluster, 1)
  expect(order.slice(3)).toEqual(['-web-2', '-web-1'])
})

test('an update replaces pods from the highest ordinal down', async () => {
  await using cluster = await withSet()
  const order = playKubelets(cluster)
  const before = await settled(cluster, 3)
  await change(cluster, withImage('2'))
  const after = await settled(cluster, 3)
  expect(order.slice(3)).toEqual(['-web-2', '+web-2', '-web-1', '+web-1', '-web-0', '+web-0'])
  expect(after.status?.currentRevision).toBe(after.status?.updateRevision)
  expect(after.status?.currentRevision).not.toBe(before.status?.currentRevision)
})

test('a partition keeps lower ordinals as they are, also when they are deleted', async () => {
  const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } as const
  await using cluster = await withSet({ updateStrategy })
  playKubelets(cluster)
  await settled(cluster, 3)
  await change(cluster, withImage('2'))
  const web = await cluster.eventually(statefulSets, ([found]) =>
    found?.status?.updatedReplicas === 1 && found.status.readyReplicas === 3 ? found : undefined,
  )
  expect(web.status).toMatchObject({ currentReplicas: 2, updatedReplicas: 1 })
  const low = podNamed(cluster, 'web-0')
  if (low) await cluster.finish(low)
  const back = await cluster.eventually(pods, (all) =>
    all.find(({ metadata }) => metadata.name === 'web-0' && metadata.uid !== low?.metadata.uid),
  )
  expect(back.spec?.containers[0]?.image).toBe(`${IMAGE}:1`)
  expect(podNamed(cluster, 'web-2')?.spec?.containers[0]?.image).toBe(`${IMAGE}:2`)
})

test('OnDelete updates a pod only when somebody deletes it', async () => {
  await using cluster = await withSet({ replicas: 2, updateStrategy: { type: 'OnDelete' } })
  playKubelets(cluster)
  await settled(cluster, 2)
  await change(cluster, withImage('2'))
  await cluster.eventually(statefulSets, ([web]) => (web?.status?.observedGeneration === 2 ? web : undefined))
  const first = podNamed(cluster, 'web-0')
  if (first) await cluster.finish(first)
  await cluster.eventually(statefulSets, ([web]) =>
    web?.status?.updatedReplicas === 1 && web.status.readyReplicas === 2 ? web : undefined,
  )
  const images = cluster.informers
    .of(pods)
    .list()
    .map(({ spec }) => spec?.containers[0]?.image)
  expect(images).toEqual([`${IMAGE}:2`, `${IMAGE}:1`])
})

test('an old template gets its revision back with the highest number', async () => {
  await using cluster = await withSet({ replicas: 1 })
  playKubelets(cluster)
  const before = await settled(cluster, 1)
  await change(cluster, withImage('2'))
  await settled(cluster, 1)
  await change(cluster, withImage('1'))
  const after = await cluster.eventually(statefulSets, ([web]) =>
    web?.status?.currentRevision === before.status?.currentRevision && web?.status?.updatedReplicas === 1
      ? web
      : undefined,
  )
  const revisions = cluster.informers.of(controllerRevisions).list()
  expect(revisions.map(({ revision }) => revision).sort()).toEqual([2, 3])
  expect(revisions.find(({ revision }) => revision === 3)?.metadata.name).toBe(after.status?.updateRevision)
})

test('a failed pod is deleted and made again under its name', async () => {
  await using cluster = await withSet({ replicas: 1 })
  playKubelets(cluster)
  await settled(cluster, 1)
  const failed = podNamed(cluster, 'web-0')
  if (failed) await cluster.reportPhase(failed, 'Failed')
  await cluster.eventually(pods, (all) =>
    all.find((pod) => pod.metadata.name === 'web-0' && pod.metadata.uid !== failed?.metadata.uid && isPodReady(pod)),
  )
})

const volumeClaimTemplates: readonly PersistentVolumeClaim[] = [
  {
    metadata: { name: 'data' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  },
]

test('every pod gets its claims, which stay when it goes', async () => {
  await using cluster = await withSet({ replicas: 2, volumeClaimTemplates })
  playKubelets(cluster)
  await settled(cluster, 2)
  expect(podNamed(cluster, 'web-1')?.spec?.volumes?.[0]).toEqual({
    name: 'data',
    persistentVolumeClaim: { claimName: 'data-web-1' },
  })
  await change(cluster, { replicas: 0 })
  await settled(cluster, 0)
  const claims = cluster.informers.of(persistentVolumeClaims).list()
  expect(claims.map(({ metadata }) => [metadata.name, metadata.labels, metadata.ownerReferences])).toEqual([
    ['data-web-0', { app: 'web' }, undefined],
    ['data-web-1', { app: 'web' }, undefined],
  ])
})

test('the retention policy hands claims to the set, and to the pod that is scaled down', async () => {
  const persistentVolumeClaimRetentionPolicy = { whenDeleted: 'Delete', whenScaled: 'Delete' }
  await using cluster = await withSet({ replicas: 2, volumeClaimTemplates, persistentVolumeClaimRetentionPolicy })
  playKubelets(cluster)
  const owners = (name: string, kind: string) =>
    cluster.eventually(persistentVolumeClaims, (all) => {
      const claim = all.find(({ metadata }) => metadata.name === name)
      return claim?.metadata.ownerReferences?.map((owner) => owner.kind).join() === kind ? claim : undefined
    })
  await owners('data-web-0', 'StatefulSet')
  await owners('data-web-1', 'StatefulSet')
  await change(cluster, { replicas: 1 })
  await owners('data-web-1', 'Pod')
  await owners('data-web-0', 'StatefulSet')
})

test('what happens to pods and claims is told in events', async () => {
  await using cluster = await withSet({ replicas: 1, volumeClaimTemplates })
  const told = await cluster.eventually(events, (all) => (all.length === 2 ? all : undefined))
  expect(told.map(({ reason, message }) => [reason, message])).toEqual([
    ['SuccessfulCreate', 'Create Claim data-web-0 Pod web-0 in StatefulSet web success'],
    ['SuccessfulCreate', 'Create Pod web-0 in StatefulSet web successful'],
  ])
})
