import { describe, expect, test } from 'vitest'
import { allDefinitions } from '../../../test/support/all-definitions.ts'
import { defineResource } from '../../apis/define-resource.ts'
import { openApiDocumentAnswer, openApiDocuments, v2Form } from './documents.ts'
import { isJson, type Json, toV2 } from './schemas.ts'
import { documentV2 } from './v2.ts'
import { yamlText } from './yaml-text.ts'

const definitions = allDefinitions()
const documents = openApiDocuments(definitions, { 'core.v1.Pod': { '': 'A pod.', spec: 'What it should be.' } })

function parsed(bytes: Uint8Array | undefined): Json {
  const value: unknown = JSON.parse(Buffer.from(bytes ?? []).toString())
  return isJson(value) ? value : {}
}

/** Every reference below a node. */
function referencesIn(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(referencesIn)
  if (!isJson(node)) return []
  return Object.entries(node).flatMap(([key, value]) =>
    key === '$ref' && typeof value === 'string' ? [value] : referencesIn(value),
  )
}

function resolves(document: Json, reference: string): boolean {
  let node: unknown = document
  for (const part of reference.slice(2).split('/')) node = isJson(node) ? node[part] : undefined
  return node !== undefined
}

describe('the v2 document', () => {
  const document = documentV2(definitions, {})

  test('has the paths and definitions of everything that is served by default', () => {
    expect(Object.keys(document.paths)).toHaveLength(408)
    expect(Object.keys(document.definitions)).toHaveLength(584)
  })

  test('has no dangling reference', () => {
    const whole = { ...document }
    const dangling = new Set(referencesIn(document).filter((reference) => !resolves(whole, reference)))
    expect([...dangling]).toEqual([])
  })

  test('has each operation id once', () => {
    const ids = Object.values(document.paths).flatMap((path) =>
      Object.values(path).flatMap((operation) => (isJson(operation) ? [operation.operationId] : [])),
    )
    expect(ids).toHaveLength(814)
    expect(new Set(ids).size).toBe(814)
  })

  test('describes a subresource with the kind it takes', () => {
    const path = document.paths['/api/v1/namespaces/{namespace}/pods/{name}/eviction']
    expect(path?.post).toMatchObject({
      operationId: 'createCoreV1NamespacedPodEviction',
      'x-kubernetes-action': 'post',
      'x-kubernetes-group-version-kind': { group: 'policy', version: 'v1', kind: 'Eviction' },
    })
  })

  test('says nothing about what is not served', () => {
    const small = documentV2(
      definitions.filter(({ group }) => group === 'coordination.k8s.io'),
      {},
    )
    expect(Object.keys(small.paths).some((path) => path.includes('pods'))).toBe(false)
    expect(small.definitions).not.toHaveProperty(['io.k8s.api.core.v1.Pod'])
    expect(small.definitions).toHaveProperty(['io.k8s.api.coordination.v1.Lease'])
  })
})

describe('the v3 documents', () => {
  test('there is one for each root, group and group version', () => {
    expect(documents.v3Names()).toHaveLength(47)
    expect(documents.v3Names()).toContain('apis/apps/v1')
    expect(documents.v3('apis/nothing/v1')).toBeUndefined()
  })

  test.each(['api/v1', 'apis/apps/v1', 'apis/apiextensions.k8s.io/v1', 'apis/apps', 'version'])(
    '%s has no dangling reference',
    (name) => {
      const document = parsed(documents.v3(name)?.bytes)
      expect(referencesIn(document).filter((reference) => !resolves(document, reference))).toEqual([])
    },
  )

  test('a reference with a description stands in allOf, one without is bare', () => {
    const { components } = parsed(documents.v3('api/v1')?.bytes)
    const pod = isJson(components) && isJson(components.schemas) ? components.schemas['io.k8s.api.core.v1.Pod'] : {}
    expect(pod).toMatchObject({
      description: 'A pod.',
      properties: {
        spec: {
          description: 'What it should be.',
          default: {},
          allOf: [{ $ref: '#/components/schemas/io.k8s.api.core.v1.PodSpec' }],
        },
      },
      'x-kubernetes-group-version-kind': [{ group: '', kind: 'Pod', version: 'v1' }],
    })
  })

  test('the index names each with its hash', () => {
    const { paths } = parsed(documents.v3Index().bytes)
    const hash = documents.v3('apis/apps/v1')?.hash
    expect(isJson(paths) && paths['apis/apps/v1']).toEqual({
      serverRelativeURL: `/openapi/v3/apis/apps/v1?hash=${hash}`,
    })
  })
})

