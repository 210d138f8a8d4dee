/** Quotas in the request path and the controller that counts them. */

import { expect, test } from 'vitest'
import { deployments } from '../../../src/apis/apps/deployment.ts'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { replicationControllers } from '../../../src/apis/core/replication-controller.ts'
import { resourceQuotas } from '../../../src/apis/core/resource-quota.ts'
import { services } from '../../../src/apis/core/service/definition.ts'
import { serviceAccounts } from '../../../src/apis/core/service-account.ts'
import type { ResourceQuotaSpec } from '../../../src/apis/core/types.gen.ts'
import { replicationControllerController } from '../../../src/controllers/apps/replication-controller.ts'
import { resourceQuotaController } from '../../../src/controllers/namespaces/resource-quota.ts'
import { ApiError } from '../../../src/machinery/meta/api-error.ts'
import { builtinPlugins } from '../../../src/server/admission/chain.ts'
import { container, deployment, namespace, pod, podTemplate, service } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

async function start(): Promise<TestCluster> {
  const controllers = [resourceQuotaController, replicationControllerController]
  const cluster = await createTestCluster(controllers, { plugins: builtinPlugins })
  await cluster.client.of(namespaces).create(namespace())
  await cluster.client.of(serviceAccounts).create({ metadata: { namespace: 'default', name: 'default' } })
  return cluster
}

type Used = Readonly<Record<string, string>>

async function untilUsed(cluster: TestCluster, used: Used): Promise<void> {
  await cluster.eventually(resourceQuotas, ([quota]) =>
    Object.entries(used).every(([name, text]) => quota?.status?.used?.[name] === text) ? true : undefined,
  )
}

async function createQuota(cluster: TestCluster, hard: Used, spec: ResourceQuotaSpec = {}): Promise<void> {
  const metadata = { namespace: 'default', name: 'team' }
  await cluster.client.of(resourceQuotas).create({ metadata, spec: { hard, ...spec } })
  await untilUsed(cluster, Object.fromEntries(Object.keys(hard).map((name) => [name, '0'])))
}

const named = (name: string) => pod({ metadata: { name } })
const messageOf = (error: unknown) => (error instanceof ApiError ? [error.code, error.message] : error)

test('usage follows the life of a pod, and one too many is refused', async () => {
  await using cluster = await start()
  const { client } = cluster
  await createQuota(cluster, { pods: '1', 'requests.cpu': '1', 'requests.example.com/gpu': '3' })
  const resources = { requests: { cpu: '500m', 'example.com/gpu': '2' }, limits: { 'example.com/gpu': '2' } }
  const spec = { containers: [container({ resources })] }
  const created = await client.of(pods).create(pod({ spec }))
  await untilUsed(cluster, { pods: '1', 'requests.cpu': '500m', 'requests.example.com/gpu': '2' })
  const refused = await client
    .of(pods)
    .create(pod({ metadata: { name: 'more' }, spec }))
    .catch(messageOf)
  expect(refused).toEqual([
    403,
    'pods "more" is forbidden: exceeded quota: team, requested: pods=1,requests.example.com/gpu=2, ' +
      'used: pods=1,requests.example.com/gpu=2, limited: pods=1,requests.example.com/gpu=3',
  ])
  const silent = await client.of(pods).create(named('silent')).catch(messageOf)
  expect(silent).toEqual([403, 'pods "silent" is forbidden: failed quota: team: must specify requests.cpu for: app'])
  await cluster.finish(created)
  await untilUsed(cluster, { pods: '0', 'requests.cpu': '0', 'requests.example.com/gpu': '0' })
})

test('of a hundred creations at once exactly as many succeed as the quota has room for', async () => {
  await using cluster = await start()
  await createQuota(cluster, { pods: '10', 'count/configmaps': '5' })
  const attempts = Array.from({ length: 100 }, (_, index) => cluster.client.of(pods).create(named(`pod-${index}`)))
  const results = await Promise.allSettled(attempts)
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
  expect((await cluster.client.of(pods).list({ namespace: 'default' })).items).toHaveLength(10)
  const [quota] = (await cluster.client.of(resourceQuotas).list()).items
  expect(quota?.status?.used).toEqual({ pods: '10', 'count/configmaps': '0' })
})

