import { describe, expect, test } from 'vitest'
import { commonCount, firstMissing, hasIndex, indexesOf, indexesText, readIndexes, union } from './intervals.ts'

describe('a text of indexes', () => {
  for (const [text, completions, expected] of [
    [undefined, 10, ''],
    ['', 10, ''],
    ['0-5,8-10', 8, '0-5'],
    ['0-5,8-10', 10, '0-5,8,9'],
    ['0,1-foo,bar', 4, '0'],
    ['4,5', 10, '4,5'],
    ['4,5,6', 10, '4-6'],
  ] as const)
    test(`${text} below ${completions} is read as ${expected || 'nothing'}`, () =>
      expect(indexesText(readIndexes(text, completions))).toBe(expected))
})

describe('a union', () => {
  for (const [situation, before, added, expected] of [
    ['of what is apart', '0,4,5,10-12', [2, 7, 8], '0,2,4,5,7,8,10-12'],
    ['of old ones between the new', '3,4,6', [2, 7, 8], '2-4,6-8'],
    ['of new ones between the old', '2,7,8', [3, 4, 6], '2-4,6-8'],
    ['of new ones within the old', '2-7', [0, 3, 5, 9], '0,2-7,9'],
  ] as const)
    test(situation, () => expect(indexesText(union(readIndexes(before, 100), indexesOf(added)))).toBe(expected))
})

test('an index is found', () => {
  const indexes = readIndexes('1,3-5,9', 10)
  const found = Array.from({ length: 11 }, (_, index) => index).filter((index) => hasIndex(indexes, index))
  expect(found).toEqual([1, 3, 4, 5, 9])
})

test('common indexes are counted', () => {
  const count = (left: string, right: string) => commonCount(readIndexes(left, 100), readIndexes(right, 100))
  expect(count('0-9', '2-4,8-12')).toBe(5)
  expect(count('0-9', '20-30')).toBe(0)
  expect(count('1,3,5', '0-5')).toBe(3)
  expect(count('', '0-5')).toBe(0)
})

test('the lowest missing ones come first', () => {
  expect(firstMissing(readIndexes('0,2-4', 10), 10, 3)).toEqual([1, 5, 6])
  expect(firstMissing([], 3, 9)).toEqual([0, 1, 2])
  expect(firstMissing(readIndexes('0-2', 3), 3, 9)).toEqual([])
})