describe('custom resources', () => {
  const widgets = defineResource({
    group: 'stable.example.com',
    version: 'v1',
    kind: 'Widget',
    resource: 'widgets',
    scope: 'Namespaced',
    schema: {
      type: 'object',
      properties: {
        spec: {
          type: 'object',
          description: 'What is wanted.',
          properties: {
            size: { type: 'integer', minimum: 1, default: 3 },
            port: { 'x-kubernetes-int-or-string': true },
          },
        },
      },
    },
  })
  const own = openApiDocuments([widgets], {})

  test('have their schema in v3 as they gave it', () => {
    const document = parsed(own.v3('apis/stable.example.com/v1')?.bytes)
    expect(document).toHaveProperty(['components', 'schemas', 'com.example.stable.v1.Widget', 'properties', 'spec'], {
      type: 'object',
      description: 'What is wanted.',
      properties: {
        size: { type: 'integer', minimum: 1, default: 3 },
        port: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      },
    })
    expect(Object.keys(isJson(document.paths) ? document.paths : {})).toContain(
      '/apis/stable.example.com/v1/namespaces/{namespace}/widgets/{name}',
    )
    expect(referencesIn(document).filter((reference) => !resolves(document, reference))).toEqual([])
  })

  test('say what kind, version and metadata are when the texts are there', () => {
    const texts = { 'core.v1.ConfigMap': { kind: 'What it is.' } }
    const document = parsed(openApiDocuments([widgets], texts).v3('apis/stable.example.com/v1')?.bytes)
    const path = ['components', 'schemas', 'com.example.stable.v1.Widget', 'properties', 'kind']
    expect(document).toHaveProperty(path, { description: 'What it is.', type: 'string' })
  })

  test('come and go without making the documents of others anew', () => {
    const descriptions = {}
    const before = openApiDocuments(definitions, descriptions)
    const after = openApiDocuments([...definitions, widgets], descriptions)
    expect(after.v3('apis/apps/v1')).toBe(before.v3('apis/apps/v1'))
    expect(after.v3('apis/stable.example.com/v1')).toBeDefined()
    const changed = openApiDocuments([...definitions, { ...widgets, verbs: ['get'] }], descriptions)
    expect(changed.v3('apis/stable.example.com/v1')).not.toEqual(after.v3('apis/stable.example.com/v1'))
  })

  test('are in the protobuf document too', () => {
    expect(Buffer.from(own.v2('protobuf').bytes).includes('com.example.stable.v1.WidgetList')).toBe(true)
  })
})

describe('serving', () => {
  const document = documents.v2('json')
  const etag = `"${document.hash}"`

  test('a known ETag answers 304', () => {
    expect(openApiDocumentAnswer(documents, { path: '/openapi/v2', ifNoneMatch: `"x", ${etag}` }, 0)).toMatchObject({
      status: 304,
    })
    expect(openApiDocumentAnswer(documents, { path: '/openapi/v2', ifNoneMatch: '"x"' }, 0)).toMatchObject({
      status: 200,
    })
  })

  test('the right hash may be kept for ever, a wrong one leads to the right one', () => {
    const path = '/openapi/v3/api/v1'
    const hash = documents.v3('api/v1')?.hash
    expect(openApiDocumentAnswer(documents, { path, hash }, 0)?.headers).toMatchObject({
      'cache-control': 'public, immutable',
      expires: 'Fri, 01 Jan 1971 00:00:00 GMT',
    })
    expect(openApiDocumentAnswer(documents, { path, hash: 'OLD' }, 0)).toEqual({
      status: 301,
      headers: {
        'content-type': 'application/json',
        etag: `"${hash}"`,
        location: `${path}?hash=${hash}`,
        vary: 'Accept',
      },
    })
    expect(openApiDocumentAnswer(documents, { path }, 0)?.headers).not.toHaveProperty('cache-control')
  })

  test.each([
    [undefined, 'json'],
    ['application/json', 'json'],
    ['*/*', 'json'],
    ['application/com.github.proto-openapi.spec.v2@v1.0+protobuf', 'protobuf'],
    ['application/com.github.proto-openapi.spec.v2.v1.0+protobuf,application/json;q=0.5', 'protobuf'],
    ['application/yaml', undefined],
  ])('Accept %s gives %s', (accept, form) => {
    expect(v2Form(accept)).toBe(form)
  })
})

describe('forms', () => {
  test('v2 has no defaults, plain references and strings for alternatives', () => {
    const schema = {
      oneOf: [{ type: 'string' }, { type: 'number' }],
      properties: { default: { default: {}, allOf: [{ $ref: '#/components/schemas/a.B' }] } },
    }
    expect(toV2(schema)).toEqual({ type: 'string', properties: { default: { $ref: '#/definitions/a.B' } } })
  })

  test.each<[unknown, string]>([
    ['Fail', 'Fail\n'],
    ['', '""\n'],
    ['*', "'*'\n"],
    ['true', "'true'\n"],
    [true, 'true\n'],
    [['a', 'b'], '- a\n- b\n'],
    [{ group: '', kind: 'Pod' }, 'group: ""\nkind: Pod\n'],
    [[{ group: 'apps', kind: 'Deployment' }], '- group: apps\n  kind: Deployment\n'],
    [{ list: ['x'] }, 'list:\n- x\n'],
  ])('%j as YAML', (value, text) => {
    expect(yamlText(value)).toBe(text)
  })
})
