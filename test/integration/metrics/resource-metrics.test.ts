/** metrics.k8s.io over a server whose kubelets are made up. */

import { beforeEach, expect, test } from 'vitest'
import { builtinResources } from '../../../src/apis/builtin.ts'
import { resourceMetrics } from '../../../src/apis/metrics/resource-metrics.ts'
import type { KubeObject } from '../../../src/machinery/meta/object.ts'
import { resourceMetricsHandlers } from '../../../src/server/resource-metrics/resource-metrics.ts'
import type { NodeUsage } from '../../../src/server/resource-metrics/samples.ts'
import { namespace, pod } from '../../support/builders.ts'
import { createTestServer, type TestServer } from '../../support/test-server.ts'

const API = '/apis/metrics.k8s.io/v1beta1'
const usages = new Map<string, NodeUsage>()
let api: TestServer

beforeEach(async () => {
  usages.clear()
  const server: TestServer = createTestServer([...builtinResources, ...resourceMetrics], {
    subresources: resourceMetricsHandlers({
      async list(definition, place) {
        const options = { resourceVersion: '', resourceVersionMatch: '', limit: 0, continueToken: '' }
        const { items } = await server.server.registries.of(definition).list({ ...options, namespace: place })
        return items.map((item) => item.object())
      },
      source: { usageOf: async (name) => usages.get(name) },
      get clock() {
        return server.clock
      },
    }),
  })
  api = server
  await api.send('POST', '/api/v1/namespaces', { body: namespace() })
  await api.send('POST', '/api/v1/nodes', { body: { metadata: { name: 'worker', labels: { zone: 'a' } } } })
  await api.send('POST', '/api/v1/nodes', { body: { metadata: { name: 'silent' } } })
  const uid = await addPod('web', { app: 'web' })
  const other = await addPod('other', {})
  await addPod('unmeasured', {})
  usages.set('worker', {
    atMs: api.clock.now(),
    windowMs: 15_250,
    pods: new Map([
      [uid, [{ name: 'app', cpu: 1_500_000n, memoryBytes: 10 * 1024 * 1024 }]],
      [other, [{ name: 'app', cpu: 123_456_789n, memoryBytes: 5000 }]],
    ]),
  })
  return () => api[Symbol.asyncDispose]()
})

async function addPod(name: string, labels: Readonly<Record<string, string>>): Promise<string> {
  const body = pod({
    metadata: { name, labels },
    spec: { nodeName: 'worker', containers: [{ name: 'app', image: 'i' }] },
  })
  const { status, json } = await api.send('POST', '/api/v1/namespaces/default/pods', { body })
  expect(status).toBe(201)
  return json.metadata.uid
}

const namesOf = async (url: string) =>
  (await api.send('GET', url)).json.items.map(({ metadata }: KubeObject) => metadata.name)

test('pods tell what each container uses', async () => {
  const { status, json } = await api.send('GET', `${API}/namespaces/default/pods/web`)
  expect(status).toBe(200)
  expect(json).toEqual({
    kind: 'PodMetrics',
    apiVersion: 'metrics.k8s.io/v1beta1',
    metadata: { name: 'web', namespace: 'default', creationTimestamp: expect.any(String), labels: { app: 'web' } },
    timestamp: expect.any(String),
    window: '15.25s',
    containers: [{ name: 'app', usage: { cpu: '1500u', memory: '10Mi' } }],
  })
})

test('pods of which nothing is known are not there', async () => {
  expect(await namesOf(`${API}/pods`)).toEqual(['other', 'web'])
  const { status, json } = await api.send('GET', `${API}/namespaces/default/pods/unmeasured`)
  expect(status).toBe(404)
  expect(json.message).toBe('pods.metrics.k8s.io "default/unmeasured" not found')
})

test('selectors are those of the objects themselves', async () => {
  expect(await namesOf(`${API}/namespaces/default/pods?labelSelector=app%3Dweb`)).toEqual(['web'])
  expect(await namesOf(`${API}/pods?fieldSelector=metadata.name%3Dother`)).toEqual(['other'])
  expect(await namesOf(`${API}/nodes?labelSelector=zone%3Db`)).toEqual([])
})

test('nodes tell the sum', async () => {
  const { json } = await api.send('GET', `${API}/nodes`)
  expect(json.kind).toBe('NodeMetricsList')
  expect(json.items).toMatchObject([{ metadata: { name: 'worker' }, usage: { cpu: '124956789n', memory: '10490760' } }])
})

test('they are read and nothing else', async () => {
  expect((await api.send('POST', `${API}/nodes`, { body: {} })).status).toBe(405)
  expect((await api.send('GET', `${API}/nodes?watch=true`)).status).toBe(405)
  expect((await api.send('DELETE', `${API}/namespaces/default/pods/web`)).status).toBe(405)
  const { json } = await api.send('GET', API)
  expect(json.resources.map(({ name, verbs }: { name: string; verbs: string[] }) => [name, verbs])).toEqual([
    ['nodes', ['get', 'list']],
    ['pods', ['get', 'list']],
  ])
})

test('tables are as of metrics-server', async () => {
  const accept = 'application/json;as=Table;g=meta.k8s.io;v=v1'
  const { json } = await api.send('GET', `${API}/namespaces/default/pods`, { headers: { accept } })
  expect(json.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(['Name', 'cpu', 'memory', 'Window'])
  expect(json.rows[1].cells).toEqual(['web', '1500u', '10Mi', '15.25s'])
})
