import { describe, expect, test } from 'vitest'
import { canonical } from './canonical.ts'
import { checkFields } from './decode.ts'
import { applyDefaults } from './default.ts'
import { prune } from './prune.ts'
import type { Schema } from './schema.ts'
import { validateValue } from './validate.ts'

const schema: Schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      required: ['size'],
      properties: {
        size: { type: 'integer', minimum: 1, maximum: 10 },
        name: { type: 'string', default: 'unnamed', minLength: 2, maxLength: 4, pattern: '^[a-z]+$' },
        mode: { type: 'string', enum: ['Fast', 'Slow'] },
        port: { 'x-kubernetes-int-or-string': true },
        when: { type: 'string', format: 'date' },
        tags: { type: 'array', items: { type: 'string' }, 'x-kubernetes-list-type': 'set' },
        items: {
          type: 'array',
          maxItems: 2,
          items: { type: 'object', properties: { key: { type: 'string' }, on: { type: 'boolean', default: true } } },
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['key'],
        },
        labels: { type: 'object', additionalProperties: { type: 'string' } },
        free: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
          properties: { known: { type: 'object' } },
        },
        choice: {
          type: 'object',
          oneOf: [{ required: ['a'] }, { required: ['b'] }],
          'x-kubernetes-preserve-unknown-fields': true,
        },
        nothing: { type: 'string', nullable: true },
      },
    },
  },
}

const findings = (spec: unknown): readonly string[] =>
  validateValue({ spec }, schema).map(({ path, message }) => `${path}: ${message}`)

describe('validation of custom objects', () => {
  test.each<[unknown, readonly string[]]>([
    [{ size: 3 }, []],
    [{}, ['spec.size: Required value']],
    [{ size: 'x' }, ['spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"']],
    [{ size: 1.5 }, ['spec.size: Invalid value: "number": spec.size in body must be of type integer: "number"']],
    [{ size: null }, ['spec.size: Invalid value: "null": spec.size in body must be of type integer: "null"']],
    [{ size: 0 }, ['spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1']],
    [{ size: 11 }, ['spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10']],
    [{ size: 1, name: 'a' }, ['spec.name: Invalid value: "a": spec.name in body should be at least 2 chars long']],
    [{ size: 1, name: 'abcde' }, ['spec.name: Too long: may not be more than 4 bytes']],
    [{ size: 1, name: 'A1' }, ['spec.name: Invalid value: "A1": spec.name in body should match \'^[a-z]+$\'']],
    [{ size: 1, mode: 'Odd' }, ['spec.mode: Unsupported value: "Odd": supported values: "Fast", "Slow"']],
    [
      { size: 1, port: true },
      ['spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"'],
    ],
    [
      { size: 1, when: '2026-02-30' },
      ['spec.when: Invalid value: "2026-02-30": spec.when in body must be of type date: "2026-02-30"'],
    ],
    [{ size: 1, tags: ['a', 'a'] }, ['spec.tags[1]: Duplicate value: "a"']],
    [{ size: 1, items: [{ key: 'a' }, { key: 'a', on: false }] }, ['spec.items[1]: Duplicate value: {"key":"a"}']],
    [
      { size: 1, items: [{}, {}, {}].map((_, index) => ({ key: `${index}` })) },
      ['spec.items: Too many: 3: must have at most 2 items'],
    ],
    [
      { size: 1, labels: { a: 1 } },
      ['spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"'],
    ],
    [{ size: 1, nothing: null }, []],
    [
      { size: 1, choice: { a: 1, b: 1 } },
      [
        '<nil>: Invalid value: "": "spec.choice" must validate one and only one schema (oneOf). Found 2 valid alternatives',
      ],
    ],
  ])('%j', (spec, expected) => {
    expect(findings(spec)).toEqual(expected)
  })
})

