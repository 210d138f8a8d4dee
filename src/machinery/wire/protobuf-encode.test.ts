import { describe, expect, test } from 'vitest'
import { entry, envelope, field, message, varint } from '../../../test/support/protobuf.ts'
import { ENVELOPE_TAIL, listItemLength, ProtobufEncoder, writeListItem } from './protobuf-encode.ts'
import type { ProtobufMessages } from './protobuf-fields.ts'

const messages: ProtobufMessages = {
  'test.v1.Thing': [
    '2 count int32 *',
    '1 name string *',
    '3 wide int64 *',
    '4 on bool *',
    '5 share double *',
    '6 data bytes',
    '7 tags []string',
    '8 codes []int32',
    '9 labels {}string',
    '10 parts []test.v1.Part',
    '11 byName {}test.v1.Part',
    '12 part test.v1.Part *',
    '13 port intstr#.IntOrString *',
    '14 created meta.v1.Time *',
    '15 seen meta.v1.MicroTime *',
    '16 size resource#.Quantity *',
    '17 raw runtime#.RawExtension *',
    '19 inner test.v1.Thing *',
    '20 either apiextensions.v1.JSONSchemaPropsOrBool *',
    '21 verbs meta.v1.Verbs *',
    '22 owned meta.v1.FieldsV1 *',
    '23 spec test.v1.Part *',
  ],
  'test.v1.Part': ['1 name string !', '2 size int32', '3 created meta.v1.Time'],
  'test.v1.Holder': ['1 name string !', '2 source test.v1.Source ~'],
  'test.v1.Source': ['1 path string'],
  'meta.v1.ListMeta': ['2 resourceVersion string'],
  'apiextensions.v1.JSONSchemaProps': ['5 type string *'],
}

const encoder = new ProtobufEncoder(messages)
const encode = (value: object) => Buffer.from(encoder.encode('test.v1.Thing', value))
const part = (name: string, size = 0) => message([1, name], [2, size], [3, message()])

describe('fields', () => {
  test.each([
    ['nothing', {}, message()],
    ['ascending numbers', { count: 5, name: 'ä' }, message([1, 'ä'], [2, 5])],
    ['negative numbers', { count: -7, wide: -8 }, message([2, -7], [3, -8n])],
    ['large numbers', { wide: 2 ** 53 - 1 }, message([3, 2n ** 53n - 1n])],
    ['zeros that are there', { name: '', count: 0, on: false }, message([1, ''], [2, 0], [4, false])],
    ['bytes', { data: 'AP8=' }, message([6, Buffer.from([0, 255])])],
    ['doubles', { share: 0.5 }, Buffer.concat([varint(41n), Buffer.from(new Float64Array([0.5]).buffer)])],
    ['lists', { tags: ['a', ''], codes: [1, 0] }, message([7, 'a'], [7, ''], [8, 1], [8, 0])],
    ['sorted maps', { labels: { b: '2', a: '1' } }, message([9, entry('a', '1')], [9, entry('b', '2')])],
    ['lists of messages', { parts: [{ name: 'x', size: 1 }, {}] }, message([10, part('x', 1)], [10, part('')])],
    ['maps of messages', { byName: { k: { name: 'y' } } }, message([11, entry('k', part('y'))])],
    ['messages, their zeros included', { part: {} }, message([12, part('')])],
    ['messages in messages', { inner: { inner: { name: 'x' } } }, message([19, message([19, message([1, 'x'])])])],
    ['nulls as absent', { name: null, part: null, tags: null, labels: null }, message()],
    ['what the message does not have, not at all', { unknown: 1 }, message()],
  ])('%s', (_, value, expected) => {
    expect(encode(value)).toEqual(expected)
  })

  test.each([
    ['a number', { port: 80 }, message([13, message([1, 0], [2, 80], [3, ''])])],
    ['a text', { port: 'http' }, message([13, message([1, 1], [2, 0], [3, 'http'])])],
    ['a time', { created: '2026-01-01T00:00:00Z' }, message([14, message([1, 1_767_225_600], [2, 0])])],
    ['a time before 1970', { created: '1969-12-31T23:59:59Z' }, message([14, message([1, -1], [2, 0])])],
    [
      'a time with microseconds',
      { seen: '2026-01-01T00:00:00.001234Z' },
      message([15, message([1, 1_767_225_600], [2, 1_234_000])]),
    ],
    ['a quantity', { size: '100m' }, message([16, message([1, '100m'])])],
    ['an embedded object', { raw: { a: [1] } }, message([17, message([1, '{"a":[1]}'])])],
    ['a boolean instead of a schema', { either: false }, message([20, message([1, false])])],
    ['a schema', { either: { type: 'string' } }, message([20, message([1, true], [2, message([5, 'string'])])])],
    ['verbs', { verbs: ['get', 'list'] }, message([21, message([1, 'get'], [1, 'list'])])],
  ])('%s in a message of its own', (_, value, expected) => {
    expect(encode(value)).toEqual(expected)
  })

  test('times are what they say, however often and whatever was written before', () => {
    const [early, late] = ['2026-01-01T00:00:00Z', '2026-01-01T00:00:01Z']
    for (const [text, seconds] of [early, early, late, 'no time', early].map(
      (text) => [text, Date.parse(text)] as const,
    ))
      expect(encode({ created: text })).toEqual(
        message([14, Number.isNaN(seconds) ? message() : message([1, seconds / 1_000], [2, 0])]),
      )
  })

  test('sets of fields are what they are now, kept or not', () => {
    const owned = (set: object) => message([22, message([1, JSON.stringify(set)])])
    const frozen = Array.from({ length: 12 }, (_, index) => Object.freeze({ [`f:${index}`]: {} }))
    for (const set of [...frozen, ...frozen.toReversed()]) expect(encode({ owned: set })).toEqual(owned(set))
    const open: Record<string, object> = { 'f:a': {} }
    expect(encode({ owned: open })).toEqual(owned(open))
    open['f:b'] = {}
    expect(encode({ owned: open })).toEqual(owned(open))
  })

  test('a key like __proto__ is a key', () => {
    expect(encode({ labels: JSON.parse('{"__proto__":"x"}') })).toEqual(message([9, entry('__proto__', 'x')]))
  })

  test('messages larger than the buffer are whole', () => {
    const tags = Array.from({ length: 5_000 }, (_, index) => `tag-${index}-${'x'.repeat(100)}`)
    expect(encode({ tags }).equals(message(...tags.map((tag) => [7, tag] as const)))).toBe(true)
    expect(encode({ name: 'small' })).toEqual(message([1, 'small']))
  })
})

