/** An autoscaler over a real workload, with measurements that the test writes down. */

import { expect, test } from 'vitest'
import { deployments } from '../../../src/apis/apps/deployment.ts'
import { horizontalPodAutoscalers } from '../../../src/apis/autoscaling/horizontal-pod-autoscaler.ts'
import { builtinResources } from '../../../src/apis/builtin.ts'
import { builtinSchema } from '../../../src/apis/builtin-schema.ts'
import { createCatalog } from '../../../src/apis/catalog.ts'
import { events } from '../../../src/apis/core/event.ts'
import { namespaces } from '../../../src/apis/core/namespace.ts'
import { pods } from '../../../src/apis/core/pod/definition.ts'
import { defineResource } from '../../../src/apis/define-resource.ts'
import type { PodMetrics } from '../../../src/apis/metrics/types.gen.ts'
import { deploymentController } from '../../../src/controllers/apps/deployment/controller.ts'
import { replicaSetController } from '../../../src/controllers/apps/replica-set.ts'
import { horizontalPodAutoscalerController } from '../../../src/controllers/autoscaling/horizontal-pod-autoscaler.ts'
import { formatTime } from '../../../src/machinery/meta/time.ts'
import { container, deployment, namespace } from '../../support/builders.ts'
import { createTestCluster, type TestCluster } from '../../support/test-cluster.ts'

const podMetrics = defineResource<PodMetrics>({
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  kind: 'PodMetrics',
  resource: 'pods',
  scope: 'Namespaced',
  schema: builtinSchema('metrics.v1beta1.PodMetrics'),
})

async function start(replicas: number): Promise<TestCluster> {
  const controllers = [horizontalPodAutoscalerController, deploymentController, replicaSetController]
  const catalog = createCatalog([...builtinResources, podMetrics])
  const cluster = await createTestCluster(controllers, { catalog })
  await cluster.client.of(namespaces).create(namespace())
  const resources = { requests: { cpu: '100m' } }
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [container({ resources })] } }
  await cluster.client.of(deployments).create(deployment({ spec: { replicas, template } }))
  await cluster.eventually(pods, (all) => (all.length === replicas ? true : undefined))
  return cluster
}

/** All pods have been ready for long, and use that much. */
async function measure(cluster: TestCluster, cpu: string): Promise<void> {
  const timestamp = formatTime(cluster.clock.now())
  for (const pod of (await cluster.client.of(pods).list({ namespace: 'default' })).items) {
    const { name } = pod.metadata
    const metadata = { name, namespace: 'default', labels: pod.metadata.labels }
    const object = { metadata, timestamp, window: '30s', containers: [{ name: 'app', usage: { cpu } }] }
    await cluster.client
      .of(podMetrics)
      .update(object)
      .catch(() => cluster.client.of(podMetrics).create(object))
    const ready = { type: 'Ready', status: 'True', lastTransitionTime: '2025-01-01T00:00:00Z' }
    const body = { status: { phase: 'Running', startTime: '2025-01-01T00:00:00Z', conditions: [ready] } }
    await cluster.client
      .of(pods)
      .patch({ namespace: 'default', name: name ?? '' }, { type: 'merge', body }, { subresource: 'status' })
  }
}

const addAutoscaler = ({ client }: TestCluster, maxReplicas: number, minReplicas = 1) =>
  client.of(horizontalPodAutoscalers).create({
    metadata: { namespace: 'default', name: 'web' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' }, minReplicas, maxReplicas },
  })

const untilReplicas = (cluster: TestCluster, count: number) =>
  cluster.eventually(deployments, ([web]) => (web?.spec?.replicas === count ? true : undefined))

test('a workload under load grows, and shrinks when the load has been low for five minutes', async () => {
  await using cluster = await start(2)
  await measure(cluster, '160m')
  await addAutoscaler(cluster, 10)
  await untilReplicas(cluster, 4)
  const grown = await cluster.eventually(horizontalPodAutoscalers, ([web]) =>
    web?.status?.lastScaleTime ? web : undefined,
  )
  expect(grown.status).toMatchObject({
    currentReplicas: 2,
    desiredReplicas: 4,
    currentMetrics: [
      { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 160, averageValue: '160m' } } },
    ],
  })
  expect(grown.status?.conditions?.map(({ type, status, reason }) => [type, status, reason])).toEqual([
    ['AbleToScale', 'True', 'SucceededRescale'],
    ['ScalingActive', 'True', 'ValidMetricFound'],
    ['ScalingLimited', 'False', 'DesiredWithinRange'],
  ])
  await cluster.eventually(pods, (all) => (all.length === 4 ? true : undefined))
  await measure(cluster, '20m')
  await cluster.clock.advance(15_000)
  await cluster.eventually(horizontalPodAutoscalers, ([web]) =>
    web?.status?.conditions?.some(({ reason }) => reason === 'ScaleDownStabilized') ? true : undefined,
  )
  expect((await cluster.client.of(deployments).get({ namespace: 'default', name: 'web' })).spec?.replicas).toBe(4)
  await measure(cluster, '20m')
  await cluster.clock.advance(300_000)
  await untilReplicas(cluster, 1)
})

test('a workload out of bounds is brought back, and one that is switched off is left alone', async () => {
  await using cluster = await start(1)
  await addAutoscaler(cluster, 5, 3)
  await untilReplicas(cluster, 3)
  const told = await cluster.eventually(events, (all) => all.find(({ reason }) => reason === 'SuccessfulRescale'))
  expect(told.source?.component).toBe('horizontal-pod-autoscaler')
  expect(told.message).toBe('New size: 3; reason: Current number of replicas below Spec.MinReplicas')
  const body = { spec: { replicas: 0 } }
  await cluster.client.of(deployments).patch({ namespace: 'default', name: 'web' }, { type: 'merge', body })
  await cluster.clock.advance(15_000)
  await cluster.eventually(horizontalPodAutoscalers, ([web]) =>
    web?.status?.conditions?.some(({ reason }) => reason === 'ScalingDisabled') ? true : undefined,
  )
})

test('without measurements nothing changes, and the autoscaler says why', async () => {
  await using cluster = await start(2)
  await addAutoscaler(cluster, 10)
  const { status } = await cluster.eventually(horizontalPodAutoscalers, ([web]) =>
    web?.status?.conditions?.some(({ type }) => type === 'ScalingActive') ? web : undefined,
  )
  expect(status?.conditions?.find(({ type }) => type === 'ScalingActive')).toMatchObject({
    status: 'False',
    reason: 'FailedGetResourceMetric',
    message:
      'the HPA was unable to compute the replica count: failed to get cpu utilization: ' +
      'unable to get metrics for resource cpu: no metrics returned from resource metrics API',
  })
  await cluster.eventually(events, (all) => all.find(({ reason }) => reason === 'FailedComputeMetricsReplicas'))
})

test('a target that nobody knows is told', async () => {
  await using cluster = await start(1)
  await cluster.client.of(horizontalPodAutoscalers).create({
    metadata: { namespace: 'default', name: 'lost' },
    spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Fleet', name: 'web' }, maxReplicas: 3 },
  })
  const { status } = await cluster.eventually(horizontalPodAutoscalers, ([lost]) =>
    lost?.status?.conditions ? lost : undefined,
  )
  expect(status?.conditions).toMatchObject([
    {
      type: 'AbleToScale',
      status: 'False',
      reason: 'FailedGetScale',
      message: `the HPA controller was unable to get the target's current scale: no matches for kind "Fleet" in group "apps"`,
    },
  ])
})
