import { describe, expect, test } from 'vitest'
import { fieldSelectorOf, parseFieldSelector, requiredFieldValue } from './fields.ts'

describe('canonical text', () => {
  test.each([
    ['', ''],
    ['b=1,a==2', 'a=2,b=1'],
    ['a!=', 'a!='],
    ['a=,,b=c', 'a=,b=c'],
    ['=', ''],
    ['a=x\\,y\\=z\\\\', 'a=x\\,y\\=z\\\\'],
  ])('%s', (text, expected) => expect(String(parseFieldSelector(text))).toBe(expected))
})

describe('errors', () => {
  test.each([
    ['a', "invalid selector: 'a'; can't understand 'a'"],
    ['a=b=c', 'invalid field selector: unescaped character in value: 61'],
    ['a=\\x', 'invalid field selector: invalid escape sequence: \\x'],
    ['a=b\\', 'invalid field selector: invalid escape sequence: \\'],
  ])('%s', (text, message) => expect(() => parseFieldSelector(text)).toThrow(message))
})

test('matches exact values; an absent field is the empty string', () => {
  const fields = { 'status.phase': 'Running', 'spec.nodeName': '' }
  expect(parseFieldSelector('status.phase=Running').matches(fields)).toBe(true)
  expect(parseFieldSelector('status.phase!=Running').matches(fields)).toBe(false)
  expect(parseFieldSelector('spec.nodeName=').matches(fields)).toBe(true)
  expect(parseFieldSelector('missing!=x,constructor=').matches(fields)).toBe(true)
})

test('escapes survive the way there and back', () => {
  const selector = fieldSelectorOf([{ field: 'a', operator: '=', value: 'x,y=\\z' }])
  expect(parseFieldSelector(String(selector)).requirements).toEqual(selector.requirements)
})

test('tells which value a field must have', () => {
  const selector = parseFieldSelector('a!=1,b=2')
  expect([requiredFieldValue(selector, 'a'), requiredFieldValue(selector, 'b')]).toEqual([undefined, '2'])
})
