import { expect, test } from 'vitest'
import { randomInteger, seededRandom } from '../base/random.ts'
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

test('whatever is written and trimmed, every revision from the last trim on reads what a plain list of it says', () => {
  const random = seededRandom(7)
  const index = new VersionIndex<number>()
  const written: { readonly key: string; readonly revision: number; readonly slot: number | undefined }[] = []
  let trimmed = 0
  for (let revision = 1; revision <= 200; revision++) {
    const key = 'abc'[randomInteger(random, 3)] ?? ''
    const slot = randomInteger(random, 4) === 0 ? undefined : revision
    index.append(key, { revision, created: 1, slot })
    written.push({ key, revision, slot })
    if (randomInteger(random, 5) === 0) {
      trimmed += randomInteger(random, revision - trimmed + 1)
      const dropped = index.trim(key, trimmed).map((version) => version.revision)
      expect(dropped).toEqual(dropped.toSorted((left, right) => left - right))
    }
    for (let at = trimmed; at <= revision; at++) {
      const found = written.findLast((one) => one.key === key && one.revision <= at)
      expect(index.at(key, at)?.slot, `${key} at ${at}`).toBe(found?.slot)
    }
    expect(index.current(key)?.slot).toBe(slot)
  }
})
