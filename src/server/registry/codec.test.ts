import { expect, test } from 'vitest'
import { defineResource } from '../../apis/define-resource.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { prune } from '../../machinery/schema/prune.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { createCodec, itemOffset } from './codec.ts'

interface Thing extends KubeObject {
  readonly spec?: { readonly size?: number; readonly old?: boolean }
}

const schema: Schema = {
  type: 'object',
  properties: {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    spec: { type: 'object', properties: { size: { type: 'integer' } } },
  },
}
const withDefaults = (object: Thing): Thing => ({ ...object, spec: { size: 1, ...object.spec } })
const define = (schemaStamp: string) =>
  defineResource<Thing>({
    group: 'x.io',
    version: 'v1',
    kind: 'Thing',
    resource: 'things',
    scope: 'Namespaced',
    schema,
    schemaStamp,
    conversion: { fromStored: (object) => withDefaults(prune(object, schema)) },
    default: withDefaults,
    fields: ({ spec }) => ({ 'spec.size': String(spec?.size) }),
  })

const thing: Thing = {
  apiVersion: 'x.io/v1',
  kind: 'Thing',
  metadata: { name: 'a', namespace: 'b', resourceVersion: '7', labels: { l: '1' } },
  spec: { size: 2, old: true },
}
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const entryOf = (value: Uint8Array) => ({ key: '/registry/x.io/things/b/a', value, created: 3, modified: 9 })

test('stores without the resourceVersion and splices the revision in', () => {
  const codec = createCodec(define('s1'))
  const value = codec.encode(thing)
  expect(text(value)).toBe(
    's1\n{"kind":"Thing","apiVersion":"x.io/v1","metadata":{"name":"a","namespace":"b","labels":{"l":"1"}},' +
      '"spec":{"size":2,"old":true}}',
  )
  const stored = codec.decode(entryOf(value))
  expect(stored).toMatchObject({ key: '/registry/x.io/things/b/a', revision: 9, labels: { l: '1' } })
  expect(stored.fields).toEqual({ 'metadata.name': 'a', 'metadata.namespace': 'b', 'spec.size': '2' })
  expect(stored.object().metadata.resourceVersion).toBe('9')
  expect(text(codec.stored(thing, 9).bytes)).toBe(text(stored.bytes))
})

test('the same state under another revision is what its bytes decode to', () => {
  for (const definition of [define('s1'), { ...define('s1'), conversion: undefined }]) {
    const codec = createCodec(definition)
    const value = Buffer.from(codec.encode(thing))
    const restamped = codec.restamped(codec.decode(entryOf(value)), 1_000)
    const decoded = codec.decode({ ...entryOf(value), modified: 1_000 })
    const { bytes, ...facts } = decoded
    expect({ ...restamped }).toEqual(facts)
    expect(text(restamped.bytes)).toBe(text(bytes))
    expect(restamped.object()).toEqual(decoded.object())
    expect(restamped.object()).toBe(restamped.object())
    expect(Object.isFrozen(restamped.object().metadata)).toBe(true)
  }
})

test('what an object was read from is told where it is stored as it is served', () => {
  const codec = createCodec({ ...define('s1'), conversion: undefined })
  const value = Buffer.from(codec.encode(thing))
  const read = codec.decode(entryOf(value))
  const written = codec.written(thing, codec.encode(thing), 12)
  for (const object of [read, written, codec.stored(thing, 1_000)])
    expect(text(codec.valueOf?.(object)() ?? Buffer.of())).toBe(text(value))
  expect(createCodec(define('s1')).valueOf).toBeUndefined()
})

test('an item of a list starts at the metadata', () => {
  const definition = define('s1')
  const codec = createCodec(definition)
  const { bytes } = codec.decode(entryOf(codec.encode(thing)))
  expect(text(bytes.subarray(itemOffset(definition)))).toMatch(/^"metadata":\{"resourceVersion":"9",/)
})

test('what was stored under another schema is pruned and defaulted when read', () => {
  const value = createCodec(define('s1')).encode({ ...thing, spec: { old: true } })
  expect(createCodec(define('s2')).decode(entryOf(value)).object().spec).toEqual({ size: 1 })
})

test('keys that look like numbers do not come before the kind', () => {
  const odd: Thing & Readonly<Record<string, unknown>> = { ...thing, 1: 'x' }
  const codec = createCodec(define('s1'))
  expect(codec.decode(entryOf(codec.encode(odd))).object()).toMatchObject({ 1: 'x', kind: 'Thing' })
})
