/** What every resource does, whatever its definition: the verbs of the API on memory storage, as clients see them. */

import { describe, expect, test } from 'vitest'
import { deployments } from '../../src/apis/apps/deployment.ts'
import { configMaps } from '../../src/apis/core/config-map.ts'
import { decodeProtobuf } from '../../src/apis/protobuf-forms.ts'
import { createTestServer } from '../support/test-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const map = (name: string, data: object = {}, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
  data,
})

const serve = () => createTestServer([configMaps, deployments])

describe('create and get', () => {
  test('answers 201 with what the server sets, and get answers the same', async () => {
    await using server = serve()
    const created = await server.send('POST', MAPS, { body: map('a', { key: 'value' }) })
    expect(created.status).toBe(201)
    expect(created.json).toMatchObject({
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata: { name: 'a', namespace: 'default', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' },
      data: { key: 'value' },
    })
    expect(created.json.metadata.managedFields).toMatchObject([{ manager: 'test', operation: 'Update' }])
    const got = await server.send('GET', `${MAPS}/a`)
    expect(got.status).toBe(200)
    expect(got.json).toEqual(created.json)
  })

  test('a second one of the same name is a 409 AlreadyExists', async () => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a') })
    const second = await server.send('POST', MAPS, { body: map('a') })
    expect([second.status, second.json.reason, second.json.message]).toEqual([
      409,
      'AlreadyExists',
      'configmaps "a" already exists',
    ])
  })

  test('a missing one is a 404 with details', async () => {
    await using server = serve()
    const answer = await server.send('GET', `${MAPS}/a`)
    expect(answer.json).toMatchObject({ code: 404, message: 'configmaps "a" not found', details: { name: 'a' } })
  })

  test('generateName makes a name', async () => {
    await using server = serve()
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'web-' } }
    expect((await server.send('POST', MAPS, { body })).json.metadata.name).toMatch(/^web-[a-z0-9]{5}$/)
  })

  test('a dry run answers as if and writes nothing', async () => {
    await using server = serve()
    expect((await server.send('POST', `${MAPS}?dryRun=All`, { body: map('a') })).status).toBe(201)
    expect((await server.send('GET', `${MAPS}/a`)).status).toBe(404)
    expect(server.storage.head).toBe(0)
  })
})

describe('refusals of bodies and parameters', () => {
  test.each([
    [
      'another version',
      { ...map('a'), apiVersion: 'v2' },
      '',
      400,
      'no kind "ConfigMap" is registered for version "v2"',
    ],
    ['another namespace', map('a', {}, { namespace: 'other' }), '', 400, 'does not match the namespace sent'],
    ['a bad name', map('A_b'), '', 422, 'metadata.name: Invalid value: "A_b"'],
    ['no name', map(''), '', 422, 'metadata.name: Required value: name or generateName is required'],
    ['a bad dryRun', map('a'), '?dryRun=Some', 422, 'dryRun: Unsupported value'],
    ['unknown fields, strictly', { ...map('a'), extra: 1 }, '?fieldValidation=Strict', 400, 'unknown field "extra"'],
    ['what is no JSON', '{"kind"', '', 400, 'json parse error'],
  ])('%s', async (_, body, query, status, message) => {
    await using server = serve()
    const answer = await server.send('POST', `${MAPS}${query}`, { body })
    expect(answer.status).toBe(status)
    expect(answer.json.message).toContain(message)
  })

  test('unknown fields are warned of by default', async () => {
    await using server = serve()
    const answer = await server.send('POST', MAPS, { body: { ...map('a'), extra: 1 } })
    expect([answer.status, answer.headers.warning]).toEqual([201, 'unknown field "extra"'])
    expect(answer.json.extra).toBeUndefined()
  })

  test('a malformed protobuf body is a 400, and what nobody speaks is a 415 or a 406', async () => {
    await using server = serve()
    const headers = { 'content-type': 'application/vnd.kubernetes.protobuf' }
    expect((await server.send('POST', MAPS, { body: map('a'), headers })).status).toBe(400)
    const cbor = { 'content-type': 'application/cbor' }
    expect((await server.send('POST', MAPS, { body: map('a'), headers: cbor })).status).toBe(415)
    await server.send('POST', MAPS, { body: map('a') })
    expect((await server.send('GET', `${MAPS}/a`, { headers: { accept: 'application/cbor' } })).status).toBe(406)
  })
})

