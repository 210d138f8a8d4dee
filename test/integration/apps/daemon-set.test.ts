import { expect, test } from 'vitest'
import { controllerRevisions } from '../../../src/apis/apps/controller-revision.ts'
import { daemonSets } from '../../../src/apis/apps/daemon-set.ts'
import type { DaemonSet } from '../../../src/apis/apps/types.gen.ts'
import { nodes } from '../../../src/apis/core/node.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { isPodActive } from '../../../src/apis/core/pod/pod-status.ts'
import type { Node, Pod } from '../../../src/apis/core/types.gen.ts'
import { daemonSetController } from '../../../src/controllers/apps/daemon-set/controller.ts'
import { targetNode } from '../../../src/controllers/apps/daemon-set/nodes.ts'
import { daemonSet, node } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

// Goal: every node that fits has one pod, through changes of nodes, pods and the template. Method: real server and
// controller; the test plays the kubelets. Nobody schedules: a pod's node is the one it is bound to by affinity.

const WEB = { namespace: 'default', name: 'web' }
const IMAGE = 'registry.example/app'

async function withNodes(names: readonly string[], spec: Partial<DaemonSet['spec']> = {}): Promise<TestCluster> {
  const cluster = await createTestCluster([daemonSetController()])
  for (const name of names) await cluster.client.of(nodes).create(node({ metadata: { name, labels: { name } } }))
  await cluster.client.of(daemonSets).create(daemonSet({ spec }))
  return cluster
}

function playKubelets({ informers, reportReady, finish }: TestCluster): void {
  const react = (pod: Pod) => {
    if (pod.metadata.deletionTimestamp) void finish(pod).catch(() => {})
    else if (pod.status?.phase === 'Pending') void reportReady(pod).catch(() => {})
  }
  informers.of(pods).subscribe({ added: react, updated: react })
}

function podsOn(cluster: TestCluster, names: readonly string[]): Promise<readonly Pod[]> {
  return cluster.eventually(pods, (all) => {
    const active = all.filter(isPodActive)
    const found = active.map(targetNode).sort()
    return found.join() === [...names].sort().join() ? active : undefined
  })
}

function settled(cluster: TestCluster, count: number): Promise<DaemonSet> {
  return cluster.eventually(daemonSets, ([web]) =>
    web?.status?.observedGeneration === web?.metadata.generation &&
    web?.status?.desiredNumberScheduled === count &&
    web.status.updatedNumberScheduled === count &&
    web.status.numberAvailable === count
      ? web
      : undefined,
  )
}

function changeNode(cluster: TestCluster, name: string, body: object): Promise<Node> {
  return cluster.client.of(nodes).patch({ name }, { type: 'strategic', body })
}

async function setImage(cluster: TestCluster, version: string): Promise<void> {
  const body = { spec: { template: { spec: { containers: [{ name: 'app', image: `${IMAGE}:${version}` }] } } } }
  await cluster.client.of(daemonSets).patch(WEB, { type: 'strategic', body })
}

test('every node gets one pod that tolerates its troubles', async () => {
  await using cluster = await withNodes(['a', 'b'])
  playKubelets(cluster)
  const [pod] = await podsOn(cluster, ['a', 'b'])
  expect(pod?.spec?.tolerations).toEqual([
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
    { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
    { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
  ])
  const web = await settled(cluster, 2)
  expect(web.status).toEqual({
    observedGeneration: 1,
    desiredNumberScheduled: 2,
    currentNumberScheduled: 2,
    numberMisscheduled: 0,
    numberReady: 2,
    updatedNumberScheduled: 2,
    numberAvailable: 2,
  })
  const [revision] = cluster.informers.of(controllerRevisions).list()
  expect(pod?.metadata.labels?.['controller-revision-hash']).toBe(
    revision?.metadata.labels?.['controller-revision-hash'],
  )
})

test('a node that comes later gets its pod, one that is tainted loses it', async () => {
  await using cluster = await withNodes(['a'])
  playKubelets(cluster)
  await podsOn(cluster, ['a'])
  await cluster.client.of(nodes).create(node({ metadata: { name: 'b' } }))
  await podsOn(cluster, ['a', 'b'])
  await changeNode(cluster, 'a', { spec: { taints: [{ key: 'gone', effect: 'NoExecute' }] } })
  await podsOn(cluster, ['b'])
})

test('a node selector decides, also when labels change', async () => {
  await using cluster = await withNodes(['a', 'b'], {
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'app', image: `${IMAGE}:1` }], nodeSelector: { role: 'edge' } },
    },
  })
  playKubelets(cluster)
  await changeNode(cluster, 'a', { metadata: { labels: { role: 'edge' } } })
  await podsOn(cluster, ['a'])
  await changeNode(cluster, 'a', { metadata: { labels: { role: 'core' } } })
  await changeNode(cluster, 'b', { metadata: { labels: { role: 'edge' } } })
  await podsOn(cluster, ['b'])
})

