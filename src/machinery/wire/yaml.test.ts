import { describe, expect, test } from 'vitest'
import { DecodeError } from './json.ts'
import { decodeYaml } from './yaml.ts'

const decode = (text: string) => decodeYaml(new TextEncoder().encode(text))

describe('decodeYaml', () => {
  for (const [text, expected] of [
    ['yes', true],
    ['off', false],
    ['"yes"', 'yes'],
    ['012', 10],
    ['0o12', 10],
    ['0x1F', 31],
    ['0b101', 5],
    ['1_000', 1000],
    ['-5', -5],
    ['1.5', 1.5],
    ['1e+3', 1000],
    ['1e3', '1e3'],
    ['2026-01-01', '2026-01-01'],
    ['12:30', '12:30'],
    ['~', null],
    ['', null],
    ['!!str 5', '5'],
    ['1.2.3', '1.2.3'],
    ['|\n  a\n  b\n', 'a\nb\n'],
  ] as const)
    test(`reads ${JSON.stringify(text)}`, () => expect(decode(text)).toEqual(expected))

  test('makes strings of keys', () => expect(decode('80: a\ntrue: b\n')).toEqual({ 80: 'a', true: 'b' }))

  test('expands aliases and merge keys', () => {
    expect(decode('a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3\n')).toEqual({ a: { p: 1, q: 2 }, b: { p: 1, q: 3 } })
  })

  test('keeps __proto__ as plain data', () => {
    expect(Object.keys(Object(decode('__proto__:\n  x: 1\n')))).toEqual(['__proto__'])
  })

  test('takes the last of duplicate keys and tells all of them', () => {
    const duplicates: string[] = []
    const text = 'a: 1\nb:\n  c: 1\n  c: 2\n  "c": 3\na: 2\n'
    expect(decodeYaml(Buffer.from(text), duplicates)).toEqual({ a: 2, b: { c: 3 } })
    expect(duplicates).toEqual([
      'line 4: key "c" already set in map',
      'line 5: key "c" already set in map',
      'line 6: key "a" already set in map',
    ])
  })

  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi']
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`)
    .join('\n')}`
  for (const [behaviour, text] of [
    ['a second document', 'a: 1\n---\nb: 2\n'],
    ['an alias bomb', bomb],
    ['deep nesting', '['.repeat(20_000)],
    ['deep block nesting', Array.from({ length: 300 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
    ['an unknown anchor', 'a: *nowhere'],
    ['infinity', '.inf'],
    ['a key that is a map', '{a: 1}: b'],
    ['broken syntax', 'a: [1, 2'],
    ['too many bytes', 'a'.repeat(1024 * 1024 + 1)],
  ] as const)
    test(`refuses ${behaviour}`, () => expect(() => decode(text)).toThrow(DecodeError))
})
