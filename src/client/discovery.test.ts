import { expect, test } from 'vitest'
import type { ApiRequest, ApiResponse } from '../machinery/wire/message.ts'
import { discover } from './discovery.ts'
import { createClient } from './resource-client.ts'

const resource = (name: string, kind: string, scope = 'Namespaced') => ({
  resource: name,
  responseKind: { group: '', version: '', kind },
  scope,
  singularResource: '',
  verbs: ['get', 'list'],
})

const clientAnswering = (documents: Readonly<Record<string, object>>, status = 200) => {
  const send = async ({ path }: ApiRequest): Promise<ApiResponse> => {
    const bytes = Buffer.from(JSON.stringify(documents[path] ?? {}))
    return { status, headers: {}, body: { type: 'bytes', bytes: [bytes.subarray(0, 5), bytes.subarray(5)] } }
  }
  return createClient({ wants: 'bytes', send })
}

const core = {
  items: [{ metadata: {}, versions: [{ version: 'v1', resources: [resource('nodes', 'Node', 'Cluster')] }] }],
}

test('every kind is found, and each resource once, in the version its group prefers', async () => {
  const versions = ['v2', 'v1'].map((version) => ({
    version,
    freshness: 'Current',
    resources: [resource('webs', 'Web')],
  }))
  const groups = { items: [{ metadata: { name: 'example.com' }, versions }] }
  const { resources, kinds, failures } = await discover(clientAnswering({ '/api': core, '/apis': groups }))
  const named = (served: typeof kinds) => served.map(({ group, version, kind, scope }) => [group, version, kind, scope])
  expect(named(resources)).toEqual([
    ['', 'v1', 'Node', 'Cluster'],
    ['example.com', 'v2', 'Web', 'Namespaced'],
  ])
  expect(named(kinds).slice(1)).toEqual([
    ['example.com', 'v2', 'Web', 'Namespaced'],
    ['example.com', 'v1', 'Web', 'Namespaced'],
  ])
  expect(resources[0]?.verbs).toEqual(['get', 'list'])
  expect(failures).toEqual([])
})

test('a group version whose server does not answer is a failure, and what it serves is unknown', async () => {
  const stale = { version: 'v1beta1', freshness: 'Stale', resources: [] }
  const groups = { items: [{ metadata: { name: 'metrics.k8s.io' }, versions: [stale] }] }
  const { failures, kinds } = await discover(clientAnswering({ '/api': core, '/apis': groups }))
  expect(failures.map(({ groupVersion }) => groupVersion)).toEqual(['metrics.k8s.io/v1beta1'])
  expect(kinds).toHaveLength(1)
})

test('documents of any shape do no harm, other answers are errors', async () => {
  const odd = { items: [null, 1, { versions: [{ resources: ['x', { verbs: [1] }] }] }] }
  await expect(discover(clientAnswering({ '/api': odd }))).resolves.toMatchObject({ failures: [] })
  await expect(discover(clientAnswering({}, 503))).rejects.toThrow('discovery was answered with status 503')
})