describe('update', () => {
  test('takes the current resourceVersion and refuses an old one', async () => {
    await using server = serve()
    const created = (await server.send('POST', MAPS, { body: map('a', { n: '1' }) })).json
    const updated = await server.send('PUT', `${MAPS}/a`, { body: { ...created, data: { n: '2' } } })
    expect([updated.status, updated.json.data, updated.json.metadata.resourceVersion]).toEqual([200, { n: '2' }, '2'])
    const stale = await server.send('PUT', `${MAPS}/a`, { body: { ...created, data: { n: '3' } } })
    expect(stale.json).toMatchObject({
      code: 409,
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; ' +
        'please apply your changes to the latest version and try again',
    })
  })

  test('that changes nothing keeps the resourceVersion', async () => {
    await using server = serve()
    const created = (await server.send('POST', MAPS, { body: map('a', { n: '1' }) })).json
    await server.clock.advance(5_000)
    const same = await server.send('PUT', `${MAPS}/a`, { body: map('a', { n: '1' }) })
    expect(same.json).toEqual(created)
    expect(server.storage.head).toBe(1)
  })

  test('with another name than the path is a 400', async () => {
    await using server = serve()
    const answer = await server.send('PUT', `${MAPS}/a`, { body: map('b') })
    expect(answer.json.message).toBe('the name of the object (b) does not match the name on the URL (a)')
  })
})

describe('patch', () => {
  test.each([
    ['application/merge-patch+json', { data: { b: '2' } }, { a: '1', b: '2' }],
    ['application/strategic-merge-patch+json', { data: { a: null, b: '2' } }, { b: '2' }],
    ['application/json-patch+json', [{ op: 'replace', path: '/data/a', value: '9' }], { a: '9' }],
  ])('%s', async (type, body, data) => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a', { a: '1' }) })
    const answer = await server.send('PATCH', `${MAPS}/a`, { body, headers: { 'content-type': type } })
    expect([answer.status, answer.json.data]).toEqual([200, data])
  })

  test('server-side apply creates, merges, and answers a conflict with 409', async () => {
    await using server = serve()
    const headers = { 'content-type': 'application/apply-patch+yaml' }
    const url = `${MAPS}/a?fieldManager=one`
    const created = await server.send('PATCH', url, { body: map('a', { x: '1' }), headers })
    expect([created.status, created.json.data]).toEqual([201, { x: '1' }])
    const other = await server.send('PATCH', `${MAPS}/a?fieldManager=two`, { body: map('a', { y: '2' }), headers })
    expect(other.json.data).toEqual({ x: '1', y: '2' })
    const clash = await server.send('PATCH', `${MAPS}/a?fieldManager=two`, { body: map('a', { x: '3' }), headers })
    expect([clash.status, clash.json.reason]).toEqual([409, 'Conflict'])
    const forced = `${MAPS}/a?fieldManager=two&force=true`
    expect((await server.send('PATCH', forced, { body: map('a', { x: '3' }), headers })).json.data).toEqual({ x: '3' })
    expect((await server.send('PATCH', `${MAPS}/a`, { body: map('a'), headers })).status).toBe(422)
  })

  test('of an unknown type is a 415, of a missing object a 404', async () => {
    await using server = serve()
    expect((await server.send('PATCH', `${MAPS}/a`, { body: {} })).status).toBe(415)
    const headers = { 'content-type': 'application/merge-patch+json' }
    expect((await server.send('PATCH', `${MAPS}/a`, { body: {}, headers })).status).toBe(404)
  })

  test('two at once both win', async () => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a') })
    const headers = { 'content-type': 'application/merge-patch+json' }
    const patches = ['x', 'y', 'z'].map((key) =>
      server.send('PATCH', `${MAPS}/a`, { body: { data: { [key]: '1' } }, headers }),
    )
    await Promise.all(patches)
    expect((await server.send('GET', `${MAPS}/a`)).json.data).toEqual({ x: '1', y: '1', z: '1' })
  })
})

