import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Delivery } from '../../../src/watch/event.ts'
import { crd, createExtensionServer, establish, eventually } from '../../support/custom-resources.ts'
import type { TestServer } from '../../support/test-server.ts'
import { startWebhookServer, type WebhookServer } from '../../support/webhook-server.ts'

const path = (version: string, name = '') => `/apis/example.com/${version}/namespaces/default/noxus${name}`
const MERGE = { headers: { 'content-type': 'application/merge-patch+json' } }

interface Sent {
  readonly kind: string
  readonly metadata: object
  readonly spec: Readonly<Record<string, string>>
}

const schemaOf = (...names: readonly string[]) => ({
  openAPIV3Schema: {
    type: 'object',
    properties: {
      spec: { type: 'object', properties: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) },
    },
  },
})

const versions = [
  { name: 'v1', served: true, storage: true, schema: schemaOf('hostPort') },
  { name: 'v2', served: true, storage: false, schema: schemaOf('host', 'port') },
]

const v1 = (name: string, hostPort = 'h:1') => ({
  apiVersion: 'example.com/v1',
  kind: 'Noxu',
  metadata: { name },
  spec: { hostPort },
})

let server: TestServer
beforeEach(() => {
  server = createExtensionServer()
})
afterEach(() => server[Symbol.asyncDispose]())

describe('versions without a webhook', () => {
  const same = [
    { name: 'v1', served: true, storage: true, schema: schemaOf('a', 'b') },
    { name: 'v2', served: true, storage: false, schema: schemaOf('b', 'c') },
    { name: 'v3', served: false, storage: false, schema: schemaOf('c') },
  ]

  test('differ in their apiVersion and in what they know', async () => {
    await establish(server, crd({ versions: same }))
    const body = { apiVersion: 'example.com/v2', kind: 'Noxu', metadata: { name: 'x' }, spec: { b: '1', c: '2' } }
    const created = await server.send('POST', path('v2'), { body })
    expect(created.json).toMatchObject({ apiVersion: 'example.com/v2', spec: { b: '1' } })
    expect(created.json.spec).not.toHaveProperty('c')
    const read = await server.send('GET', path('v1', '/x'))
    expect(read.json).toMatchObject({ apiVersion: 'example.com/v1', spec: { b: '1' } })
    await server.send('PATCH', path('v1', '/x'), { body: { spec: { a: '0' } }, ...MERGE })
    expect((await server.send('GET', path('v2', '/x'))).json.spec).toEqual({ b: '1' })
    expect((await server.send('GET', path('v3'))).status).toBe(404)
  })

  test('a version that is served no more goes, the others stay as they are', async () => {
    await establish(server, crd({ versions: same }))
    const first = server.catalog.byResource('example.com', 'v1', 'noxus')
    await server.send('PATCH', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/noxus.example.com', {
      body: [{ op: 'replace', path: '/spec/versions/1/served', value: false }],
      headers: { 'content-type': 'application/json-patch+json' },
    })
    await eventually(server, 'noxus.example.com', () => !server.catalog.byResource('example.com', 'v2', 'noxus'))
    expect(server.catalog.byResource('example.com', 'v1', 'noxus')).toBe(first)
  })
})