describe('validation of an update', () => {
  const errorsOf = (spec: unknown, previous: unknown): readonly string[] =>
    validateValue({ spec }, schema, '', { spec: previous }).map(({ path }) => path)

  test('what was invalid before and stays as it is passes', () => {
    expect(errorsOf({ size: 99, name: 'ok' }, { size: 99, name: 'no' })).toEqual([])
    expect(errorsOf({ size: 98 }, { size: 99 })).toEqual(['spec.size'])
    expect(errorsOf({ name: 'ok' }, { name: 'no' })).toEqual(['spec.size'])
  })

  test('items of a keyed list are compared by their keys', () => {
    const old = [{ key: 'a', on: 'x' }, { key: 'b' }]
    expect(errorsOf({ size: 1, items: [{ key: 'b' }, { key: 'a', on: 'x' }] }, { size: 1, items: old })).toEqual([])
    expect(errorsOf({ size: 1, items: [{ key: 'c', on: 'x' }] }, { size: 1, items: old })).toEqual(['spec.items[0].on'])
  })
})

describe('hostile input', () => {
  test('very deep values of a recursive schema are walked without overflow', () => {
    const recursive: { properties?: Record<string, Schema>; type: 'object' } = { type: 'object' }
    recursive.properties = { next: recursive }
    let value: Record<string, unknown> = { odd: 1 }
    for (let depth = 0; depth < 900; depth++) value = { next: value }
    expect(checkFields(value, recursive)).toHaveLength(1)
    expect(prune(value, recursive)).not.toBe(value)
    expect(validateValue(value, recursive)).toEqual([])
    expect(canonical(value, recursive)).toEqual(value)
    expect(applyDefaults(value, recursive)).toBe(value)
  })

  test('a pattern that backtracks elsewhere is linear here', () => {
    const evil: Schema = { type: 'string', pattern: '^(a+)+$' }
    expect(validateValue(`${'a'.repeat(10_000)}!`, evil)).toHaveLength(1)
  })

  test('findings are bounded', () => {
    const numbers: Schema = { type: 'array', items: { type: 'integer' } }
    expect(
      validateValue(
        Array.from({ length: 10_000 }, () => 'x'),
        numbers,
      ).length,
    ).toBeLessThanOrEqual(200)
  })
})

describe('pruning', () => {
  test('unknown fields go, also named ones of Object.prototype; free objects keep theirs', () => {
    const value = JSON.parse(
      '{"spec":{"size":1,"odd":1,"__proto__":{"a":1},"free":{"x":1,"known":{"y":1}},"labels":{"any":"1"}}}',
    )
    expect(prune(value, schema)).toEqual({ spec: { size: 1, free: { x: 1, known: {} }, labels: { any: '1' } } })
    expect(checkFields(value, schema)).toEqual([
      'unknown field "spec.__proto__"',
      'unknown field "spec.free.known.y"',
      'unknown field "spec.odd"',
    ])
  })

  test('an object with nothing to drop is returned as it is', () => {
    const value = { spec: { size: 1 } }
    expect(prune(value, schema)).toBe(value)
  })
})

describe('defaults', () => {
  test('missing fields and forbidden nulls are filled in, allowed nulls are not', () => {
    const value = { spec: { size: 1, name: null, nothing: null, mode: null, items: [{ key: 'a' }] } }
    expect(applyDefaults(value, schema)).toEqual({
      spec: { size: 1, name: 'unnamed', nothing: null, items: [{ key: 'a', on: true }] },
    })
  })

  test('a default object is copied, not shared', () => {
    const shared: Schema = {
      type: 'object',
      properties: { list: { type: 'array', default: [1], items: { type: 'integer' } } },
    }
    const first = applyDefaults<{ list?: number[] }>({}, shared)
    first.list?.push(2)
    expect(applyDefaults({}, shared)).toEqual({ list: [1] })
  })
})

test('custom objects are stored with sorted keys and otherwise as they are', () => {
  const value = { spec: { b: '', a: [], c: null } }
  expect(JSON.stringify(canonical(value, schema))).toBe('{"spec":{"a":[],"b":"","c":null}}')
})
