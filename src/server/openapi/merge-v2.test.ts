import { describe, expect, test } from 'vitest'
import { mergeV2, partOf } from './merge-v2.ts'
import type { DocumentV2 } from './v2.ts'

const V1 = { group: 'example.com', version: 'v1' }
const GADGETS = '/apis/example.com/v1/gadgets'
const reference = (name: string, kind = 'definitions') => ({ $ref: `#/${kind}/${name}` })
const kinds = (...groups: readonly string[]) => ({
  'x-kubernetes-group-version-kind': groups.map((group) => ({ group, version: 'v1', kind: 'DeleteOptions' })),
})
const own: DocumentV2 = {
  swagger: '2.0',
  info: { title: 'Kubernetes', version: 'v1' },
  paths: { '/version': { get: {} } },
  definitions: {
    Meta: { type: 'object', ...kinds('apps') },
    Status: { type: 'string' },
    Status_v2: { type: 'number' },
  },
  parameters: { pretty: { name: 'pretty' } },
  securityDefinitions: {},
  security: [],
}

describe('the part of a document about one version', () => {
  test('is its paths with all that they refer to', () => {
    const whole = {
      paths: {
        [GADGETS]: { get: reference('Gadget') },
        '/apis/example.com/v10/x': {},
        '/api/v1/pods': reference('Pod'),
      },
      definitions: { Gadget: { properties: { meta: reference('Meta') } }, Meta: { self: reference('Meta') }, Pod: {} },
      parameters: { pretty: { name: 'pretty' } },
    }
    expect(partOf(whole, V1)).toEqual({
      paths: { [GADGETS]: { get: reference('Gadget') } },
      definitions: { Gadget: whole.definitions.Gadget, Meta: whole.definitions.Meta },
      parameters: {},
    })
  })

  test.each([null, 'text', { paths: [] }, { paths: { [GADGETS]: 'none' } }, { definitions: { a: 1 } }])(
    'is nothing where there is none: %j',
    (document) => expect(partOf(document, V1)).toEqual({ paths: {}, definitions: {}, parameters: {} }),
  )
})

describe('merged documents', () => {
  const part = (definitions: object, paths: object = { [GADGETS]: reference('Gadget') }, parameters: object = {}) =>
    partOf({ paths, definitions, parameters }, V1)

  test('share what is the same, of the kinds of both', () => {
    const merged = mergeV2(own, [
      part({ Gadget: { of: reference('Meta') }, Meta: { type: 'object', ...kinds('example') } }),
    ])
    expect(merged.definitions.Meta).toEqual({ type: 'object', ...kinds('apps', 'example') })
    expect(merged.definitions.Gadget).toEqual({ of: reference('Meta') })
    expect(Object.keys(merged.paths)).toEqual([GADGETS, '/version'])
  })

  test('have names of their own for what differs, wherever it is referred to', () => {
    const merged = mergeV2(own, [part({ Gadget: { of: [reference('Status')] }, Status: { type: 'boolean' } })])
    expect(merged.definitions).toMatchObject({
      Gadget: { of: [reference('Status_v3')] },
      Status: { type: 'string' },
      Status_v2: { type: 'number' },
      Status_v3: { type: 'boolean' },
    })
    expect(own.definitions).not.toHaveProperty('Gadget')
  })

  test('use the name that was made before for the same', () => {
    const other = {
      paths: { '/apis/example.com/v2/gadgets': reference('Status') },
      definitions: { Status: { type: 'number' } },
    }
    const merged = mergeV2(own, [partOf(other, { ...V1, version: 'v2' })])
    expect(merged.paths['/apis/example.com/v2/gadgets']).toEqual(reference('Status_v2'))
    expect(Object.keys(merged.definitions)).toEqual(['Meta', 'Status', 'Status_v2'])
  })

  test('rename parameters as well, and lose nothing with a strange name', () => {
    const paths = { [GADGETS]: { parameters: [reference('pretty', 'parameters')], get: reference('__proto__') } }
    const definitions = JSON.parse('{"__proto__": {"type": "object"}}')
    const merged = mergeV2(own, [part(definitions, paths, { pretty: { name: 'other' } })])
    expect(merged.parameters).toEqual({ pretty: { name: 'pretty' }, pretty_v2: { name: 'other' } })
    expect(merged.paths[GADGETS]).toMatchObject({ parameters: [reference('pretty_v2', 'parameters')] })
    expect(Object.hasOwn(merged.definitions, '__proto__')).toBe(true)
  })
})