describe('versions with a webhook', () => {
  let webhook: WebhookServer
  let answer: (objects: readonly Sent[], desired: string) => object
  beforeEach(async () => {
    answer = (objects, desired) => ({
      convertedObjects: objects.map((object) => converted(object, desired)),
      result: { status: 'Success' },
    })
    webhook = await startWebhookServer('localhost')
    webhook.answer = (_request, response, body) => {
      const review = JSON.parse(body)
      const { uid, objects, desiredAPIVersion } = review.request
      response.end(JSON.stringify({ ...review, response: { uid, ...answer(objects, desiredAPIVersion) } }))
    }
    const { caBundle, port } = webhook
    const conversion = {
      strategy: 'Webhook',
      webhook: {
        clientConfig: { url: `https://127.0.0.1:${port}/convert`, caBundle },
        conversionReviewVersions: ['v1'],
      },
    }
    await establish(server, crd({ versions, conversion }))
  })
  afterEach(() => webhook[Symbol.asyncDispose]())

  const converted = ({ metadata, kind, spec }: Sent, apiVersion: string) => {
    const [host, port] = spec.hostPort?.split(':') ?? []
    return apiVersion.endsWith('v2')
      ? { apiVersion, kind, metadata, spec: { host, port } }
      : { apiVersion, kind, metadata, spec: { hostPort: `${spec.host}:${spec.port}` } }
  }

  test('are converted when read, listed and written', async () => {
    await server.send('POST', path('v1'), { body: v1('a') })
    expect((await server.send('GET', path('v2', '/a'))).json).toMatchObject({
      apiVersion: 'example.com/v2',
      spec: { host: 'h', port: '1' },
    })
    const body = { apiVersion: 'example.com/v2', kind: 'Noxu', metadata: { name: 'b' }, spec: { host: 'x', port: '2' } }
    const created = await server.send('POST', path('v2'), { body })
    expect(created.json).toMatchObject({ apiVersion: 'example.com/v2', spec: { host: 'x', port: '2' } })
    expect((await server.send('GET', path('v1', '/b'))).json.spec).toEqual({ hostPort: 'x:2' })
    const patched = await server.send('PATCH', path('v2', '/a'), { body: { spec: { port: '9' } }, ...MERGE })
    expect(patched.json).toMatchObject({ metadata: { generation: 2 }, spec: { host: 'h', port: '9' } })
    const { json } = await server.send('GET', path('v2'))
    expect(json.items.map(({ spec }: Sent) => spec)).toEqual([
      { host: 'h', port: '9' },
      { host: 'x', port: '2' },
    ])
  })

  test('are converted for those who watch', async () => {
    const stopping = new AbortController()
    const registry = server.server.registries.named('example.com', 'v2', 'noxus')
    const watcher = await registry?.watch({
      ...{ namespace: '', resourceVersion: '', resourceVersionMatch: '', sendInitialEvents: undefined },
      ...{ allowBookmarks: false, signal: stopping.signal },
    })
    await server.send('POST', path('v1'), { body: v1('a', 'w:7') })
    const delivered = await watcher?.next()
    const value = delivered?.value ?? []
    expect(value.map((delivery: Delivery) => delivery.type !== 'BOOKMARK' && delivery.object.object())).toMatchObject([
      { apiVersion: 'example.com/v2', spec: { host: 'w', port: '7' } },
    ])
    stopping.abort()
  })

  test.each<[string, (objects: readonly Sent[], desired: string) => object, string]>([
    ['refuses', () => ({ result: { status: 'Failure', message: 'not today' } }), 'failed: not today'],
    ['says nothing', () => ({ result: {} }), "failed: response.result.status was '', not 'Success'"],
    [
      'loses objects',
      () => ({ convertedObjects: [], result: { status: 'Success' } }),
      'returned 0 objects, expected 1',
    ],
    [
      'changes the name',
      (objects, desired) => ({
        convertedObjects: objects.map((object) => ({ ...converted(object, desired), metadata: { name: 'other' } })),
        result: { status: 'Success' },
      }),
      'returned invalid object: must have the same name: a != other',
    ],
    [
      'does not convert',
      (objects) => ({ convertedObjects: objects, result: { status: 'Success' } }),
      'returned invalid object at index 0: invalid groupVersion (expected example.com/v2, received example.com/v1)',
    ],
  ])('an answer that %s is told to whoever reads', async (_behaviour, wrong, text) => {
    await server.send('POST', path('v1'), { body: v1('a') })
    const right = answer
    answer = wrong
    const failed = await server.send('GET', path('v2', '/a'))
    expect([failed.status, failed.json.message]).toEqual([
      500,
      `conversion webhook for example.com/v1, Kind=Noxu ${text}`,
    ])
    answer = right
    expect((await server.send('GET', path('v2', '/a'))).status).toBe(200)
  })
})
