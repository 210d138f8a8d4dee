/**
 * Goal: whatever an authenticated caller sends, the answer is the right 4xx Status and the server goes on. Method:
 * the whole request path behind a real listener, fed one bad request after the other; at the end it has logged no
 * failure of its own and still serves.
 */

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { entry, envelope, message } from '../../support/protobuf.ts'
import { expectRefusal, type HostileServer, openHostileServer } from './hostile-server.ts'

const MAPS = '/api/v1/namespaces/default/configmaps'
const PODS = '/api/v1/namespaces/default/pods'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const JSON_TYPE = 'application/json'
const YAML = 'application/yaml'
const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const MERGE = 'application/merge-patch+json'
const STRATEGIC = 'application/strategic-merge-patch+json'
const JSON_PATCH = 'application/json-patch+json'
const APPLY = 'application/apply-patch+yaml'

let hostile: HostileServer

beforeAll(async () => {
  hostile = await openHostileServer()
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'good' }, data: { a: '1' } }
  expect((await hostile.send('POST', MAPS, JSON.stringify(map))).status).toBe(201)
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const web = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: { a: 'b' } }, template },
  }
  expect((await hostile.send('POST', DEPLOYMENTS, JSON.stringify(web))).status).toBe(201)
})
afterAll(() => hostile[Symbol.asyncDispose]())
afterEach(async () => {
  expect(hostile.errors.splice(0)).toEqual([])
  expect((await hostile.send('GET', `${MAPS}/good`)).status).toBe(200)
})

async function refused(
  method: string,
  path: string,
  status: number | readonly number[],
  body?: string | Uint8Array,
  type?: string,
): Promise<void> {
  const answer = await hostile.send(method, path, body, type)
  expectRefusal(answer, `${method} ${path}`)
  expect([status].flat(), answer.text.slice(0, 500)).toContain(answer.status)
}

const nested = (depth: number, open: string, close: string, inner = '1') =>
  open.repeat(depth) + inner + close.repeat(depth)
const map = (rest: string) => `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}${rest}}`

describe('bodies that are no documents', () => {
  test.each([
    ['nothing', JSON_TYPE, '', 400],
    ['spaces', JSON_TYPE, '   ', 400],
    ['half an object', JSON_TYPE, '{"kind":', 400],
    ['two objects', JSON_TYPE, '{}{}', 400],
    ['a trailing comma', JSON_TYPE, map(',"data":{"a":"b",}'), 400],
    ['a comment', JSON_TYPE, '/* */{}', 400],
    ['NaN', JSON_TYPE, map(',"data":{"a":NaN}'), 400],
    ['bytes that are no UTF-8', JSON_TYPE, Buffer.from([0xff, 0xfe, 0x00]), 400],
    ['a byte order mark alone', JSON_TYPE, '\ufeff', 400],
    ['null', JSON_TYPE, 'null', [400, 422]],
    ['a number', JSON_TYPE, '1', 400],
    ['a text', JSON_TYPE, '"x"', 400],
    ['an array', JSON_TYPE, '[]', 400],
    ['YAML with a tab', YAML, 'a:\n\t- b', 400],
    ['YAML with an unclosed flow', YAML, '{a: [b', 400],
    ['YAML that is a list', YAML, '- a\n- b', 400],
    ['YAML aliases without end', YAML, 'a: &a [*a, *a]\nkind: *a', 400],
    ['a YAML bomb', YAML, yamlBomb(), [400, 413]],
    ['a YAML tag of another language', YAML, '!!js/function "x"', 400],
    ['YAML of two documents', YAML, `${map('')}\n---\n${map('')}`, 400],
    ['JSON as protobuf', PROTOBUF, '{}', 400],
    ['protobuf magic alone', PROTOBUF, 'k8s\0', 400],
    ['protobuf of an unknown kind', PROTOBUF, envelope('v1', 'Nothing', message()), 400],
    ['protobuf of another kind', PROTOBUF, envelope('v1', 'Secret', message()), 400],
    ['truncated protobuf', PROTOBUF, envelope('v1', 'ConfigMap', message([1, message([1, 'x'])])).subarray(0, -3), 400],
    ['protobuf with a foreign field type', PROTOBUF, envelope('v1', 'ConfigMap', message([1, 5])), 400],
    ['an unknown type', 'text/plain', '{}', 415],
    ['CBOR', 'application/cbor', Buffer.from([0xd9, 0xd9, 0xf7, 0xa0]), 415],
    ['a type that is none', ';;;', '{}', 415],
  ] as const)('%s as %s', async (_, type, body, status) => {
    await refused('POST', MAPS, status, body, type)
    await refused('PUT', `${MAPS}/good`, status, body, type)
  })
})

function yamlBomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]']
  for (let level = 1; level < 12; level++)
    lines.push(`a${level}: &a${level} [${Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')}]`)
  return lines.join('\n')
}

describe('documents of the wrong form', () => {
  test.each([
    ['another kind', '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"x"}}'],
    ['another version', '{"apiVersion":"v2","kind":"ConfigMap","metadata":{"name":"x"}}'],
    ['a kind that is a list', '{"apiVersion":"v1","kind":[],"metadata":{"name":"x"}}'],
    ['an apiVersion that is a number', '{"apiVersion":1,"kind":"ConfigMap","metadata":{"name":"x"}}'],
    ['metadata that is a list', '{"apiVersion":"v1","kind":"ConfigMap","metadata":[]}'],
    ['metadata that is a text', '{"apiVersion":"v1","kind":"ConfigMap","metadata":"x"}'],
    ['a name that is a number', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":1}}'],
    ['labels that are a list', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","labels":[]}}'],
    ['a label that is an object', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","labels":{"a":{}}}}'],
    ['a bad timestamp', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","creationTimestamp":"now"}}'],
    ['finalizers that are a text', '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","finalizers":"a"}}'],
    [
      'managed fields of nonsense',
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x","managedFields":[1]}}',
    ],
    ['data that is a list', map(',"data":[]')],
    ['data with a number', map(',"data":{"a":1}')],
    ['binary data that is no base64', map(',"binaryData":{"a":"%%"}')],
    ['immutable that is a text', map(',"immutable":"yes"')],
  ])('%s is 400', async (_, body) => {
    await refused('POST', MAPS, 400, body)
    await refused('POST', MAPS, 400, body, YAML)
  })

  test.each([
    ['no name', '{"metadata":{}}', [422]],
    ['no metadata', '{}', [422]],
    ['null metadata', '{"metadata":null}', [422]],
    ['a name of 300 characters', `{"metadata":{"name":"${'a'.repeat(300)}"}}`, [422]],
    ['a name with a slash', '{"metadata":{"name":"a/b"}}', [422]],
    ['a name of dots', '{"metadata":{"name":".."}}', [422]],
    ['a bad label', '{"metadata":{"name":"x","labels":{"a b":"c"}}}', [422]],
    ['a bad annotation', '{"metadata":{"name":"x","annotations":{"/":"c"}}}', [422]],
    ['annotations of 300 KB', `{"metadata":{"name":"x","annotations":{"a":"${'x'.repeat(300_000)}"}}}`, [422]],
    ['a bad owner', '{"metadata":{"name":"x","ownerReferences":[{}]}}', [422]],
    ['a bad finalizer', '{"metadata":{"name":"x","finalizers":["a b"]}}', [422]],
    ['a key of a path', map(',"data":{"../x":"y"}'), [422]],
    ['the key __proto__ and a bad one', map(',"data":{"__proto__":"y","/":"z"}'), [422]],
    ['data of 1.5 MB', map(`,"data":{"a":"${'x'.repeat(1_500_000)}"}`), [422]],
  ])('%s is refused', async (_, body, status) => {
    await refused('POST', MAPS, status, body)
  })

  test('keys that JavaScript knows are data', async () => {
    const keys = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
    const data = `{${keys.map((key) => `"${key}":"x"`).join()}}`
    const labels = data.replace('__proto__', 'valueOf')
    const body = `{"metadata":{"name":"odd","labels":${labels},"annotations":${labels}},"data":${data}}`
    expect((await hostile.send('POST', MAPS, body)).status).toBe(201)
    const { data: stored } = JSON.parse((await hostile.send('GET', `${MAPS}/odd`)).text)
    expect(Object.keys(stored).toSorted()).toEqual(keys.toSorted())
    expect((await hostile.send('PATCH', `${MAPS}/odd`, '{"data":{"__proto__":null}}', MERGE)).status).toBe(200)
    expect((await hostile.send('DELETE', `${MAPS}/odd`)).status).toBe(200)
  })
})

describe('size and depth', () => {
  test.each([
    ['nested objects', JSON_TYPE, map(`,"data":${nested(100_000, '{"a":', '}')}`)],
    ['nested arrays', JSON_TYPE, map(`,"data":${nested(1_000_000, '[', ']')}`)],
    ['nesting without end', JSON_TYPE, '['.repeat(2_000_000)],
    ['nested YAML flow', YAML, nested(50_000, '[', ']')],
    ['nested YAML blocks', YAML, Array.from({ length: 1_200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['nested lists of one line', YAML, `${'- '.repeat(50_000)}a`],
  ])('%s', async (_, type, body) => {
    await refused('POST', MAPS, [400, 413], body, type)
    await refused('PATCH', `${MAPS}/good?fieldManager=x`, [400, 413, 415], body, type === YAML ? APPLY : MERGE)
  })

  test('as many empty containers as a document may hold are refused with some of the findings', async () => {
    const body = `{"metadata":{"name":"x"},"spec":{"containers":[${'{},'.repeat(45_000)}{}]}}`
    const answer = await hostile.send('POST', PODS, body)
    expectRefusal(answer, 'containers')
    expect([answer.status, answer.text.length < 200_000]).toEqual([422, true])
  })

  test('protobuf messages inside messages', async () => {
    let schema: Uint8Array = message([5, 'x'])
    for (let depth = 0; depth < 20_000; depth++) schema = message([18, schema])
    await refused('POST', MAPS, 400, envelope('apiextensions.k8s.io/v1', 'CustomResourceDefinition', schema), PROTOBUF)
  })

  test('a body over the limit is 413', async () => {
    const body = Buffer.alloc(3 * 1024 * 1024 + 1, 0x20)
    await refused('POST', MAPS, 413, body)
  })

  test.each([
    [
      'a million empty containers',
      `{"metadata":{"name":"x"},"spec":{"containers":[${'{},'.repeat(900_000)}{}]}}`,
      JSON_TYPE,
    ],
    [
      'a million bad label keys',
      `{"metadata":{"name":"x","labels":{${Array.from({ length: 200_000 }, (_, index) => `" ${index}":""`).join()}}}}`,
      JSON_TYPE,
    ],
    [
      'a million unknown fields',
      `{"metadata":{"name":"A"},${Array.from({ length: 250_000 }, (_, index) => `"f${index}":1`).join()}}`,
      JSON_TYPE,
    ],
    ['the same key a million times', `{"metadata":{"name":"A"},${'"a":1,'.repeat(400_000)}"b":1}`, JSON_TYPE],
    [
      'empty protobuf containers',
      envelope('v1', 'Pod', message([1, message([1, 'x'])], [2, Buffer.alloc(2_000_000, Buffer.from([0x12, 0x00]))])),
      PROTOBUF,
    ],
  ] as const)('%s are refused within bounds', async (_, body, type) => {
    const before = process.memoryUsage().rss
    const answer = await hostile.send('POST', PODS, body, type)
    expectRefusal(answer, 'many')
    expect(answer.text.length).toBeLessThan(1_000_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(1_500_000_000)
  })
})

describe('patches', () => {
  test.each([
    ['a merge patch that is a list', MERGE, '[]', 400],
    ['a merge patch that is no JSON', MERGE, '{', 400],
    ['a merge patch of the kind', MERGE, '{"kind":"Secret"}', 422],
    ['a merge patch of the name', MERGE, '{"metadata":{"name":"other"}}', 400],
    ['a merge patch with wrong types', MERGE, '{"spec":{"replicas":"many"}}', 422],
    ['a merge patch to a negative number', MERGE, '{"spec":{"replicas":-1}}', 422],
    ['a merge patch that removes the spec', MERGE, '{"spec":null}', 422],
    ['a strategic patch that is a text', STRATEGIC, '"x"', 400],
    ['a strategic patch with a bad directive', STRATEGIC, '{"spec":{"$patch":"explode"}}', [400, 422]],
    [
      'a strategic patch with a list that is none',
      STRATEGIC,
      '{"spec":{"template":{"spec":{"containers":{"a":1}}}}}',
      [400, 422],
    ],
    [
      'a strategic patch without merge keys',
      STRATEGIC,
      '{"spec":{"template":{"spec":{"containers":[{"image":"x"}]}}}}',
      [400, 422],
    ],
    [
      'a strategic patch with an order that is none',
      STRATEGIC,
      '{"spec":{"template":{"spec":{"$setElementOrder/containers":5}}}}',
      [400, 422],
    ],
    [
      'a strategic patch with no list of what to delete',
      STRATEGIC,
      '{"metadata":{"$deleteFromPrimitiveList/finalizers":"x"}}',
      400,
    ],
    ['a JSON patch that is an object', JSON_PATCH, '{"op":"add"}', 400],
    ['a JSON patch of nonsense', JSON_PATCH, '[1,null,"x"]', [400, 422]],
    ['a JSON patch with an unknown operation', JSON_PATCH, '[{"op":"explode","path":"/a"}]', [400, 422]],
    ['a JSON patch to nowhere', JSON_PATCH, '[{"op":"remove","path":"/no/such"}]', 422],
    ['a JSON patch with a bad pointer', JSON_PATCH, '[{"op":"add","path":"no","value":1}]', 422],
    [
      'a JSON patch with a huge index',
      JSON_PATCH,
      '[{"op":"add","path":"/spec/template/spec/containers/99999999999","value":1}]',
      422,
    ],
    ['a JSON patch into __proto__', JSON_PATCH, '[{"op":"add","path":"/__proto__/polluted","value":1}]', 422],
    [
      'a JSON patch that copies into itself',
      JSON_PATCH,
      '[{"op":"copy","from":"","path":"/spec/template/spec/nodeName"}]',
      [400, 422],
    ],
    ['a JSON patch whose test fails', JSON_PATCH, '[{"op":"test","path":"/spec/replicas","value":99}]', 422],
    [
      'a JSON patch of 20,000 operations',
      JSON_PATCH,
      JSON.stringify(Array.from({ length: 20_000 }, () => ({ op: 'test', path: '', value: 1 }))),
      413,
    ],
    [
      'a JSON patch that doubles itself',
      JSON_PATCH,
      JSON.stringify(
        Array.from({ length: 60 }, () => ({ op: 'copy', from: '/metadata', path: '/metadata/annotations/x' })),
      ),
      [400, 413, 422],
    ],
    ['an apply that is a list', APPLY, '[]', 400],
    ['an apply without a kind', APPLY, 'metadata: {name: web}', 400],
    ['an apply of another name', APPLY, 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: other}', 400],
    [
      'an apply with managed fields',
      APPLY,
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, managedFields: [{manager: x}]}',
      400,
    ],
    [
      'an apply of duplicate list items',
      APPLY,
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {template: {spec: {containers: [{name: c}, {name: c}]}}}',
      [400, 422, 500],
    ],
    [
      'an apply with wrong types',
      APPLY,
      'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: many}',
      400,
    ],
    ['a type that no patch has', 'application/json', '{}', 415],
  ] as const)('%s', async (_, type, body, status) => {
    const query = type === APPLY ? '?fieldManager=x' : ''
    const answer = await hostile.send('PATCH', `${DEPLOYMENTS}/web${query}`, body, type)
    expectRefusal(answer, _)
    expect([status].flat(), answer.text.slice(0, 300)).toContain(answer.status)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

test('who does not say what program it is has unknown fields', async () => {
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'nameless' }, data: { a: '1' } }
  const { text } = await hostile.send('POST', MAPS, JSON.stringify(map))
  expect(JSON.parse(text).metadata.managedFields).toMatchObject([{ manager: 'unknown' }])
})

describe('parameters', () => {
  const LISTS: readonly (readonly [string, number | readonly number[]])[] = [
    ['labelSelector=(', 400],
    ['labelSelector=a+in+(', 400],
    ['labelSelector=a%00b', 400],
    ['labelSelector=a+in+(b))', 400],
    [`labelSelector=${'a'.repeat(200)}`, 400],
    [`labelSelector=${Array.from({ length: 5_000 }, (_, index) => `a${index}`).join(',')},(`, 400],
    ['fieldSelector=a', 400],
    ['fieldSelector=spec.none%3D1', 400],
    ['fieldSelector=%3D%3D%3D', 400],
    ['limit=x', 400],
    ['limit=99999999999999999999', 400],
    ['continue=%00', 400],
    [`continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":-5,"start":"../../x"}').toString('base64url')}`, [400, 410]],
    [`continue=${Buffer.from('{"v":1,"rv":"x","start":{}}').toString('base64url')}`, 400],
    ['resourceVersion=x', 400],
    ['resourceVersion=-1', [400]],
    ['resourceVersion=1&resourceVersionMatch=Never', [400, 422]],
    ['watch=1&resourceVersion=x', 400],
    ['watch=1&timeoutSeconds=x', 400],
    ['watch=1&sendInitialEvents=true&resourceVersionMatch=Exact', [400, 422]],
  ]
  for (const [query, status] of LISTS)
    test(`a list with ${query.slice(0, 60)}`, () => refused('GET', `${MAPS}?${query}`, status))

  test.each([
    ['POST', MAPS, 'dryRun=Some', 422],
    ['POST', MAPS, 'fieldValidation=Maybe', 422],
    ['POST', MAPS, `fieldManager=${'x'.repeat(200)}`, 422],
    ['POST', MAPS, 'fieldManager=%07', 422],
    ['PUT', `${MAPS}/good`, 'dryRun=None', 422],
    ['DELETE', `${MAPS}/good`, 'propagationPolicy=Never', 422],
    ['DELETE', `${MAPS}/good`, 'gracePeriodSeconds=x', 400],
  ] as const)('%s %s?%s', async (method, path, query, status) => {
    await refused(
      method,
      `${path}?${query}`,
      status,
      method === 'DELETE' ? undefined : map('').replace('"x"', '"good"'),
    )
  })

  test.each([
    ['a list', '[]'],
    ['another kind', '{"kind":"Pod","apiVersion":"v1"}'],
    ['grace that is a text', '{"gracePeriodSeconds":"x"}'],
    ['preconditions that are a list', '{"preconditions":[]}'],
    ['a uid that is a number', '{"preconditions":{"uid":1}}'],
    ['a policy that is a number', '{"propagationPolicy":5}'],
    ['dryRun that is a text', '{"dryRun":"All"}'],
    ['no JSON', '{'],
  ])('delete options: %s', async (_, body) => {
    await refused('DELETE', `${MAPS}/good`, [400, 422], body)
    await refused('DELETE', `${MAPS}?labelSelector=none`, [400, 422], body)
  })
})

describe('paths and verbs', () => {
  const PATHS: readonly (readonly [string, string, number | readonly number[]])[] = [
    ['GET', '/api/v1/namespaces/default/configmaps/..%2f..%2fsecrets', [400, 404]],
    ['GET', '/api/v1/namespaces/..%2fkube-system/configmaps/good', [400, 404]],
    ['GET', '/api/v1/namespaces/default/configmaps/%', [400, 404]],
    ['GET', '/api/v1/namespaces/default/configmaps/%zz', [400, 404]],
    ['GET', '/api/v1/namespaces/default/configmaps/%00', [400, 404]],
    ['GET', '/api/v1/namespaces/default/configmaps/%ff', [400, 404]],
    ['GET', '/api/v1/namespaces/default/configmaps/__proto__', 404],
    ['GET', '/api/v1/namespaces/__proto__/configmaps/constructor', 404],
    ['GET', '/api/v1/__proto__', 404],
    ['GET', '/apis/__proto__/v1/constructor', 404],
    ['GET', '/apis/apps/constructor/deployments', 404],
    ['GET', `/api/v1/namespaces/default/configmaps/${'a'.repeat(10_000)}`, [400, 404]],
    ['GET', '/api/v1/namespaces/default/configmaps/good/status', 404],
    ['GET', '/api/v1/namespaces/default/configmaps/good/scale', 404],
    ['GET', '/api/v1/namespaces/default/pods/none/log', 404],
    ['POST', '/api/v1/namespaces/default/pods/none/eviction', [400, 404]],
    ['POST', '/api/v1/namespaces/default/pods/none/binding', [400, 404, 409, 422]],
    ['POST', '/api/v1/namespaces/default/serviceaccounts/none/token', [400, 404]],
    ['POST', '/api/v1/configmaps', [400, 404, 405]],
    ['POST', `${MAPS}/good`, 405],
    ['PUT', MAPS, 405],
    ['PATCH', MAPS, 405],
    ['DELETE', '/api/v1/configmaps', [404, 405]],
    ['DELETE', '/version', [404, 405]],
    ['OPTIONS', MAPS, [404, 405]],
    ['GET', '/openapi/v3/apis/none/v1', 404],
    ['GET', '/openapi/v3/../../etc/passwd', [400, 404]],
    ['GET', '/healthz/none', 404],
  ]
  for (const [method, path, status] of PATHS)
    test(`${method} ${path.slice(0, 80)}`, () =>
      refused(method, path, status, method === 'GET' || method === 'DELETE' ? undefined : '{}'))
})

describe('bodies of subresources and reviews', () => {
  const SCALE = `${DEPLOYMENTS}/web/scale`
  test.each([
    ['PUT', SCALE, '{"spec":{"replicas":"x"}}', [400, 422]],
    ['PUT', SCALE, '{"metadata":{"name":"web"},"spec":{"replicas":-1}}', 422],
    ['PUT', SCALE, '[]', 400],
    ['PATCH', SCALE, '{"spec":null}', [200, 400, 422]],
    ['POST', `${PODS}/x/eviction`, '{"deleteOptions":[]}', [400, 404]],
    ['POST', `${PODS}/x/eviction`, '{"metadata":{"name":"y"}}', 400],
    ['POST', `${PODS}/x/binding`, '{"target":null}', [400, 404, 422]],
    ['POST', `${PODS}/x/binding`, '{"target":"x"}', [400, 422]],
    ['POST', '/api/v1/namespaces/default/bindings', '{}', [400, 404, 422]],
    ['POST', '/apis/authentication.k8s.io/v1/tokenreviews', '{"spec":null}', 400],
    ['POST', '/apis/authentication.k8s.io/v1/tokenreviews', '{"spec":{"token":[]}}', 400],
    ['POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', '{"spec":{}}', 422],
    ['POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', '{"spec":{"groups":"x"}}', 400],
    ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', '{"spec":null}', 422],
    ['POST', '/apis/authorization.k8s.io/v1/namespaces/default/localsubjectaccessreviews', '{"spec":null}', 422],
  ] as const)('%s %s %s', async (method, path, body, status) => {
    const answer = await hostile.send(method, path, body, method === 'PATCH' ? MERGE : JSON_TYPE)
    expect([status].flat(), answer.text.slice(0, 300)).toContain(answer.status)
    if (answer.status >= 400) expectRefusal(answer, path)
  })

  test('labels by protobuf are as good as by JSON', async () => {
    const meta = message([1, 'by-protobuf'], [11, entry('constructor', 'x')], [11, entry('a', 'b')])
    const answer = await hostile.send('POST', MAPS, envelope('v1', 'ConfigMap', message([1, meta])), PROTOBUF)
    expect([answer.status, answer.text]).toEqual([201, expect.stringContaining('"a":"b"')])
  })
})
