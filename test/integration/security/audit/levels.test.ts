import { afterEach, describe, expect, test } from 'vitest'
import { encodeProtobuf } from '../../../../src/apis/protobuf-forms.ts'
import { LEVELS } from '../../../../src/server/audit/event.ts'
import type { AuditPolicy } from '../../../../src/server/audit/policy.ts'
import { type AuditedServer, auditedServer, everything } from './audited-server.ts'

// Goal: what stands in the log at each level and stage, for each form in which an object comes and goes. Method: a
// whole server in memory, a policy, requests, and the lines of the log.

const CONFIG_MAPS = '/api/v1/namespaces/shop/configmaps'
const prices = { metadata: { name: 'prices' }, data: { tea: '3' } }

let server: AuditedServer
afterEach(() => server[Symbol.asyncDispose]())

async function open(policy: AuditPolicy): Promise<void> {
  server = auditedServer(policy)
  await server.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'shop' } } })
  server.logged()
}

const stages = () => server.logged().map(({ stage }) => stage)

describe('levels', () => {
  const sent = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'prices' }, data: { tea: '3' } }
  const cases = {
    None: [],
    Metadata: [{}, {}],
    Request: [{}, { requestObject: sent }],
    RequestResponse: [{}, { requestObject: sent, responseObject: expect.objectContaining({ data: { tea: '3' } }) }],
  }
  test.each(LEVELS)('%s', async (level) => {
    await open(everything(level))
    const { json } = await server.send('POST', CONFIG_MAPS, { body: prices, headers: { 'audit-id': 'mine' } })
    const { creationTimestamp } = json.metadata
    const common = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level,
      auditID: 'mine',
      requestURI: CONFIG_MAPS,
      verb: 'create',
      user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
      userAgent: 'test/1.0',
      requestReceivedTimestamp: creationTimestamp.replace('Z', '.000000Z'),
      stageTimestamp: creationTimestamp.replace('Z', '.000000Z'),
    }
    const place = { resource: 'configmaps', namespace: 'shop', apiVersion: 'v1' }
    const received = { ...common, stage: 'RequestReceived', objectRef: place }
    const complete = {
      ...common,
      stage: 'ResponseComplete',
      objectRef: { ...place, name: 'prices' },
      responseStatus: { metadata: {}, code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    }
    const expected = cases[level].map((bodies, index) => ({ ...(index === 0 ? received : complete), ...bodies }))
    expect(server.logged()).toEqual(expected)
    expect(await server.metrics()).toContain(`apiserver_audit_level_total{level="${level}"} 2`)
  })

  test('a response is not logged where there is no object in it, nor for what is no resource', async () => {
    await open(everything('RequestResponse'))
    for (const path of ['/livez', '/version', '/nothing']) await server.send('GET', path)
    const bodies = server.logged().flatMap(({ requestObject, responseObject }) => [requestObject, responseObject])
    expect(bodies.filter((body) => body !== undefined)).toEqual([])
  })

  test('of rules the first that matches decides', async () => {
    const policy = {
      rules: [
        { level: 'None', resources: [{ group: '', resources: ['configmaps'], resourceNames: ['quiet'] }] },
        { level: 'Request', verbs: ['create'], namespaces: ['shop'] },
        { level: 'Metadata', users: ['admin'], verbs: ['get'] },
      ],
    }
    await open(policy)
    await server.send('POST', CONFIG_MAPS, { body: prices })
    for (const name of ['prices', 'quiet']) await server.send('GET', `${CONFIG_MAPS}/${name}`)
    await server.send('DELETE', `${CONFIG_MAPS}/prices`)
    const seen = server.logged().map(({ level, verb, stage }) => `${level} ${verb} ${stage}`)
    expect(seen).toEqual([
      'Request create RequestReceived',
      'Request create ResponseComplete',
      'Metadata get RequestReceived',
      'Metadata get ResponseComplete',
    ])
  })
})

