import { describe, expect, test } from 'vitest'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { ApiError } from '../meta/api-error.ts'
import { applyJsonPatch, JSON_PATCH_OPERATIONS_MAX } from './json-patch.ts'

const document = deepFreeze({ a: { b: [1, 2, 3] }, 'x/y': 1, 'm~n': 2 })

function codeOf(action: () => unknown): number {
  try {
    action()
  } catch (error) {
    if (error instanceof ApiError) return error.code
    throw error
  }
  return 200
}

describe('applies', () => {
  test.each<[string, readonly object[], unknown]>([
    ['add to an object', [{ op: 'add', path: '/a/c', value: 4 }], { a: { b: [1, 2, 3], c: 4 } }],
    ['insert into a list', [{ op: 'add', path: '/a/b/1', value: 9 }], { a: { b: [1, 9, 2, 3] } }],
    ['append', [{ op: 'add', path: '/a/b/-', value: 9 }], { a: { b: [1, 2, 3, 9] } }],
    ['insert from the end', [{ op: 'add', path: '/a/b/-1', value: 9 }], { a: { b: [1, 2, 3, 9] } }],
    ['remove from the end', [{ op: 'remove', path: '/a/b/-1' }], { a: { b: [1, 2] } }],
    ['replace', [{ op: 'replace', path: '/a/b/0', value: 9 }], { a: { b: [9, 2, 3] } }],
    ['replace what is absent', [{ op: 'replace', path: '/a/c', value: 9 }], { a: { b: [1, 2, 3], c: 9 } }],
    ['move', [{ op: 'move', from: '/a/b/0', path: '/a/first' }], { a: { b: [2, 3], first: 1 } }],
    ['copy', [{ op: 'copy', from: '/a/b', path: '/a/c' }], { a: { b: [1, 2, 3], c: [1, 2, 3] } }],
    ['test of equal values', [{ op: 'test', path: '/a', value: { b: [1, 2, 3] } }], { a: { b: [1, 2, 3] } }],
    ['test of what is absent', [{ op: 'test', path: '/a/z', value: null }], { a: { b: [1, 2, 3] } }],
    ['missing value is null', [{ op: 'add', path: '/a/c' }], { a: { b: [1, 2, 3], c: null } }],
  ])('%s', (_name, operations, expected) => {
    expect(applyJsonPatch(document, operations)).toEqual({ 'x/y': 1, 'm~n': 2, ...(expected as object) })
  })

  test('escaped names', () => {
    const operations = [
      { op: 'remove', path: '/x~1y' },
      { op: 'replace', path: '/m~0n', value: 3 },
    ]
    expect(applyJsonPatch(document, operations)).toEqual({ a: { b: [1, 2, 3] }, 'm~n': 3 })
  })

  test('copies are independent of their source', () => {
    const operations = [
      { op: 'copy', from: '/a/b', path: '/c' },
      { op: 'add', path: '/c/-', value: 4 },
    ]
    expect(applyJsonPatch({ a: { b: [1] } }, operations)).toEqual({ a: { b: [1] }, c: [1, 4] })
  })

  test('names of Object’s prototype are names like others', () => {
    const patched = applyJsonPatch({}, [{ op: 'add', path: '/__proto__', value: { polluted: true } }])
    expect(Object.hasOwn(patched as object, '__proto__')).toBe(true)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect(codeOf(() => applyJsonPatch({}, [{ op: 'remove', path: '/constructor' }]))).toBe(422)
  })
})

describe('refuses', () => {
  test.each<[string, unknown, number]>([
    ['a parent that is not there', [{ op: 'add', path: '/z/c', value: 1 }], 422],
    ['removing what is not there', [{ op: 'remove', path: '/z' }], 422],
    ['an index out of range', [{ op: 'add', path: '/a/b/9', value: 1 }], 422],
    ['an index that is no number', [{ op: 'remove', path: '/a/b/x' }], 422],
    ['a failing test', [{ op: 'test', path: '/a/b/0', value: 2 }], 422],
    ['an unknown operation', [{ op: 'eat', path: '/a' }], 422],
    ['an operation without a path', [{ op: 'remove' }], 422],
    ['a move without a source', [{ op: 'move', path: '/a' }], 422],
    ['a patch that is no list', { op: 'remove' }, 400],
    ['an operation that is no object', [1], 400],
    ['too many operations', Array.from({ length: JSON_PATCH_OPERATIONS_MAX + 1 }, () => ({})), 413],
  ])('%s', (_name, operations, code) => expect(codeOf(() => applyJsonPatch(document, operations))).toBe(code))

  test('doubling a document without end', () => {
    const doubling = Array.from({ length: 100 }, (_, step) => ({ op: 'copy', from: '', path: `/n${step}` }))
    expect(codeOf(() => applyJsonPatch({ a: 'x'.repeat(1000) }, doubling))).toBe(422)
  })
})