describe('delete', () => {
  test('answers a Status with details and the object is gone', async () => {
    await using server = serve()
    const { uid } = (await server.send('POST', MAPS, { body: map('a') })).json.metadata
    const answer = await server.send('DELETE', `${MAPS}/a`)
    expect(answer.json).toMatchObject({ status: 'Success', details: { name: 'a', kind: 'configmaps', uid } })
    expect((await server.send('GET', `${MAPS}/a`)).status).toBe(404)
  })

  test('waits for finalizers; taking the last one removes the object', async () => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a', {}, { finalizers: ['example.com/hold'] }) })
    const marked = await server.send('DELETE', `${MAPS}/a`)
    expect(marked.json.metadata).toMatchObject({
      deletionTimestamp: '2026-01-01T00:00:00Z',
      deletionGracePeriodSeconds: 0,
    })
    const again = await server.send('POST', MAPS, { body: map('a') })
    expect(again.json.message).toBe('object is being deleted: configmaps "a" already exists')
    const headers = { 'content-type': 'application/merge-patch+json' }
    const body = { metadata: { finalizers: null } }
    expect((await server.send('PATCH', `${MAPS}/a`, { body, headers })).status).toBe(200)
    expect((await server.send('GET', `${MAPS}/a`)).status).toBe(404)
  })

  test('holds to its preconditions', async () => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a') })
    const body = { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'other' } }
    const answer = await server.send('DELETE', `${MAPS}/a`, { body })
    expect([answer.status, answer.json.message]).toEqual([
      409,
      expect.stringContaining('the UID in the precondition (other) does not match the UID in record'),
    ])
  })

  test.each([
    ['Orphan', ['orphan']],
    ['Foreground', ['foregroundDeletion']],
  ])('%s leaves a finalizer for the garbage collector', async (propagationPolicy, finalizers) => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a') })
    const answer = await server.send('DELETE', `${MAPS}/a`, { body: { propagationPolicy } })
    expect(answer.json.metadata.finalizers).toEqual(finalizers)
  })

  test('of a collection takes what the selector finds', async () => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a', {}, { labels: { app: 'x' } }) })
    await server.send('POST', MAPS, { body: map('b') })
    expect((await server.send('DELETE', `${MAPS}?labelSelector=app%3Dx`)).status).toBe(200)
    const names = (await server.send('GET', MAPS)).json.items.map((item: ReturnType<typeof map>) => item.metadata.name)
    expect(names).toEqual(['b'])
  })
})

