/** Evictions against disruption budgets: counted by the controller, charged by the server. */

import { expect, test } from 'vitest'
import { replicaSets } from '../../../src/apis/apps/replica-set.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { podDisruptionBudgets } from '../../../src/apis/policy/pod-disruption-budget.ts'
import type { PodDisruptionBudgetSpec } from '../../../src/apis/policy/types.gen.ts'
import type { Client } from '../../../src/client/client.ts'
import { disruptionController } from '../../../src/controllers/policy/disruption.ts'
import { staleDisruptionController } from '../../../src/controllers/policy/stale-disruption.ts'
import { ApiError } from '../../../src/machinery/meta/api-error.ts'
import { namespace, pod, replicaSet } from '../../support/builders.ts'
import { startCluster } from '../garbage/cluster.ts'

const at = (name: string) => ({ namespace: 'default', name })
const labels = { app: 'web' }

async function start(spec: PodDisruptionBudgetSpec, names: readonly string[]) {
  const cluster = await startCluster([disruptionController, staleDisruptionController])
  const { client } = cluster
  await client.of(namespaces).create(namespace('default'))
  const { metadata } = await client.of(replicaSets).create(replicaSet({ spec: { replicas: names.length } }))
  const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: metadata.uid ?? '', controller: true }
  for (const name of names) {
    const created = await client.of(pods).create(pod({ metadata: { name, labels, ownerReferences: [owner] } }))
    const conditions = [{ type: 'Ready', status: 'True' }]
    await client.of(pods).update({ ...created, status: { phase: 'Running', conditions } }, { subresource: 'status' })
  }
  await client
    .of(podDisruptionBudgets)
    .create({ metadata: at('web'), spec: { selector: { matchLabels: labels }, ...spec } })
  return cluster
}

const evict = (client: Client, name: string) =>
  client
    .of(pods)
    .call('POST', at(name), 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: at(name) })
    .then(
      () => 201,
      (error: unknown) => (error instanceof ApiError ? error.status : String(error)),
    )

test('evictions pass while the budget lasts, and again when it is counted anew', async () => {
  await using cluster = await start({ maxUnavailable: 1 }, ['a', 'b', 'c'])
  const { client } = cluster
  const counted = await cluster.until(podDisruptionBudgets, at('web'), ({ status }) => status?.disruptionsAllowed === 1)
  expect(counted.status).toMatchObject({ currentHealthy: 3, desiredHealthy: 2, expectedPods: 3, observedGeneration: 1 })
  expect(await evict(client, 'a')).toBe(201)
  expect(await evict(client, 'b')).toMatchObject({
    code: 429,
    reason: 'TooManyRequests',
    message: "Cannot evict pod as it would violate the pod's disruption budget.",
    details: { causes: [{ reason: 'DisruptionBudget' }] },
  })
  await client.of(replicaSets).patch(at('web'), { type: 'merge', body: { spec: { replicas: 2 } } })
  const again = await cluster.until(podDisruptionBudgets, at('web'), ({ status }) => status?.expectedPods === 2)
  expect(again.status).toMatchObject({ currentHealthy: 2, desiredHealthy: 1, disruptionsAllowed: 1 })
  expect(await evict(client, 'b')).toBe(201)
})

test('an exhausted budget says what it needs', async () => {
  await using cluster = await start({ minAvailable: 2 }, ['a', 'b'])
  await cluster.until(podDisruptionBudgets, at('web'), ({ status }) => status?.expectedPods === 2)
  expect(await evict(cluster.client, 'a')).toMatchObject({
    details: { causes: [{ message: 'The disruption budget web needs 2 healthy pods and has 2 currently' }] },
  })
  const { status } = await cluster.client.of(podDisruptionBudgets).get(at('web'))
  expect(status?.conditions).toMatchObject([{ status: 'False', reason: 'InsufficientPods' }])
})

test('a pod that was to go and is still there is told that it stays', async () => {
  await using cluster = await start({ minAvailable: 0 }, ['a'])
  const { client, clock } = cluster
  const live = await client.of(pods).get(at('a'))
  const announced = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' }
  const lastTransitionTime = '2026-01-01T00:00:00Z'
  const conditions = [...(live.status?.conditions ?? []), { ...announced, lastTransitionTime }]
  await client.of(pods).update({ ...live, status: { ...live.status, conditions } }, { subresource: 'status' })
  const statusOf = (type: string) =>
    cluster.informers
      .of(pods)
      .get(at('a'))
      ?.status?.conditions?.find((each) => each.type === type)?.status
  await cluster.until(pods, at('a'), () => statusOf('DisruptionTarget') === 'True')
  await clock.advance(121_000)
  await cluster.until(pods, at('a'), () => statusOf('DisruptionTarget') === 'False')
})
