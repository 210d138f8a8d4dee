import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CRDS, crd, createExtensionServer, establish, eventually } from '../../support/custom-resources.ts'
import type { TestServer } from '../../support/test-server.ts'

const NOXUS = '/apis/example.com/v1/namespaces/default/noxus'
const noxu = (spec: object = {}, name = 'a') => ({
  apiVersion: 'example.com/v1',
  kind: 'Noxu',
  metadata: { name },
  spec,
})

let server: TestServer
beforeEach(() => {
  server = createExtensionServer()
})
afterEach(() => server[Symbol.asyncDispose]())

describe('a definition', () => {
  test('is served once it is established, and says so in discovery', async () => {
    await establish(server, crd())
    const { json } = await server.send('GET', '/apis/example.com/v1')
    expect(json.resources).toEqual([
      {
        name: 'noxus',
        singularName: 'noxu',
        namespaced: true,
        kind: 'Noxu',
        verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
        shortNames: ['nx'],
        categories: ['all'],
        storageVersionHash: expect.any(String),
      },
    ])
    const live = await server.send('GET', `${CRDS}/noxus.example.com`)
    expect(live.json.status.conditions).toMatchObject([
      { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
      { type: 'Established', status: 'True', reason: 'InitialNamesAccepted' },
    ])
    expect(live.json.status.acceptedNames).toMatchObject({ listKind: 'NoxuList', plural: 'noxus' })
    expect(live.json.status.storedVersions).toEqual(['v1'])
    expect(live.json.spec.conversion).toEqual({ strategy: 'None' })
  })

  test('whose names are taken waits for them', async () => {
    await establish(server, crd())
    const names = { plural: 'others', singular: 'other', kind: 'Noxu' }
    await server.send('POST', CRDS, { body: { ...crd({ names }), metadata: { name: 'others.example.com' } } })
    await eventually(server, 'others.example.com', (live) => live?.status?.conditions?.length === 2)
    const { json } = await server.send('GET', `${CRDS}/others.example.com`)
    expect(json.status.conditions).toMatchObject([
      { type: 'NamesAccepted', status: 'False', reason: 'ListKindConflict', message: '"NoxuList" is already in use' },
      { type: 'Established', status: 'False', reason: 'NotAccepted' },
    ])
    await server.send('DELETE', `${CRDS}/noxus.example.com`)
    await eventually(server, 'others.example.com', (live) => live.status.conditions[1].status === 'True')
  })

  test('takes its objects with it', async () => {
    await establish(server, crd())
    await server.send('POST', NOXUS, { body: noxu({ size: 1 }) })
    const deleted = await server.send('DELETE', `${CRDS}/noxus.example.com`)
    expect(deleted.json).toMatchObject({
      kind: 'CustomResourceDefinition',
      metadata: { finalizers: ['customresourcecleanup.apiextensions.k8s.io'] },
    })
    await eventually(server, 'noxus.example.com', (live) => live === undefined)
    await establish(server, crd())
    expect((await server.send('GET', NOXUS)).json.items).toEqual([])
  })

  test('that is going away takes no new objects', async () => {
    await establish(server, crd())
    const held = { ...noxu({ size: 1 }), metadata: { name: 'held', finalizers: ['x.io/keep'] } }
    await server.send('POST', NOXUS, { body: held })
    await server.send('DELETE', `${CRDS}/noxus.example.com`)
    await eventually(server, 'noxus.example.com', (live) =>
      live.status.conditions.some(({ reason }: { reason: string }) => reason === 'InstanceDeletionInProgress'),
    )
    const refused = await server.send('POST', NOXUS, { body: noxu({ size: 1 }, 'b') })
    expect(refused.status).toBe(403)
    expect(refused.json.message).toBe(
      'noxus.example.com "b" is forbidden: create not allowed while custom resource definition is terminating',
    )
    await server.send('PATCH', `${NOXUS}/held`, {
      body: { metadata: { finalizers: null } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    await eventually(server, 'noxus.example.com', (live) => live === undefined)
    expect((await server.send('GET', NOXUS)).status).toBe(404)
  })
})

describe('a custom object', () => {
  test('is defaulted, pruned and counted', async () => {
    await establish(server, crd())
    const created = await server.send('POST', NOXUS, { body: { ...noxu({ size: 2, odd: 1 }) } })
    expect(created.status).toBe(201)
    expect(created.json).toMatchObject({ metadata: { generation: 1 }, spec: { name: 'unnamed', size: 2 } })
    expect(created.json.spec).not.toHaveProperty('odd')
    expect(created.headers.warning).toContain('unknown field "spec.odd"')
    const changed = await server.send('PATCH', `${NOXUS}/a`, {
      body: { spec: { size: 3 } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(changed.json).toMatchObject({ metadata: { generation: 2 }, spec: { size: 3 } })
  })

  test('is refused when it does not fit', async () => {
    await establish(server, crd())
    const { status, json } = await server.send('POST', NOXUS, { body: noxu({ size: 0 }) })
    expect(status).toBe(422)
    expect(json.message).toBe(
      'Noxu.example.com "a" is invalid: spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1',
    )
  })

  test('gets the defaults of a newer schema when it is read', async () => {
    await establish(server, crd())
    await server.send('POST', NOXUS, { body: noxu({ size: 1 }) })
    const schema = {
      type: 'object',
      properties: {
        spec: { type: 'object', properties: { size: { type: 'integer' }, extra: { type: 'string', default: 'more' } } },
      },
    }
    const patched = await server.send('PATCH', `${CRDS}/noxus.example.com`, {
      body: [{ op: 'replace', path: '/spec/versions/0/schema/openAPIV3Schema', value: schema }],
      headers: { 'content-type': 'application/json-patch+json' },
    })
    expect(patched.status).toBe(200)
    await eventually(
      server,
      'noxus.example.com',
      () =>
        server.catalog.byResource('example.com', 'v1', 'noxus')?.schema.properties?.spec?.properties?.extra !==
        undefined,
    )
    expect((await server.send('GET', `${NOXUS}/a`)).json.spec).toEqual({ extra: 'more', size: 1 })
  })

  test('has a status of its own where the definition says so', async () => {
    await establish(server, crd({}, { subresources: { status: {} } }))
    const created = await server.send('POST', NOXUS, { body: { ...noxu({ size: 1 }), status: { ready: true } } })
    expect(created.json).not.toHaveProperty('status')
    const { json } = await server.send('PATCH', `${NOXUS}/a/status`, {
      body: { spec: { size: 9 }, status: { ready: true } },
      headers: { 'content-type': 'application/merge-patch+json' },
    })
    expect(json).toMatchObject({ metadata: { generation: 1 }, spec: { size: 1 }, status: { ready: true } })
  })
})
