import { describe, expect, test } from 'vitest'
import { findByPath, parseJsonPath } from './json-path.ts'

const object = {
  spec: {
    ports: [
      { name: 'a', n: 1 },
      { name: 'b', n: 2 },
      { name: 'c', n: 3 },
    ],
    'a.b': { c: true },
  },
  status: {
    conditions: [
      { type: 'Ready', status: 'True' },
      { type: 'Old', status: 'False' },
    ],
  },
}

describe('a path finds', () => {
  test.each<[string, readonly unknown[]]>([
    ['.spec.ports[0].name', ['a']],
    ['.spec.ports[-1].name', ['c']],
    ['.spec.ports[0:2].n', [1, 2]],
    ['.spec.ports[*].name', ['a', 'b', 'c']],
    [".spec['a.b'].c", [true]],
    ['.spec.a\\.b.c', [true]],
    ['.status.conditions[?(@.type=="Ready")].status', ['True']],
    ['.spec.ports[?(@.n>1)].name', ['b', 'c']],
    ['..name', ['a', 'b', 'c']],
    ['.spec.nothing.here', []],
    ['.', [object]],
  ])('%s', (text, expected) => {
    expect(findByPath(object, parseJsonPath(text) ?? [])).toEqual(expected)
  })

  test.each(['.a[', '.a[x]', '.a[1:2:0]', '.a[?(@.b==)]', `${'.a'.repeat(65)}`])(
    'nothing in %s: it is no path',
    (text) => {
      expect(parseJsonPath(text)).toBeUndefined()
    },
  )
})
