import { expect, test } from 'vitest'
import { metadataOf, objectEnd } from './metadata-lists.ts'

test.each([
  ['nothing in it', {}],
  ['objects and lists in it', { a: { b: [{}, { c: [1, {}] }] }, d: [] }],
  ['braces in texts', { 'a}': '}{', b: '"}', c: '\\', d: '\\"}' }],
  ['texts of other scripts', { ä: '}日本' }],
])('the end of an object with %s', (_, object) => {
  const text = JSON.stringify({ object, after: { x: '}' } })
  const start = '{"object":'.length
  const bytes = Buffer.from(text)
  expect(bytes.subarray(start, objectEnd(bytes, start)).toString()).toBe(JSON.stringify(object))
})

test('an object that does not end is a bug', () => {
  expect(() => objectEnd(Buffer.from('{"a":"}'), 0)).toThrow('has no end')
})

test('the metadata of an object is what its bytes say', () => {
  const metadata = { resourceVersion: '7', name: 'ä', labels: { x: '}' }, finalizers: ['x'] }
  const object = { kind: 'Thing', apiVersion: 'v1', metadata, data: { metadata: {} } }
  const bytes = Buffer.concat([Buffer.from('before'), Buffer.from(JSON.stringify(object))]).subarray('before'.length)
  expect(metadataOf({ bytes, object: () => object }, '{"kind":"Thing","apiVersion":"v1",'.length)).toEqual(metadata)
})