describe('stages are left out', () => {
  test.each([
    ['for everything', { omitStages: ['RequestReceived'], rules: [{ level: 'Metadata' }] }, ['ResponseComplete']],
    ['by a rule', everything('Metadata', { omitStages: ['ResponseComplete'] }), ['RequestReceived']],
    [
      'by both',
      { omitStages: ['RequestReceived'], rules: [{ level: 'Metadata', omitStages: ['ResponseComplete'] }] },
      [],
    ],
  ])('%s', async (_, policy, left) => {
    await open(policy)
    await server.send('GET', CONFIG_MAPS)
    expect(stages()).toEqual(left)
    expect((await server.metrics()).match(/apiserver_audit_event_total (\d+)/)?.[1]).toBe(String(2 * left.length))
  })
})

describe('bodies', () => {
  const last = () => server.logged().at(-1)

  test.each([
    ['YAML', 'application/yaml', 'metadata:\n  name: prices\ndata:\n  tea: "3"\n'],
    ['JSON', 'application/json', JSON.stringify(prices)],
  ])('are logged as JSON when they come as %s', async (_, type, body) => {
    await open(everything('Request'))
    await server.send('POST', CONFIG_MAPS, { body, headers: { 'content-type': type } })
    expect(last()?.requestObject).toEqual({ kind: 'ConfigMap', apiVersion: 'v1', ...prices })
  })

  test('are logged as JSON when they come and go as protobuf', async () => {
    await open(everything('RequestResponse'))
    const type = 'application/vnd.kubernetes.protobuf'
    const bytes = encodeProtobuf({ kind: 'ConfigMap', apiVersion: 'v1', ...prices }) ?? new Uint8Array()
    const { peer } = { peer: { name: 'admin', groups: ['system:masters'] } }
    await server.api.server.handle({
      method: 'POST',
      path: CONFIG_MAPS,
      query: new URLSearchParams(),
      headers: { 'content-type': type, accept: type },
      body: { type: 'bytes', bytes },
      signal: new AbortController().signal,
      wants: 'bytes',
      peer,
    })
    const event = last()
    expect(event?.requestObject).toEqual({ kind: 'ConfigMap', apiVersion: 'v1', ...prices })
    expect(event?.responseObject).toMatchObject({ kind: 'ConfigMap', data: { tea: '3' } })
  })

  test('come with the defaults of what was sent', async () => {
    await open(everything('Request'))
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
    const spec = { selector: { matchLabels: { a: 'b' } }, template }
    const body = { metadata: { name: 'web' }, spec }
    await server.send('POST', '/apis/apps/v1/namespaces/shop/deployments', { body })
    expect(last()?.requestObject).toMatchObject({ spec: { replicas: 1, revisionHistoryLimit: 10 }, status: {} })
  })

  test.each([
    ['application/json-patch+json', [{ op: 'add', path: '/data/milk', value: '1' }]],
    ['application/merge-patch+json', { data: { milk: '1' } }],
    ['application/strategic-merge-patch+json', { data: { milk: '1' } }],
  ])('of a patch are the patch: %s', async (type, patch) => {
    await open(everything('Request'))
    await server.send('POST', CONFIG_MAPS, { body: prices })
    await server.send('PATCH', `${CONFIG_MAPS}/prices`, { body: patch, headers: { 'content-type': type } })
    expect(last()).toMatchObject({ verb: 'patch', requestObject: patch, responseStatus: { code: 200 } })
  })

  test('of an apply are what is applied, in JSON', async () => {
    await open(everything('Request'))
    const body = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: prices\ndata:\n  tea: "4"\n'
    const headers = { 'content-type': 'application/apply-patch+yaml' }
    await server.send('PATCH', `${CONFIG_MAPS}/prices?fieldManager=me`, { body, headers })
    const applied = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'prices' }, data: { tea: '4' } }
    expect(last()).toMatchObject({ requestObject: applied, responseStatus: { code: 201 } })
  })

  test('of deletions are their options; the answer is a status', async () => {
    await open(everything('RequestResponse'))
    const { json } = await server.send('POST', CONFIG_MAPS, { body: prices })
    await server.send('DELETE', `${CONFIG_MAPS}/prices`, { body: { propagationPolicy: 'Background' } })
    const details = { name: 'prices', kind: 'configmaps', uid: json.metadata.uid }
    expect(last()).toMatchObject({
      requestObject: { kind: 'DeleteOptions', propagationPolicy: 'Background' },
      responseStatus: { metadata: {}, status: 'Success', details, code: 200 },
      responseObject: { kind: 'Status', status: 'Success', details },
    })
  })

  test('of the deletion of a collection are what it held', async () => {
    await open(everything('RequestResponse'))
    await server.send('POST', CONFIG_MAPS, { body: prices })
    await server.send('DELETE', CONFIG_MAPS)
    const event = last()
    expect(event).toMatchObject({ verb: 'deletecollection', responseObject: { kind: 'ConfigMapList' } })
    expect(event?.responseObject).toMatchObject({ items: [{ metadata: { name: 'prices' } }] })
    expect(event).not.toHaveProperty('requestObject')
  })

  test('are tables and metadata where those are asked for', async () => {
    await open(everything('RequestResponse'))
    await server.send('POST', CONFIG_MAPS, { body: prices })
    for (const kind of ['Table', 'PartialObjectMetadata']) {
      const headers = { accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` }
      await server.send('GET', `${CONFIG_MAPS}/prices`, { headers })
      expect(last()?.responseObject).toMatchObject({ kind, apiVersion: 'meta.k8s.io/v1' })
    }
  })

  test('of failures are their status', async () => {
    await open(everything('RequestResponse'))
    await server.send('GET', `${CONFIG_MAPS}/none`)
    const status = {
      status: 'Failure',
      message: 'configmaps "none" not found',
      reason: 'NotFound',
      details: { name: 'none', kind: 'configmaps' },
      code: 404,
    }
    expect(last()).toMatchObject({ responseStatus: { metadata: {}, ...status }, responseObject: status })
  })

  test.each([
    ['everywhere', { omitManagedFields: true, rules: [{ level: 'RequestResponse' }] }, false],
    ['by a rule', everything('RequestResponse', { omitManagedFields: true }), false],
    [
      'not where a rule wants them',
      { omitManagedFields: true, ...everything('RequestResponse', { omitManagedFields: false }) },
      true,
    ],
  ])('lack the notes of managers where the policy says so: %s', async (_, policy, isThere) => {
    await open(policy)
    await server.send('POST', CONFIG_MAPS, { body: prices })
    const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }
    await server.send('GET', `${CONFIG_MAPS}/prices`)
    await server.send('GET', CONFIG_MAPS)
    await server.send('GET', `${CONFIG_MAPS}?includeObject=Object`, { headers: table })
    for (const event of server.logged().filter(({ responseObject }) => responseObject !== undefined))
      expect(JSON.stringify(event.responseObject).includes('managedFields')).toBe(isThere)
  })

  test('of callers in this process are logged like any other', async () => {
    await open(everything('RequestResponse'))
    await server.send('POST', CONFIG_MAPS, { body: prices, wants: 'object' })
    expect(last()).toMatchObject({
      requestObject: prices,
      responseObject: prices,
      auditID: expect.stringMatching(/^.{36}$/),
    })
  })
})

test('an object without a name has one in the answer only', async () => {
  await open(everything('Metadata'))
  await server.send('POST', CONFIG_MAPS, { body: { metadata: { generateName: 'gen-' } } })
  expect(server.logged().at(-1)?.objectRef).toEqual({ resource: 'configmaps', namespace: 'shop', apiVersion: 'v1' })
})

test('what an object says of its uid and version is a part of what it is', async () => {
  await open(everything('Metadata'))
  const { json } = await server.send('POST', CONFIG_MAPS, { body: prices })
  server.logged()
  await server.send('PUT', `${CONFIG_MAPS}/prices`, { body: json })
  const { uid, resourceVersion } = json.metadata
  expect(server.logged().at(-1)?.objectRef).toMatchObject({ name: 'prices', uid, resourceVersion })
})
