import { expect, test } from 'vitest'
import { replicaSets } from '../../../src/apis/apps/replica-set.ts'
import type { ReplicaSet } from '../../../src/apis/apps/types.gen.ts'
import { events } from '../../../src/apis/core/event.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { isPodActive } from '../../../src/apis/core/pod/pod-status.ts'
import { replicationControllers } from '../../../src/apis/core/replication-controller.ts'
import type { Pod } from '../../../src/apis/core/types.gen.ts'
import { replicaSetController } from '../../../src/controllers/apps/replica-set.ts'
import { replicationControllerController } from '../../../src/controllers/apps/replication-controller.ts'
import { forbiddenRequest } from '../../../src/machinery/meta/api-error.ts'
import { findCondition } from '../../../src/machinery/meta/conditions.ts'
import { keyOf } from '../../../src/machinery/meta/object.ts'
import { controllerOf } from '../../../src/machinery/meta/owner.ts'
import type { AdmissionPlugin } from '../../../src/server/admission/plugin.ts'
import { pod, podTemplate, replicaSet } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

// Goal: a ReplicaSet keeps its number whatever happens to its pods. Method: real server and controllers, no nodes.

async function withReplicas(replicas: number, minReadySeconds = 0): Promise<TestCluster> {
  const cluster = await createTestCluster([replicaSetController, replicationControllerController])
  await cluster.client.of(replicaSets).create(replicaSet({ spec: { replicas, minReadySeconds } }))
  await activePods(cluster, replicas)
  return cluster
}

function activePods(cluster: TestCluster, count: number): Promise<readonly Pod[]> {
  return cluster.eventually(pods, (all) => {
    const active = all.filter((found) => isPodActive(found) && controllerOf(found)?.name === 'web')
    return active.length === count ? active : undefined
  })
}

test('pods are named after the ReplicaSet and belong to it', async () => {
  await using cluster = await withReplicas(2)
  const [owner] = cluster.informers.of(replicaSets).list()
  for (const { metadata } of await activePods(cluster, 2)) {
    expect(metadata.name).toMatch(/^web-[a-z0-9]{5}$/)
    expect(metadata.ownerReferences).toEqual([
      {
        apiVersion: 'apps/v1',
        kind: 'ReplicaSet',
        name: 'web',
        uid: owner?.metadata.uid,
        controller: true,
        blockOwnerDeletion: true,
      },
    ])
  }
})

test('a deleted pod and a failed pod are replaced', async () => {
  await using cluster = await withReplicas(2)
  const [first, second] = await activePods(cluster, 2)
  if (!first || !second) throw new Error('there are two pods')
  await cluster.finish(first)
  await cluster.reportPhase(second, 'Failed')
  const replaced = await cluster.eventually(pods, (all) => {
    const active = all.filter(isPodActive)
    const isNew = ({ metadata }: Pod) => metadata.uid !== first.metadata.uid && metadata.uid !== second.metadata.uid
    return active.length === 2 && active.every(isNew) ? active : undefined
  })
  expect(replaced).toHaveLength(2)
})

test('a pod whose label changes is released and replaced; with the label back it is too many', async () => {
  await using cluster = await withReplicas(1)
  const [debugged] = await activePods(cluster, 1)
  if (!debugged) throw new Error('there is a pod')
  const relabel = (app: string) =>
    cluster.client.of(pods).patch(keyOf(debugged), { type: 'merge', body: { metadata: { labels: { app } } } })
  await relabel('debug')
  await cluster.eventually(pods, (all) => {
    const released = all.find(({ metadata }) => metadata.uid === debugged.metadata.uid)
    return all.length === 2 && released && !controllerOf(released) ? released : undefined
  })
  await relabel('web')
  await cluster.eventually(pods, (all) =>
    all.length === 1 && all.every((found) => controllerOf(found)) ? all : undefined,
  )
})

test('a bare pod that the selector picks is adopted', async () => {
  await using cluster = await createTestCluster([replicaSetController])
  const bare = await cluster.client.of(pods).create(pod({ metadata: { name: 'bare', labels: { app: 'web' } } }))
  await cluster.client.of(replicaSets).create(replicaSet({ spec: { replicas: 1 } }))
  await cluster.eventually(replicaSets, ([web]) => (web?.status?.replicas === 1 ? web : undefined))
  const all = cluster.informers.of(pods).list()
  expect(all.map((found) => [found.metadata.uid, controllerOf(found)?.name])).toEqual([[bare.metadata.uid, 'web']])
})

