/** Pods and their volumes: scheduler and volume controllers together bring both to the same node. */

import { expect, test } from 'vitest'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { nodes } from '../../../src/apis/core/node.ts'
import { persistentVolumes } from '../../../src/apis/core/persistent-volume/definition.ts'
import { persistentVolumeClaims } from '../../../src/apis/core/persistent-volume-claim.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { podCondition } from '../../../src/apis/core/pod/pod-status.ts'
import { storageClasses } from '../../../src/apis/storage/storage-class.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { seededRandom } from '../../../src/base/random.ts'
import { createEventRecorder } from '../../../src/client/events.ts'
import { claimBinder, volumeReclaimer } from '../../../src/controllers/volumes/volume-binder.ts'
import { startScheduler } from '../../../src/scheduler/scheduler.ts'
import { namespace, pod } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

async function start(): Promise<TestCluster> {
  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await createTestCluster([claimBinder, volumeReclaimer]))
  const parts = { ...cluster, random: seededRandom(1), log: silentLogger }
  stack.use(startScheduler({ ...parts, events: createEventRecorder({ ...parts, component: 'default-scheduler' }) }))
  await cluster.client.of(namespaces).create(namespace())
  for (const name of ['node-1', 'node-2']) {
    const allocatable = { cpu: '4', memory: '4Gi', pods: '10' }
    const labels = { 'kubernetes.io/hostname': name }
    await cluster.client.of(nodes).create({ metadata: { name, labels }, spec: {}, status: { allocatable } })
  }
  const owned = stack.move()
  return { ...cluster, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

const addClass = ({ client }: TestCluster, provisioner: string) =>
  client.of(storageClasses).create({
    metadata: { name: 'local' },
    provisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
  })

const addVolume = ({ client }: TestCluster, name: string, node: string) => {
  const term = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] } as const
  return client.of(persistentVolumes).create({
    metadata: { name },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'local',
      local: { path: '/data' },
      nodeAffinity: { required: { nodeSelectorTerms: [term] } },
    },
  })
}

const addClaim = ({ client }: TestCluster, name: string) =>
  client.of(persistentVolumeClaims).create({
    metadata: { namespace: 'default', name },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'local', resources: { requests: { storage: '1Gi' } } },
  })

const addPod = ({ client }: TestCluster, name: string, claimName: string) =>
  client
    .of(pods)
    .create(pod({ metadata: { name }, spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] } }))

const untilPlaced = (cluster: TestCluster, name: string) =>
  cluster.eventually(pods, (all) => all.find(({ metadata, spec }) => metadata.name === name && spec?.nodeName))

test('a pod goes to the node of a local volume, which its claim gets', async () => {
  await using cluster = await start()
  await addClass(cluster, 'kubernetes.io/no-provisioner')
  await addVolume(cluster, 'disk-2', 'node-2')
  await cluster.eventually(persistentVolumes, ([disk]) => (disk?.status?.phase === 'Available' ? true : undefined))
  await addClaim(cluster, 'data')
  await addPod(cluster, 'web', 'data')
  expect((await untilPlaced(cluster, 'web')).spec?.nodeName).toBe('node-2')
  const claim = await cluster.client.of(persistentVolumeClaims).get({ namespace: 'default', name: 'data' })
  expect(claim.spec.volumeName).toBe('disk-2')
})

test('two pods do not get the same local volume', async () => {
  await using cluster = await start()
  await addClass(cluster, 'kubernetes.io/no-provisioner')
  await addVolume(cluster, 'disk-1', 'node-1')
  await addVolume(cluster, 'disk-2', 'node-2')
  await cluster.eventually(persistentVolumes, (all) =>
    all.length === 2 && all.every(({ status }) => status?.phase === 'Available') ? true : undefined,
  )
  for (const name of ['a', 'b', 'c']) {
    await addClaim(cluster, name)
    await addPod(cluster, name, name)
  }
  const placed = await cluster.eventually(pods, (all) => {
    const names = all.flatMap(({ spec }) => spec?.nodeName ?? [])
    const refused = all.filter((one) => podCondition(one, 'PodScheduled')?.status === 'False')
    return names.length === 2 && refused.length === 1 ? names : undefined
  })
  expect(placed.toSorted()).toEqual(['node-1', 'node-2'])
})

test('a pod waits for a claim that is not there, and goes on when its volume has come', async () => {
  await using cluster = await start()
  await addPod(cluster, 'web', 'data')
  const refused = await cluster.eventually(pods, ([web]) => web && podCondition(web, 'PodScheduled'))
  expect(refused.message).toContain('persistentvolumeclaim "data" not found')
  await addClass(cluster, 'disk.example.com')
  await addClaim(cluster, 'data')
  await cluster.clock.advance(10_000)
  const asked = await cluster.eventually(persistentVolumeClaims, ([claim]) =>
    claim?.metadata.annotations?.['volume.kubernetes.io/selected-node'] ? claim : undefined,
  )
  const node = asked.metadata.annotations?.['volume.kubernetes.io/selected-node'] ?? ''
  await addVolume(cluster, 'made', node)
  await cluster.client
    .of(persistentVolumes)
    .patch(
      { name: 'made' },
      { type: 'merge', body: { spec: { claimRef: { namespace: 'default', name: 'data', uid: asked.metadata.uid } } } },
    )
  expect((await untilPlaced(cluster, 'web')).spec?.nodeName).toBe(node)
})