test('a rolling update replaces one node after the other', async () => {
  await using cluster = await withNodes(['a', 'b', 'c'])
  playKubelets(cluster)
  await settled(cluster, 3)
  let fewest = 3
  cluster.informers.of(pods).subscribe({
    updated: () => {
      fewest = Math.min(fewest, cluster.informers.of(pods).list().filter(isPodActive).length)
    },
  })
  await setImage(cluster, '2')
  await settled(cluster, 3)
  const images = cluster.informers
    .of(pods)
    .list()
    .map(({ spec }) => spec?.containers[0]?.image)
  expect(images).toEqual([`${IMAGE}:2`, `${IMAGE}:2`, `${IMAGE}:2`])
  expect(fewest).toBeGreaterThanOrEqual(2)
})

test('with surge the new pod comes before the old one goes', async () => {
  const rollingUpdate = { maxSurge: 1, maxUnavailable: 0 }
  await using cluster = await withNodes(['a', 'b'], { updateStrategy: { type: 'RollingUpdate', rollingUpdate } })
  playKubelets(cluster)
  await settled(cluster, 2)
  let fewest = 2
  let most = 2
  const count = () => {
    const active = cluster.informers.of(pods).list().filter(isPodActive).length
    fewest = Math.min(fewest, active)
    most = Math.max(most, active)
  }
  cluster.informers.of(pods).subscribe({ added: count, updated: count, deleted: count })
  await setImage(cluster, '2')
  await settled(cluster, 2)
  expect([fewest, most]).toEqual([2, 3])
})

test('OnDelete updates a node when its pod is deleted', async () => {
  await using cluster = await withNodes(['a', 'b'], { updateStrategy: { type: 'OnDelete' } })
  playKubelets(cluster)
  await settled(cluster, 2)
  await setImage(cluster, '2')
  const web = await cluster.eventually(daemonSets, ([found]) =>
    found?.status?.observedGeneration === 2 ? found : undefined,
  )
  expect(web.status?.updatedNumberScheduled).toBeUndefined()
  const old = cluster.informers
    .of(pods)
    .list()
    .find((pod) => targetNode(pod) === 'a')
  if (old) await cluster.finish(old)
  await cluster.eventually(daemonSets, ([found]) =>
    found?.status?.updatedNumberScheduled === 1 && found.status.numberReady === 2 ? found : undefined,
  )
})

test('a failed pod is replaced, and later and later when its successors fail, too', async () => {
  await using cluster = await withNodes(['a'])
  const failNext = async () => {
    const pod = await cluster.eventually(pods, (all) => all.find(isPodActive))
    await cluster.reportPhase(pod, 'Failed')
    return pod
  }
  const gone = ({ metadata }: Pod) =>
    cluster.eventually(pods, (all) => (all.some((pod) => pod.metadata.uid === metadata.uid) ? undefined : true))
  await gone(await failNext())
  const second = await failNext()
  await cluster.eventually(pods, (all) => all.find(({ status }) => status?.phase === 'Failed'))
  await cluster.clock.advance(999)
  expect(
    cluster.informers
      .of(pods)
      .list()
      .map(({ metadata }) => metadata.uid),
  ).toEqual([second.metadata.uid])
  await cluster.clock.advance(1)
  await gone(second)
})