test('the fields of an embedded message come from the object around it', () => {
  const bytes = Buffer.from(encoder.encode('test.v1.Holder', { name: 'x', path: '/tmp' }))
  expect(bytes).toEqual(message([1, 'x'], [2, message([1, '/tmp'])]))
})

test('what is shared is written the same each time, whatever stands before and behind it', () => {
  const shared = new WeakSet<object>()
  const sharing = new ProtobufEncoder(messages, (value) => shared.has(value))
  const specs = ['x', 'y'.repeat(300)].map((name) => Object.freeze({ name, size: 2 }))
  for (const spec of specs) shared.add(spec)
  const things = [0, 1, 0, 1].flatMap((index) => [
    { name: `thing-${index}`, spec: specs[index] },
    { name: '', on: true, spec: specs[index] },
    { name: 'alone', spec: { name: 'z' } },
    { name: 'none' },
  ])
  for (const thing of things)
    expect(sharing.encode('test.v1.Thing', thing)).toEqual(encoder.encode('test.v1.Thing', thing))
})

test('the envelope names the kind and says nothing of encodings', () => {
  const inner = message([1, 'a'])
  const bytes = Buffer.from(encoder.envelope('test/v1', 'Thing', inner))
  expect(bytes).toEqual(Buffer.concat([envelope('test/v1', 'Thing', inner), field(3, ''), field(4, '')]))
})

test('a list is a head, its items one after the other, and a tail', () => {
  const items = [message([1, 'a']), message([1, 'x'.repeat(200)]), message([1, 'y'.repeat(20_000)])]
  const lengths = items.map(({ length }) => listItemLength(length))
  const sum = lengths.reduce((total, length) => total + length, 0)
  const written = items.map((item, index) => {
    const target = Buffer.alloc(lengths[index] ?? 0)
    writeListItem(item, target, 0)
    return target
  })
  const list = Buffer.concat([encoder.listHead('test/v1', 'ThingList', { resourceVersion: '7' }, sum), ...written])
  const inner = message([1, message([2, '7'])], ...items.map((item) => [2, item] as const))
  expect(
    Buffer.concat([list, ENVELOPE_TAIL]).equals(Buffer.from(encoder.envelope('test/v1', 'ThingList', inner))),
  ).toBe(true)
})
