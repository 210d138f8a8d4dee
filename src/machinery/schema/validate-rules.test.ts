import { describe, expect, test } from 'vitest'
import type { Schema, ValidationRule } from './schema.ts'
import { validateRules } from './validate-rules.ts'

const specWith = (rules: readonly ValidationRule[]): Schema => ({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        n: { type: 'integer' },
        text: { type: 'string' },
        list: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['k'],
          items: {
            type: 'object',
            properties: { k: { type: 'string' }, v: { type: 'integer' } },
            'x-kubernetes-validations': [{ rule: 'self.v >= oldSelf.v', message: 'no decrease' }],
          },
        },
      },
      'x-kubernetes-validations': rules,
    },
  },
})

const found = (rule: ValidationRule, spec: object, previous?: object): readonly string[] =>
  validateRules({ spec }, specWith([rule]), { previous: previous && { spec: previous } }).errors.map(
    ({ path, message }) => `${path}: ${message}`,
  )

describe('a rule that does not hold', () => {
  test.each<[string, ValidationRule, object, string]>([
    ['says its message', { rule: 'self.n < 5', message: ' too many ' }, { n: 9 }, 'spec: Invalid value: too many'],
    ['says itself', { rule: 'self.n < 5' }, { n: 9 }, 'spec: Invalid value: failed rule: self.n < 5'],
    [
      'makes a message',
      { rule: 'self.n < 5', messageExpression: "'not ' + string(self.n)" },
      { n: 9 },
      'spec: Invalid value: not 9',
    ],
    [
      'has a message when none can be made',
      { rule: 'self.n < 5', message: 'plain', messageExpression: 'self.text' },
      { n: 9 },
      'spec: Invalid value: plain',
    ],
    [
      'names a field and a reason',
      { rule: 'self.n < 5', fieldPath: '.n', reason: 'FieldValueRequired', message: 'm' },
      { n: 9 },
      'spec.n: Required value: m',
    ],
    [
      'cannot be evaluated',
      { rule: 'self.n / self.n == 1' },
      { n: 0 },
      'spec: Invalid value: "object": division by zero evaluating rule: self.n / self.n == 1',
    ],
  ])('%s', (_behaviour, rule, spec, expected) => {
    expect(found(rule, spec)).toEqual([expected])
  })
})

describe('a rule about what was before', () => {
  const grows: ValidationRule = { rule: 'self.n >= oldSelf.n', message: 'it only grows' }
  const optional: ValidationRule = {
    rule: 'oldSelf.hasValue() || self.n == 0',
    message: 'begins at 0',
    optionalOldSelf: true,
  }
  test('is not asked when nothing was', () => {
    expect(found(grows, { n: 1 })).toEqual([])
    expect(found(grows, { n: 1 }, { n: 2 })).toEqual(['spec: Invalid value: it only grows'])
  })

  test('is asked anyway where the old value is optional', () => {
    expect(found(optional, { n: 1 })).toEqual(['spec: Invalid value: begins at 0'])
    expect(found(optional, { n: 1 }, { n: 7 })).toEqual([])
  })

  test('finds the items of a keyed list by their keys', () => {
    const before = {
      list: [
        { k: 'a', v: 5 },
        { k: 'b', v: 1 },
      ],
    }
    const after = {
      list: [
        { k: 'b', v: 1 },
        { k: 'a', v: 4 },
        { k: 'c', v: 0 },
      ],
    }
    expect(found({ rule: 'true' }, after, before)).toEqual(['spec.list[1]: Invalid value: no decrease'])
  })
})

test('what did not change is let pass, and told', () => {
  const schema = specWith([{ rule: 'self.n < 5', message: 'too many' }])
  const object = { spec: { n: 9 } }
  expect(validateRules(object, schema, { previous: { spec: { n: 9 } } })).toMatchObject({
    errors: [],
    passed: [{ path: 'spec', message: 'Invalid value: too many' }],
  })
  expect(validateRules(object, schema, { previous: { spec: { n: 8 } } }).errors).toHaveLength(1)
})

test('an expression that takes for ever is stopped, and with it all others', () => {
  const list = Array.from({ length: 400 }, (_, v) => ({ k: `${v}`, v }))
  const errors = found({ rule: 'self.list.all(a, self.list.all(b, self.list.all(c, a.v + b.v + c.v >= 0)))' }, { list })
  expect(errors).toEqual([
    expect.stringContaining('no further validation rules will be run due to call cost exceeds limit'),
  ])
})
