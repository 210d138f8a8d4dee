import { expect, test } from 'vitest'
import { VersionIndex } from './version-index.ts'

/** put a (1), put a (2), delete a (3), put a (4) */
function chainOfA(): VersionIndex<string> {
  const index = new VersionIndex<string>()
  index.append('a', { revision: 1, created: 1, slot: 'one' })
  index.append('a', { revision: 2, created: 1, slot: 'two' })
  index.append('a', { revision: 3, created: 1, slot: undefined })
  index.append('a', { revision: 4, created: 4, slot: 'four' })
  return index
}

test.each([
  [0, undefined],
  [1, 'one'],
  [2, 'two'],
  [3, undefined],
  [4, 'four'],
  [9, 'four'],
])('at %i the key reads %s', (revision, expected) => {
  expect(chainOfA().at('a', revision)?.slot).toBe(expected)
})

test.each([
  [0, [], ['one', 'two', undefined, 'four']],
  [1, [], ['one', 'two', undefined, 'four']],
  [2, [1], [undefined, 'two', undefined, 'four']],
  [3, [1, 2, 3], [undefined, undefined, undefined, 'four']],
  [4, [1, 2, 3], [undefined, undefined, undefined, 'four']],
] as const)('trimming at %i drops what no later read sees', (revision, dropped, left) => {
  const index = chainOfA()
  expect(index.trim('a', revision).map((version) => version.revision)).toEqual(dropped)
  expect([1, 2, 3, 4].map((at) => index.at('a', at)?.slot)).toEqual(left)
})

test('a trimmed deletion leaves nothing behind', () => {
  const index = new VersionIndex<string>()
  index.append('a', { revision: 1, created: 1, slot: 'one' })
  index.append('a', { revision: 2, created: 1, slot: undefined })
  expect(index.trim('a', 2)).toHaveLength(2)
  expect(index.list('', 2, {})).toEqual({ versions: [], remaining: 0 })
})
