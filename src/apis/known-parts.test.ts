/** What is taken over from a value that is known must be what would have been made without it: generated sequences. */

import { expect, test } from 'vitest'
import { deepClone, deepFreeze } from '../base/deep-freeze.ts'
import { randomInteger, seededRandom } from '../base/random.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import { applyJsonPatch } from '../machinery/patch/json-patch.ts'
import { trackUpdate } from '../machinery/patch/managed-fields.ts'
import { applyMergePatch } from '../machinery/patch/merge-patch.ts'
import { applyStrategicMergePatch } from '../machinery/patch/strategic-merge.ts'
import { compareValues, emptyObjectOf } from '../machinery/patch/typed-value.ts'
import { canonical } from '../machinery/schema/canonical.ts'
import { checkFields } from '../machinery/schema/decode.ts'
import { builtinSchema } from './builtin-schema.ts'

const schema = builtinSchema('core.v1.Pod')
const ROUNDS = 150
const random = seededRandom(7)
const oneOf = <T>(...values: readonly T[]): T => values[randomInteger(random, values.length)] as T

function anyContainer(name: string): object {
  return {
    name,
    image: oneOf('a:1', 'a:2', ''),
    ...oneOf({}, { args: oneOf([], ['x'], ['x', 'y'], null) }),
    ...oneOf({}, { env: oneOf(null, [{ name: 'A', value: '1' }], [{ name: 'B' }, { name: 'A', value: '' }]) }),
    ...oneOf({}, { ports: [{ containerPort: oneOf(80, 443), name: oneOf('p', '') }, { containerPort: 8080 }] }),
    ...oneOf({}, { resources: oneOf({}, { requests: { cpu: oneOf('0.5', '500m', '1'), memory: '1Gi' } }) }),
  }
}

function anyPod(): KubeObject {
  const metadata = {
    name: oneOf('web', 'db'),
    creationTimestamp: oneOf(null, '2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00'),
    ...oneOf(
      {},
      {
        labels: oneOf<unknown>(
          null,
          {},
          { b: '1', a: '2' },
          { a: '2', b: '1' },
          { constructor: '', a: oneOf('2', '3') },
        ),
      },
    ),
    ...oneOf({}, { finalizers: oneOf([], ['x/y'], ['x/y', 'x/z']) }),
    ...oneOf({}, { annotations: JSON.parse('{"__proto__":"1","1":"2"}') }),
  }
  const containers = oneOf(['a'], ['a', 'b'], ['b', 'a'], []).map(anyContainer)
  const spec = { containers, hostNetwork: oneOf(true, false), ...oneOf({}, { nodeName: oneOf('', 'n') }) }
  const pod: object = { apiVersion: 'v1', kind: 'Pod', metadata, spec, ...oneOf({}, { status: { phase: 'Running' } }) }
  return pod as KubeObject
}

const text = JSON.stringify

test('the form of an object is the same with any known one, and what is equal in it is the known one’s', () => {
  let known = canonical(anyPod(), schema)
  for (let round = 0; round < ROUNDS; round++) {
    const next = oneOf(anyPod(), deepClone(known), { ...known, metadata: { ...known.metadata, labels: { z: '1' } } })
    const written = canonical(next, schema, known)
    expect(text(written)).toBe(text(canonical(next, schema)))
    expect(Object.isFrozen(written) && Object.isFrozen(written.metadata)).toBe(true)
    if (text(written) === text(known)) expect(written).toBe(known)
    if (text(written.metadata) === text(known.metadata)) expect(written.metadata).toBe(known.metadata)
    known = written
  }
})

test('unknown fields are found beside what is shared with a known object', () => {
  const known = canonical(anyPod(), schema)
  const bad = { ...known, metadata: { ...known.metadata, wrong: 1 }, other: {} }
  expect(checkFields(bad, schema, known)).toEqual(checkFields(bad, schema))
  expect(checkFields(bad, schema, known)).toHaveLength(2)
  const mistyped = { ...known, spec: { containers: [{ name: 7 }] } }
  expect(() => checkFields(mistyped, schema, known)).toThrow('cannot unmarshal number')
})

test('what a creator owns is the same whether or not an object of this shape was there before', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const updated = canonical(anyPod(), schema)
    const resetFields = oneOf<readonly (readonly string[])[]>([], [['status']])
    const tracked = canonical(trackUpdate({ ...TRACKED, live: undefined, updated, resetFields }), schema)
    // An object without a UID is tracked as a created one, in the plain way.
    const live = emptyObjectOf(schema) as unknown as KubeObject
    const plain = canonical(trackUpdate({ ...TRACKED, live, updated, resetFields }), schema)
    expect(text(tracked)).toBe(text(plain))
  }
})

test('keys that read like the shape of something else are keys', () => {
  const owned = (labels: Readonly<Record<string, string>>): string => {
    const updated = canonical({ metadata: { labels } }, schema)
    return text(trackUpdate({ ...TRACKED, live: undefined, updated, resetFields: [] }))
  }
  expect(owned({ a: '', 'b1:c+': '' })).not.toBe(owned({ 'a+2:b1': '', 'c+': '' }))
  expect(owned({ 'a+1:b': '' })).toContain('"f:a+1:b"')
  expect(owned({ a: '', b: '' })).toContain('"f:a":{},"f:b"')
})

test('patches leave the document as it is, and what they do not touch is shared', () => {
  for (let round = 0; round < ROUNDS; round++) {
    const document = deepFreeze(canonical(anyPod(), schema))
    const before = text(document)
    const change = {
      metadata: { labels: { patched: text(round) } },
      spec: { containers: [{ name: 'a', image: 'c:3' }] },
    }
    const operations = [
      { op: 'add', path: '/metadata/annotations', value: { a: 'b' } },
      { op: 'add', path: '/metadata/annotations/c', value: 'd' },
      { op: 'move', from: '/metadata/annotations', path: '/metadata/labels' },
      { op: 'replace', path: '/metadata/labels/c', value: 'e' },
    ]
    const patched = [
      applyMergePatch(document, { metadata: change.metadata }),
      applyStrategicMergePatch(document, change, schema),
      applyJsonPatch(document, operations),
    ] as readonly KubeObject[]
    expect(text(document)).toBe(before)
    expect(patched[0]).toHaveProperty('spec', Reflect.get(document, 'spec'))
    expect(Reflect.get(patched[0] ?? {}, 'spec')).toBe(Reflect.get(document, 'spec'))
    expect(Reflect.get(patched[2] ?? {}, 'spec')).toBe(Reflect.get(document, 'spec'))
    expect(patched[2]?.metadata.labels).toEqual({ a: 'b', c: 'e' })
    expect(compareValues(document, patched[2], schema).changed).not.toHaveProperty('f:spec')
  }
})

const TRACKED = {
  manager: 'alice',
  operation: 'Update',
  apiVersion: 'v1',
  subresource: '',
  nowText: '2026-01-01T00:00:00Z',
  schema,
} as const
