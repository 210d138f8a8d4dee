import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { applyMergePatch } from './merge-patch.ts'

describe('RFC 7386', () => {
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j', (document, patch, expected) => {
    expect(applyMergePatch(deepFreeze(document), deepFreeze(patch))).toEqual(expected)
  })
})

test('shares what it does not change', () => {
  const document = { kept: { a: 1 }, changed: 1 }
  const patched = applyMergePatch(document, { changed: 2 }) as typeof document
  expect(patched.kept).toBe(document.kept)
})

test('a patch nested too deeply is refused', () => {
  const deep: unknown = JSON.parse(`${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`)
  expect(() => applyMergePatch({}, deep)).toThrow('exceeded max depth')
})

test('names of Object’s prototype are names like others', () => {
  const patched = applyMergePatch({}, JSON.parse('{"__proto__":{"polluted":true}}'))
  expect(Object.keys(patched as object)).toEqual(['__proto__'])
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})