test('the status counts what is ready and, after a while, available', async () => {
  await using cluster = await withReplicas(2, 30)
  const [first] = await activePods(cluster, 2)
  if (first) await cluster.reportReady(first)
  const ready = await cluster.eventually(replicaSets, ([web]) => (web?.status?.readyReplicas === 1 ? web : undefined))
  expect(ready.status).toEqual({
    replicas: 2,
    fullyLabeledReplicas: 2,
    readyReplicas: 1,
    terminatingReplicas: 0,
    observedGeneration: 1,
  })
  await cluster.clock.advance(30_000)
  await cluster.eventually(replicaSets, ([web]) => (web?.status?.availableReplicas === 1 ? web : undefined))
})

test('what is created and deleted is told in events', async () => {
  await using cluster = await withReplicas(1)
  const [only] = await activePods(cluster, 1)
  await cluster.client
    .of(replicaSets)
    .patch({ namespace: 'default', name: 'web' }, { type: 'merge', body: { spec: { replicas: 0 } } })
  const told = await cluster.eventually(events, (all) => (all.length === 2 ? all : undefined))
  expect(told.map(({ reason, message, involvedObject }) => [reason, message, involvedObject.kind])).toEqual([
    ['SuccessfulCreate', `Created pod: ${only?.metadata.name}`, 'ReplicaSet'],
    ['SuccessfulDelete', `Deleted pod: ${only?.metadata.name}`, 'ReplicaSet'],
  ])
})

test('a ReplicationController keeps its number, too', async () => {
  await using cluster = await createTestCluster([replicationControllerController])
  const spec = { replicas: 2, template: podTemplate({ app: 'web' }) }
  await cluster.client.of(replicationControllers).create({ metadata: { name: 'web', namespace: 'default' }, spec })
  const [first] = await activePods(cluster, 2)
  if (first) await cluster.finish(first)
  await activePods(cluster, 2)
  const web = await cluster.eventually(replicationControllers, ([found]) =>
    found?.status?.fullyLabeledReplicas === 2 ? found : undefined,
  )
  expect(web.status).toEqual({ replicas: 2, fullyLabeledReplicas: 2, observedGeneration: 1 })
})

test('what admission refuses is shown, tried again, and shown no more when it succeeds', async () => {
  let isFull = true
  const quota: AdmissionPlugin = {
    name: 'Quota',
    operations: ['CREATE'],
    validate: async ({ definition, object }) => {
      if (isFull && definition.kind === 'Pod')
        throw forbiddenRequest({ group: '', resource: 'pods' }, object?.metadata.name ?? '', 'exceeded quota: small')
    },
  }
  await using cluster = await createTestCluster([replicaSetController], { plugins: () => [quota] })
  await cluster.client.of(replicaSets).create(replicaSet({ spec: { replicas: 1 } }))
  const failure = ([web]: readonly ReplicaSet[]) => findCondition(web?.status?.conditions, 'ReplicaFailure')
  const told = await cluster.eventually(events, (all) => all.find(({ reason }) => reason === 'FailedCreate'))
  expect(told.message).toMatch(/^Error creating: pods "web-.{5}" is forbidden: exceeded quota: small$/)
  await untilRetried(cluster, () => failure(cluster.informers.of(replicaSets).list()) !== undefined)
  const shown = failure(cluster.informers.of(replicaSets).list())
  expect(shown).toMatchObject({ status: 'True', reason: 'FailedCreate' })
  expect(shown?.message).toMatch(/^pods "web-.{5}" is forbidden: exceeded quota: small$/)
  isFull = false
  await untilRetried(cluster, () => cluster.informers.of(pods).list().length === 1)
  await cluster.eventually(replicaSets, (all) => (failure(all) ? undefined : true))
})

/** Lets the controller's delays pass, with a request in between that gives it its turn. */
async function untilRetried({ clock, client }: TestCluster, holds: () => boolean): Promise<void> {
  for (let attempts = 0; attempts < 1_000 && !holds(); attempts++) {
    await clock.advance(100)
    await client.of(pods).list()
  }
}