describe('list', () => {
  const withThree = async () => {
    const server = serve()
    for (const name of ['a', 'b', 'c']) await server.send('POST', MAPS, { body: map(name) })
    return server
  }

  test('has the newest revision, items without kind, and all namespaces where none is named', async () => {
    await using server = await withThree()
    const { json } = await server.send('GET', '/api/v1/configmaps')
    expect([json.kind, json.apiVersion, json.metadata]).toEqual(['ConfigMapList', 'v1', { resourceVersion: '3' }])
    expect(json.items[0].kind).toBeUndefined()
    expect(json.items.map((item: ReturnType<typeof map>) => item.metadata.name)).toEqual(['a', 'b', 'c'])
  })

  test('pages stay at one revision', async () => {
    await using server = await withThree()
    const first = (await server.send('GET', `${MAPS}?limit=2`)).json
    expect(first.metadata).toMatchObject({ resourceVersion: '3', remainingItemCount: 1 })
    await server.send('POST', MAPS, { body: map('d') })
    const rest = (await server.send('GET', `${MAPS}?limit=2&continue=${first.metadata.continue}`)).json
    expect(rest.metadata).toEqual({ resourceVersion: '3' })
    expect(rest.items.map((item: ReturnType<typeof map>) => item.metadata.name)).toEqual(['c'])
  })

  test('a token that is too old is a 410 with one that goes on inconsistently', async () => {
    await using server = await withThree()
    const first = (await server.send('GET', `${MAPS}?limit=2`)).json
    await server.send('POST', MAPS, { body: map('d') })
    await server.storage.compact(server.storage.head)
    const answer = await server.send('GET', `${MAPS}?limit=2&continue=${first.metadata.continue}`)
    expect([answer.status, answer.json.reason]).toEqual([410, 'Expired'])
    const rest = await server.send('GET', `${MAPS}?limit=2&continue=${answer.json.metadata.continue}`)
    expect(rest.json.items.map((item: ReturnType<typeof map>) => item.metadata.name)).toEqual(['c', 'd'])
  })

  test.each([
    ['?resourceVersionMatch=Exact', 422, 'resourceVersionMatch is forbidden unless resourceVersion is provided'],
    ['?resourceVersion=0&resourceVersionMatch=Exact', 422, 'forbidden for resourceVersion "0"'],
    ['?resourceVersion=x', 400, 'invalid resource version'],
    ['?continue=x', 400, 'continue key is not valid'],
    ['?fieldSelector=spec.x=1', 400, '"spec.x" is not a known field selector'],
    ['?labelSelector=(', 400, ''],
  ])('refuses %s', async (query, status, message) => {
    await using server = serve()
    const answer = await server.send('GET', `${MAPS}${query}`)
    expect(answer.status).toBe(status)
    expect(answer.json.message).toContain(message)
  })

  test('as a table and as metadata', async () => {
    await using server = await withThree()
    const table = await server.send('GET', MAPS, {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    })
    expect(table.json.kind).toBe('Table')
    expect(table.json.columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(['Name', 'Data', 'Age'])
    expect(table.json.rows[0].cells).toEqual(['a', 0, '0s'])
    expect(table.json.rows[0].object.kind).toBe('PartialObjectMetadata')
    const accept = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
    const metadata = await server.send('GET', MAPS, { headers: { accept } })
    expect(metadata.json.kind).toBe('PartialObjectMetadataList')
    expect(metadata.json.items[0].data).toBeUndefined()
  })
})

describe('watch', () => {
  test('tells what is there and what happens, with bookmarks where asked', async () => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a') })
    const stop = new AbortController()
    const query = '?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    const { response } = await server.send('GET', `${MAPS}${query}`, { signal: stop.signal })
    if (response.body.type !== 'stream') throw new Error('a watch answers with a stream')
    const lines: string[] = []
    await server.send('DELETE', `${MAPS}/a`)
    for await (const chunk of response.body.chunks) {
      lines.push(...Buffer.from(chunk).toString().trim().split('\n'))
      if (lines.length >= 3) stop.abort()
    }
    const events = lines.map((line) => JSON.parse(line))
    expect(events.map(({ type }) => type)).toEqual(['ADDED', 'BOOKMARK', 'DELETED'])
    expect(events[1].object.metadata.annotations).toEqual({ 'k8s.io/initial-events-end': 'true' })
  })

  test('in protobuf is frames of events behind their lengths', async () => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a', { key: 'value' }) })
    const stop = new AbortController()
    const options = { signal: stop.signal, headers: { accept: 'application/vnd.kubernetes.protobuf' } }
    const { response, headers } = await server.send('GET', `${MAPS}?watch=1&resourceVersion=0`, options)
    expect(headers['content-type']).toBe('application/vnd.kubernetes.protobuf;stream=watch')
    if (response.body.type !== 'stream') throw new Error('a watch answers with a stream')
    const { value } = await response.body.chunks[Symbol.asyncIterator]().next()
    stop.abort()
    const frame = Buffer.from(value)
    expect(frame.readUInt32BE()).toBe(frame.length - 4)
    const object = frame.subarray(frame.indexOf('k8s\0'))
    expect(frame.subarray(4, frame.indexOf('k8s\0')).toString('latin1')).toContain('ADDED')
    expect(decodeProtobuf(object)).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'a' }, data: { key: 'value' } })
  })

  test('of the one object that an old path names', async () => {
    await using server = serve()
    for (const name of ['a', 'b']) await server.send('POST', MAPS, { body: map(name) })
    const stop = new AbortController()
    const path = '/api/v1/watch/namespaces/default/configmaps/b'
    const { response } = await server.send('GET', path, { signal: stop.signal })
    if (response.body.type !== 'stream') throw new Error('a watch answers with a stream')
    const { value } = await response.body.chunks[Symbol.asyncIterator]().next()
    stop.abort()
    const events = Buffer.from(value).toString().trim().split('\n')
    expect(events.map((line) => JSON.parse(line).object.metadata.name)).toEqual(['b'])
    const other = await server.send('GET', `${path}?fieldSelector=metadata.name%3Da`)
    expect(other.json).toMatchObject({ code: 400 })
  })

  test('from a revision that is gone is an ERROR event', async () => {
    await using server = serve()
    for (const name of ['a', 'b', 'c']) await server.send('POST', MAPS, { body: map(name) })
    await server.storage.compact(3)
    await server.clock.advance(100_000)
    const { response } = await server.send('GET', `${MAPS}?watch=1&resourceVersion=1`)
    if (response.body.type !== 'stream') throw new Error('a watch answers with a stream')
    let text = ''
    for await (const chunk of response.body.chunks) text += Buffer.from(chunk).toString()
    expect(JSON.parse(text)).toMatchObject({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })
  })

  test('callers in this process get frozen objects', async () => {
    await using server = serve()
    await server.send('POST', MAPS, { body: map('a'), wants: 'object' })
    const { json } = await server.send('GET', MAPS, { wants: 'object' })
    expect(Object.isFrozen(json.items[0].metadata)).toBe(true)
    const again = await server.send('GET', `${MAPS}/a`, { wants: 'object' })
    expect(again.json).toBe(json.items[0])
  })
})

