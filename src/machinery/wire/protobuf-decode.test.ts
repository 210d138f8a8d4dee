import { describe, expect, test } from 'vitest'
import { entry, envelope, field, message, varint } from '../../../test/support/protobuf.ts'
import { seededRandom } from '../../base/random.ts'
import { DecodeError } from './json.ts'
import { ProtobufDecoder } from './protobuf-decode.ts'
import type { ProtobufMessages } from './protobuf-fields.ts'

const messages: ProtobufMessages = {
  'runtime#.Unknown': [
    '1 typeMeta runtime#.TypeMeta !',
    '2 raw bytes',
    '3 contentEncoding string',
    '4 contentType string',
  ],
  'runtime#.TypeMeta': ['1 apiVersion string', '2 kind string'],
  'test.v1.Thing': [
    '1 name string !',
    '2 count int32',
    '3 wide int64 *',
    '4 on bool *',
    '5 share double',
    '6 data bytes',
    '7 tags []string',
    '8 codes []int32',
    '9 labels {}string',
    '10 parts []test.v1.Part',
    '11 byName {}test.v1.Part',
    '12 part test.v1.Part',
    '13 port intstr#.IntOrString *',
    '14 created meta.v1.Time oz',
    '15 seen meta.v1.MicroTime *',
    '16 size resource#.Quantity *',
    '17 raw runtime#.RawExtension *',
    '18 source test.v1.Source ~',
    '19 inner test.v1.Thing *',
  ],
  'test.v1.Part': ['1 name string !', '2 note string'],
  'test.v1.Source': ['1 path string'],
  'intstr#.IntOrString': ['1 type int64', '2 intVal int32', '3 strVal string'],
  'meta.v1.Time': ['1 seconds int64', '2 nanos int32'],
  'meta.v1.MicroTime': ['1 seconds int64', '2 nanos int32'],
  'resource#.Quantity': ['1 string string'],
  'runtime#.RawExtension': ['1 raw bytes'],
}

const decoder = new ProtobufDecoder(messages)
const decode = (bytes: Uint8Array) => decoder.decode('test.v1.Thing', bytes)
const time = (seconds: number, nanos = 0) => message([1, seconds], [2, nanos])

describe('fields', () => {
  test('that are absent are what JSON says of zero values', () => {
    expect(decode(message())).toEqual({ name: '', part: { name: '' } })
  })

  test.each([
    ['strings', message([1, 'ä']), { name: 'ä' }],
    ['the last of several', message([1, 'a'], [1, 'b']), { name: 'b' }],
    ['negative numbers', message([2, -7], [3, -8n]), { count: -7, wide: -8 }],
    ['pointers to zero', message([3, 0], [4, false]), { wide: 0, on: false }],
    ['bytes', message([6, Buffer.from([0, 255])]), { data: 'AP8=' }],
    ['doubles', Buffer.concat([varint(41n), Buffer.from(new Float64Array([0.5]).buffer)]), { share: 0.5 }],
    ['lists', message([7, 'a'], [7, ''], [8, 1], [8, 0]), { tags: ['a', ''], codes: [1, 0] }],
    ['packed lists', message([8, Buffer.from([1, 2, 0])]), { codes: [1, 2, 0] }],
    [
      'maps',
      message([9, entry('a', '1')], [9, message([1, 'b'])], [9, message()]),
      { labels: { a: '1', b: '', '': '' } },
    ],
    [
      'messages',
      message([10, message([1, 'x'], [2, 'y'])], [12, message([1, 'z'])]),
      { parts: [{ name: 'x', note: 'y' }], part: { name: 'z' } },
    ],
    ['maps of messages', message([11, message([1, 'k'])]), { byName: { k: { name: '' } } }],
    ['embedded messages', message([18, message([1, '/tmp'])]), { path: '/tmp' }],
    [
      'unknown fields of every kind',
      Buffer.concat([
        field(99, 'x'),
        field(98, 5),
        varint(97n * 8n + 1n),
        Buffer.alloc(8),
        varint(96n * 8n + 5n),
        Buffer.alloc(4),
        field(1, 'a'),
      ]),
      { name: 'a' },
    ],
  ])('%s', (_, bytes, expected) => {
    expect(decode(bytes)).toEqual({ name: '', part: { name: '' }, ...expected })
  })

  test('a key like __proto__ is a key', () => {
    const { labels } = decode(message([9, entry('__proto__', 'x')])) as { labels: object }
    expect(Object.hasOwn(labels, '__proto__')).toBe(true)
    expect(Object.getPrototypeOf(labels)).toBe(Object.prototype)
  })

  test.each([
    ['a number', [13, message([1, 0], [2, 80])], { port: 80 }],
    ['a text', [13, message([1, 1], [3, 'http'])], { port: 'http' }],
    ['a time', [14, time(1_767_225_600)], { created: '2026-01-01T00:00:00Z' }],
    ['a time with microseconds', [15, time(1_767_225_600, 1_234_567)], { seen: '2026-01-01T00:00:00.001234Z' }],
    ['a quantity', [16, message([1, '100m'])], { size: '100m' }],
    ['an embedded object', [17, message([1, '{"a":[1]}'])], { raw: { a: [1] } }],
  ] as const)('%s in a message of its own', (_, [number, bytes], expected) => {
    expect(decode(message([number, bytes]))).toMatchObject(expected)
  })
})

