import { describe, expect, test } from 'vitest'
import {
  DecodeError,
  decodeJson,
  decodeTrustedJson,
  duplicateKeys,
  encodeJson,
  JSON_DEPTH_MAX,
  JSON_VALUES_MAX,
} from './json.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('decodeJson', () => {
  test('keeps __proto__ as an own property', () => {
    const value = decodeJson(bytes('{"__proto__":{"polluted":1}}'))
    expect(Object.keys(Object(value))).toEqual(['__proto__'])
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false)
  })

  test('refuses what is nested too deeply', () => {
    expect(() => decodeJson(bytes('['.repeat(100_000)))).toThrow(/max depth/)
    const deep = '['.repeat(JSON_DEPTH_MAX) + ']'.repeat(JSON_DEPTH_MAX)
    expect(Array.isArray(decodeJson(bytes(deep)))).toBe(true)
  })

  test('refuses what has too many parts, unless a server says it', () => {
    const many = bytes(`[${'0,'.repeat(JSON_VALUES_MAX)}0]`)
    expect(() => decodeJson(many)).toThrow(/exceeds 100000 values/)
    expect(decodeTrustedJson(many)).toHaveLength(JSON_VALUES_MAX + 1)
    expect(decodeJson(bytes(JSON.stringify(',[{'.repeat(JSON_VALUES_MAX))))).toHaveLength(3 * JSON_VALUES_MAX)
    expect(() => decodeTrustedJson(bytes('{'))).toThrow(DecodeError)
  })

  test('does not count brackets in strings', () => {
    expect(decodeJson(bytes(JSON.stringify('[{\\"'.repeat(2000))))).toBe('[{\\"'.repeat(2000))
  })

  test.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['{"a": 1, ', 'unexpected end of JSON input'],
    ['"a', 'unexpected end of JSON input'],
    ['{} {}', "invalid character '{' after top-level value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 2}', "invalid character '2' after object key:value pair"],
    ['[1 2]', "invalid character '2' after array element"],
    ['x', "invalid character 'x' looking for beginning of value"],
    ['\ufeff\ufeff{}', 'invalid character'],
  ])('refuses %j: %s', (text, message) => {
    expect(() => decodeJson(bytes(text))).toThrow(DecodeError)
    expect(() => decodeJson(bytes(text))).toThrow(message)
  })

  test('round-trips', () => expect(decodeJson(encodeJson({ a: ['ü', null, 1.5] }))).toEqual({ a: ['ü', null, 1.5] }))
})

describe('duplicateKeys', () => {
  for (const [text, expected] of [
    ['{"a":1,"b":2}', []],
    ['{"a":1,"a":2,"a":3}', ['a']],
    ['{"spec":{"replicas":1,"x":{"replicas":2},"replicas":3}}', ['spec.replicas']],
    ['{"c":[{"n":1},{"n":1,"n":"b"}]}', ['c[1].n']],
    ['{"a":"a","b":"a","\\u0061":1}', ['a']],
    ['{"m":{"k":[1,2]},"m":{}}', ['m']],
    ['{"m":{"k":1,"k":2},"m":{"k":1,"l":2}}', ['m.k', 'm']],
    ['{"__proto__":{"a":1},"b":[[],[{"a":":"}]],"c":"\\":"}', []],
    ['{"__proto__":1,"__proto__":2}', ['__proto__']],
    ['[]', []],
    ['7', []],
  ] as const)
    test(`finds ${JSON.stringify(expected)} in ${text}`, () =>
      expect(duplicateKeys(bytes(text), decodeJson(bytes(text)))).toEqual(expected))
})