test('a creation that fails is not charged, and neither is a dry run', async () => {
  await using cluster = await start()
  const { client } = cluster
  await createQuota(cluster, { 'count/configmaps': '3' })
  const metadata = { namespace: 'default', name: 'settings' }
  await client.of(configMaps).create({ metadata })
  await expect(client.of(configMaps).create({ metadata })).rejects.toThrow('already exists')
  await client.of(configMaps).create({ metadata: { ...metadata, name: 'dry' } }, { dryRun: true })
  const [quota] = (await client.of(resourceQuotas).list()).items
  expect(quota?.status?.used).toEqual({ 'count/configmaps': '1' })
})

test('everything can be counted; what goes is given back', async () => {
  await using cluster = await start()
  const { client } = cluster
  await createQuota(cluster, { 'count/deployments.apps': '1', configmaps: '2' })
  await client.of(deployments).create(deployment())
  await client.of(configMaps).create({ metadata: { namespace: 'default', name: 'settings' } })
  await untilUsed(cluster, { 'count/deployments.apps': '1', configmaps: '1' })
  const second = deployment({ metadata: { name: 'second' } })
  await expect(client.of(deployments).create(second)).rejects.toThrow(
    'deployments.apps "second" is forbidden: exceeded quota: team, requested: count/deployments.apps=1, ' +
      'used: count/deployments.apps=1, limited: count/deployments.apps=1',
  )
  await client.of(deployments).delete({ namespace: 'default', name: 'web' })
  await untilUsed(cluster, { 'count/deployments.apps': '0', configmaps: '1' })
})

test('a service that changes its type is charged for node ports, and gets them back', async () => {
  await using cluster = await start()
  const { client } = cluster
  await createQuota(cluster, { services: '2', 'services.nodeports': '1' })
  await client.of(services).create(service())
  const key = { namespace: 'default', name: 'web' }
  await client.of(services).patch(key, { type: 'merge', body: { spec: { type: 'NodePort' } } })
  await untilUsed(cluster, { services: '1', 'services.nodeports': '1' })
  const other = service({ metadata: { name: 'other' }, spec: { type: 'NodePort' } })
  await expect(client.of(services).create(other)).rejects.toThrow('exceeded quota: team')
  await client.of(services).patch(key, { type: 'merge', body: { spec: { type: 'ClusterIP' } } })
  await untilUsed(cluster, { services: '1', 'services.nodeports': '0' })
})

test('a scope narrows what counts', async () => {
  await using cluster = await start()
  await createQuota(cluster, { pods: '1' }, { scopes: ['Terminating'] })
  await cluster.client.of(pods).create(named('lasting'))
  await cluster.client.of(pods).create(pod({ metadata: { name: 'ending' }, spec: { activeDeadlineSeconds: 60 } }))
  await untilUsed(cluster, { pods: '1' })
  const another = pod({ metadata: { name: 'another' }, spec: { activeDeadlineSeconds: 60 } })
  await expect(cluster.client.of(pods).create(another)).rejects.toThrow('exceeded quota: team')
})

test('a status that somebody overwrote is put right', async () => {
  await using cluster = await start()
  const { client } = cluster
  await createQuota(cluster, { pods: '1' })
  await client.of(pods).create(named('only'))
  const body = { status: { hard: { pods: '7' }, used: { pods: '0' } } }
  const key = { namespace: 'default', name: 'team' }
  await client.of(resourceQuotas).patch(key, { type: 'merge', body }, { subresource: 'status' })
  await cluster.eventually(resourceQuotas, ([quota]) => (quota?.status?.hard?.pods === '7' ? true : undefined))
  await cluster.clock.advance(5_000)
  await cluster.eventually(resourceQuotas, ([quota]) =>
    quota?.status?.hard?.pods === '1' && quota.status.used?.pods === '1' ? true : undefined,
  )
})

test('a replication controller tells that a quota keeps it from creating pods', async () => {
  await using cluster = await start()
  const { client } = cluster
  await createQuota(cluster, { pods: '2' })
  const metadata = { namespace: 'default', name: 'web' }
  const spec = { replicas: 3, selector: { app: 'web' }, template: podTemplate() }
  await client.of(replicationControllers).create({ metadata, spec })
  const failure = await cluster.eventually(replicationControllers, ([controller]) =>
    controller?.status?.conditions?.find(({ type }) => type === 'ReplicaFailure'),
  )
  expect([failure.reason, failure.message]).toEqual(['FailedCreate', expect.stringContaining('exceeded quota: team')])
  await client.of(replicationControllers).patch(metadata, { type: 'merge', body: { spec: { replicas: 2 } } })
  await cluster.eventually(replicationControllers, ([controller]) =>
    (controller?.status?.conditions ?? []).length === 0 ? true : undefined,
  )
})
