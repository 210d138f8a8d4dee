import { expect, test } from 'vitest'
import { deployments } from '../../../src/apis/apps/deployment.ts'
import { replicaSets } from '../../../src/apis/apps/replica-set.ts'
import type { Deployment } from '../../../src/apis/apps/types.gen.ts'
import { events } from '../../../src/apis/core/event.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import type { Pod } from '../../../src/apis/core/types.gen.ts'
import { byCodeUnit } from '../../../src/base/group-by.ts'
import { deploymentController } from '../../../src/controllers/apps/deployment/controller.ts'
import { replicaSetController } from '../../../src/controllers/apps/replica-set.ts'
import { findCondition } from '../../../src/machinery/meta/conditions.ts'
import { isControlledBy } from '../../../src/machinery/meta/owner.ts'
import { container, deployment, replicaSet } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

// Goal: the state of the world after what users do to Deployments. Method: real server, real controllers; the test
// plays the kubelets.

const IMAGE = 'registry.example/app'
const WEB = { namespace: 'default', name: 'web' }

function startCluster(): Promise<TestCluster> {
  return createTestCluster([deploymentController, replicaSetController])
}

/** Makes every pod ready as it appears and removes what is being deleted, until the Deployment is complete. */
function playKubelets({ informers, reportReady, finish }: TestCluster): () => void {
  const react = (pod: Pod) => {
    if (pod.metadata.deletionTimestamp) void finish(pod).catch(() => {})
    else if (pod.status?.phase !== 'Running') void reportReady(pod).catch(() => {})
  }
  return informers.of(pods).subscribe({ added: react, updated: react })
}

async function complete(cluster: TestCluster, image: string): Promise<Deployment> {
  return cluster.eventually(deployments, ([web]) =>
    web &&
    web.spec.template.spec?.containers[0]?.image === image &&
    web.status?.observedGeneration === web.metadata.generation &&
    web.status?.updatedReplicas === web.spec.replicas &&
    web.status?.replicas === web.spec.replicas &&
    web.status?.availableReplicas === web.spec.replicas &&
    findCondition(web.status?.conditions, 'Progressing')?.reason === 'NewReplicaSetAvailable'
      ? web
      : undefined,
  )
}

async function created(cluster: TestCluster, spec: Partial<Deployment['spec']> = {}): Promise<Deployment> {
  playKubelets(cluster)
  const web = deployment({ spec: { replicas: 3, ...spec } })
  await cluster.client.of(deployments).create({ ...web, spec: { ...web.spec, template: template('1') } })
  return complete(cluster, `${IMAGE}:1`)
}

function template(version: string): Deployment['spec']['template'] {
  return { metadata: { labels: { app: 'web' } }, spec: { containers: [container({ image: `${IMAGE}:${version}` })] } }
}

async function setImage(cluster: TestCluster, version: string): Promise<Deployment> {
  const body = { spec: { template: { spec: { containers: [{ name: 'app', image: `${IMAGE}:${version}` }] } } } }
  await cluster.client.of(deployments).patch(WEB, { type: 'strategic', body })
  return complete(cluster, `${IMAGE}:${version}`)
}

test('a Deployment becomes available through one ReplicaSet', async () => {
  await using cluster = await startCluster()
  const web = await created(cluster)
  const [replicaSet, ...others] = cluster.informers.of(replicaSets).list()
  expect(others).toEqual([])
  expect(replicaSet?.metadata.labels).toMatchObject({ app: 'web', 'pod-template-hash': expect.any(String) })
  expect(replicaSet?.metadata.annotations).toEqual({
    'deployment.kubernetes.io/revision': '1',
    'deployment.kubernetes.io/desired-replicas': '3',
    'deployment.kubernetes.io/max-replicas': '4',
  })
  expect(web.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
  expect(web.status?.conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ['Available', 'True', 'MinimumReplicasAvailable'],
    ['Progressing', 'True', 'NewReplicaSetAvailable'],
  ])
  const running = cluster.informers.of(pods).list()
  expect(running).toHaveLength(3)
  expect(running.every((pod) => replicaSet && isControlledBy(pod, replicaSet))).toBe(true)
})

function revisionOf(object: { readonly metadata: Deployment['metadata'] } | undefined): string | undefined {
  return object?.metadata.annotations?.['deployment.kubernetes.io/revision']
}

function sizes(cluster: TestCluster): Record<string, number | undefined> {
  const all = cluster.informers.of(replicaSets).list()
  return Object.fromEntries(all.map((replicaSet) => [revisionOf(replicaSet), replicaSet.spec.replicas]))
}

async function eventMessages(cluster: TestCluster, reason: string, count: number): Promise<readonly string[]> {
  const found = await cluster.eventually(events, (all) => {
    const matching = all.filter((event) => event.reason === reason)
    return matching.length >= count ? matching : undefined
  })
  return found.map(({ message }) => message ?? '')
}

test('a new template replaces every pod and keeps the old ReplicaSet as history', async () => {
  await using cluster = await startCluster()
  await created(cluster)
  const web = await setImage(cluster, '2')
  expect(revisionOf(web)).toBe('2')
  expect(sizes(cluster)).toEqual({ 1: 0, 2: 3 })
  const [first, second] = [...cluster.informers.of(replicaSets).list()].sort((left, right) =>
    byCodeUnit(revisionOf(left) ?? '', revisionOf(right) ?? ''),
  )
  const messages = await eventMessages(cluster, 'ScalingReplicaSet', 7)
  expect(new Set(messages)).toEqual(
    new Set([
      `Scaled up replica set ${first?.metadata.name} from 0 to 3`,
      `Scaled up replica set ${second?.metadata.name} from 0 to 1`,
      `Scaled down replica set ${first?.metadata.name} from 3 to 2`,
      `Scaled up replica set ${second?.metadata.name} from 1 to 2`,
      `Scaled down replica set ${first?.metadata.name} from 2 to 1`,
      `Scaled up replica set ${second?.metadata.name} from 2 to 3`,
      `Scaled down replica set ${first?.metadata.name} from 1 to 0`,
    ]),
  )
})