describe('status and scale', () => {
  const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'busybox' }] } },
    },
  }

  test('the status endpoint changes the status alone, the main one all but the status', async () => {
    await using server = serve()
    const created = (await server.send('POST', DEPLOYMENTS, { body: deployment })).json
    expect([created.metadata.generation, created.status]).toEqual([1, {}])
    const body = { ...created, spec: { ...created.spec, replicas: 9 }, status: { replicas: 2 } }
    const status = (await server.send('PUT', `${DEPLOYMENTS}/web/status`, { body })).json
    expect([status.spec.replicas, status.status.replicas, status.metadata.generation]).toEqual([2, 2, 1])
    const main = (await server.send('PUT', `${DEPLOYMENTS}/web`, { body: { ...status, status: {}, spec: body.spec } }))
      .json
    expect([main.spec.replicas, main.status.replicas, main.metadata.generation]).toEqual([9, 2, 2])
  })

  test('scale shows and changes the number of replicas', async () => {
    await using server = serve()
    await server.send('POST', DEPLOYMENTS, { body: deployment })
    const scale = (await server.send('GET', `${DEPLOYMENTS}/web/scale`)).json
    expect(scale).toMatchObject({ kind: 'Scale', spec: { replicas: 2 }, status: { replicas: 0, selector: 'app=web' } })
    const body = { ...scale, spec: { replicas: 5 } }
    expect((await server.send('PUT', `${DEPLOYMENTS}/web/scale`, { body })).json.spec).toEqual({ replicas: 5 })
    const headers = { 'content-type': 'application/merge-patch+json' }
    const patched = await server.send('PATCH', `${DEPLOYMENTS}/web/scale`, { body: { spec: { replicas: 7 } }, headers })
    expect(patched.json.spec).toEqual({ replicas: 7 })
    expect((await server.send('GET', `${DEPLOYMENTS}/web`)).json.metadata.generation).toBe(3)
  })
})

describe('routes', () => {
  test.each([
    ['GET', '/api/v1/namespaces/default/nothings', 404],
    ['GET', '/apis/nothing/v1/things', 404],
    ['POST', '/api/v1/configmaps', 405],
    ['POST', `${MAPS}/a`, 405],
    ['DELETE', `${MAPS}/a/status`, 404],
    ['GET', '/api/v1/namespaces/default/configmaps/..%2fsecret', 404],
    ['GET', '/api/v1/namespaces//configmaps', 404],
    ['GET', '/version', 200],
    ['GET', '/apis', 200],
    ['GET', '/api/v1', 200],
    ['GET', '/nothing', 404],
  ])('%s %s is %i', async (method, url, status) => {
    await using server = serve()
    expect((await server.send(method, url, method === 'POST' ? { body: map('a') } : {})).status).toBe(status)
  })
})