describe('the envelope', () => {
  test('names the kind and holds the message', () => {
    const raw = message([1, 'a'])
    expect(decoder.envelope(envelope('test/v1', 'Thing', raw))).toEqual({
      apiVersion: 'test/v1',
      kind: 'Thing',
      message: raw,
    })
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['JSON', Buffer.from('{}')],
    ['half the magic', Buffer.from('k8s')],
  ])('%s is none', (_, bytes) => {
    expect(() => decoder.envelope(bytes)).toThrow(DecodeError)
  })

  test('an empty one names nothing', () => {
    expect(decoder.envelope(Buffer.from('k8s\0'))).toMatchObject({ apiVersion: '', kind: '' })
  })
})

describe('hostile bytes', () => {
  const nested = (depth: number): Buffer => {
    let bytes = message([1, 'x'])
    for (let level = 0; level < depth; level++) bytes = message([19, bytes])
    return bytes
  }

  test.each([
    ['a length beyond the end', Buffer.concat([varint(10n), varint(1_000n), Buffer.from('x')])],
    ['a length beyond memory', Buffer.concat([varint(10n), varint(2n ** 63n)])],
    ['a varint without end', Buffer.alloc(20, 0xff)],
    ['an illegal wire type', Buffer.from([0x0f])],
    ['a group', Buffer.from([99 * 8 - 512 + 3, 0x04])],
    ['field zero', Buffer.from([0x02, 0x00])],
    ['a number where a text belongs', message([1, 5])],
    ['a text where a number belongs', message([2, 'x'])],
    ['a text where a boolean belongs', message([4, 'x'])],
    ['a text where a double belongs', message([5, 'x'])],
    ['a number where a map belongs', message([9, 5])],
    ['a number as a key', message([9, message([1, 5])])],
    ['a number where a message belongs', message([10, 5])],
    ['an integer beyond 2^53', message([3, 2n ** 60n])],
    ['a time beyond the years', message([14, time(2 ** 50)])],
    ['a time before them', message([14, time(-(2 ** 50))])],
    ['nanoseconds below zero', message([15, time(1, -5)])],
    ['an embedded object that is no JSON', message([17, message([1, '{'])])],
    ['nesting without end', nested(5_000)],
    ['a million empty messages', Buffer.alloc(2_000_000, Buffer.from([10 * 8 + 2, 0]))],
  ])('%s', (_, bytes) => {
    expect(() => decode(bytes)).toThrow(DecodeError)
  })

  test('nesting that is deep is read', () => {
    expect(JSON.stringify(decode(nested(50)))).toContain('"name":"x"')
  })

  test('every truncation and ten thousand mutations of an object end in a value or a DecodeError', () => {
    const part = message([1, 'x'], [2, 'note'])
    const thing = message([1, 'a'], [2, 5], [7, 'tag'], [9, entry('k', 'v')], [10, part], [11, entry('k', part)])
    const whole = envelope('test/v1', 'Thing', Buffer.concat([thing, message([14, time(1)], [19, thing])]))
    const read = (bytes: Uint8Array) => {
      try {
        decode(decoder.envelope(bytes).message)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
      }
    }
    for (let length = 0; length <= whole.length; length++) read(whole.subarray(0, length))
    const random = seededRandom(7)
    for (let round = 0; round < 10_000; round++) {
      const bytes = Buffer.from(whole)
      for (let flips = 0; flips < 3; flips++)
        bytes[4 + Math.floor(random.next() * (bytes.length - 4))] = Math.floor(random.next() * 256)
      read(bytes)
    }
  })
})