test('an old template takes its ReplicaSet into use again, as a new revision', async () => {
  await using cluster = await startCluster()
  await created(cluster)
  await setImage(cluster, '2')
  const web = await setImage(cluster, '1')
  expect(revisionOf(web)).toBe('3')
  expect(sizes(cluster)).toEqual({ 2: 0, 3: 3 })
  const current = cluster.informers
    .of(replicaSets)
    .list()
    .find((replicaSet) => revisionOf(replicaSet) === '3')
  expect(current?.metadata.annotations?.['deployment.kubernetes.io/revision-history']).toBe('1')
})

test('history beyond its limit is deleted', async () => {
  await using cluster = await startCluster()
  await created(cluster, { revisionHistoryLimit: 1 })
  await setImage(cluster, '2')
  await setImage(cluster, '3')
  await cluster.eventually(replicaSets, (all) => (all.length === 2 ? all : undefined))
  expect(sizes(cluster)).toEqual({ 2: 0, 3: 3 })
})

test('a changed number of replicas goes to the current ReplicaSet', async () => {
  await using cluster = await startCluster()
  await created(cluster)
  await cluster.client.of(deployments).patch(WEB, { type: 'merge', body: { spec: { replicas: 5 } } })
  await cluster.eventually(deployments, ([web]) => (web?.status?.availableReplicas === 5 ? web : undefined))
  await cluster.client.of(deployments).patch(WEB, { type: 'merge', body: { spec: { replicas: 0 } } })
  await cluster.eventually(pods, (all) => (all.length === 0 ? all : undefined))
  expect(sizes(cluster)).toEqual({ 1: 0 })
})

test('a paused Deployment rolls nothing out before it is resumed', async () => {
  await using cluster = await startCluster()
  await created(cluster, { paused: false })
  const image = [{ name: 'app', image: `${IMAGE}:2` }]
  const body = { spec: { paused: true, template: { spec: { containers: image } } } }
  await cluster.client.of(deployments).patch(WEB, { type: 'strategic', body })
  await cluster.eventually(deployments, ([web]) =>
    findCondition(web?.status?.conditions, 'Progressing')?.reason === 'DeploymentPaused' &&
    web?.status?.observedGeneration === web?.metadata.generation
      ? web
      : undefined,
  )
  expect(sizes(cluster)).toEqual({ 1: 3 })
  await cluster.client.of(deployments).patch(WEB, { type: 'merge', body: { spec: { paused: false } } })
  await complete(cluster, `${IMAGE}:2`)
  expect(sizes(cluster)).toEqual({ 1: 0, 2: 3 })
})

test('Recreate starts no new pod before every old one has ended', async () => {
  await using cluster = await startCluster()
  let overlap = false
  cluster.informers.of(pods).subscribe({
    added: () => {
      const images = cluster.informers
        .of(pods)
        .list()
        .map(({ spec }) => spec?.containers[0]?.image)
      overlap ||= new Set(images).size > 1
    },
  })
  await created(cluster, { strategy: { type: 'Recreate' } })
  await setImage(cluster, '2')
  expect(overlap).toBe(false)
  expect(sizes(cluster)).toEqual({ 1: 0, 2: 3 })
})

test('a rollout that does not move misses its deadline', async () => {
  await using cluster = await startCluster()
  const stuck = deployment({ spec: { replicas: 1, progressDeadlineSeconds: 60 } })
  await cluster.client.of(deployments).create(stuck)
  const reason = ([web]: readonly Deployment[]) => findCondition(web?.status?.conditions, 'Progressing')?.reason
  await cluster.eventually(deployments, (all) => (reason(all) === 'ReplicaSetUpdated' ? all : undefined))
  await cluster.clock.advance(62_000)
  const [web] = await cluster.eventually(deployments, (all) =>
    reason(all) === 'ProgressDeadlineExceeded' ? all : undefined,
  )
  const [replicaSet] = cluster.informers.of(replicaSets).list()
  expect(findCondition(web?.status?.conditions, 'Progressing')).toMatchObject({
    status: 'False',
    message: `ReplicaSet "${replicaSet?.metadata.name}" has timed out progressing.`,
  })
})

test('a Deployment adopts a ReplicaSet that nobody controls and its selector picks', async () => {
  await using cluster = await startCluster()
  playKubelets(cluster)
  const orphan = replicaSet({ metadata: { name: 'orphan', labels: { app: 'web' } }, spec: { replicas: 3 } })
  const spec = { ...orphan.spec, template: template('1') }
  await cluster.client.of(replicaSets).create({ ...orphan, spec })
  await cluster.eventually(replicaSets, ([only]) => (only?.status?.availableReplicas === 3 ? only : undefined))
  const before = cluster.informers
    .of(pods)
    .list()
    .map(({ metadata }) => metadata.uid)
  const web = deployment({ spec: { replicas: 3, template: template('1') } })
  await cluster.client.of(deployments).create(web)
  const adopter = await complete(cluster, `${IMAGE}:1`)
  const all = cluster.informers.of(replicaSets).list()
  expect(all.map((found) => [found.metadata.name, isControlledBy(found, adopter)])).toEqual([['orphan', true]])
  expect(
    cluster.informers
      .of(pods)
      .list()
      .map(({ metadata }) => metadata.uid),
  ).toEqual(before)
})
