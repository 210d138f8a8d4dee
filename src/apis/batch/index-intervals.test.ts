import { describe, expect, test } from 'vitest'
import { commonIndex, countIndexes, parseIndexes } from './index-intervals.ts'

describe('sets of indexes', () => {
  for (const [text, completions, expected] of [
    ['', 6, 0],
    ['1', 6, 1],
    ['1-3', 6, 3],
    ['0,1-3,5,7-10', 12, 9],
    ['0,1-3, 5', 6, 'cannot convert string to integer for index: " 5"'],
    ['0,1-3,5', 5, 'too large index: "5"'],
    ['1-3,0,5', 6, 'non-increasing order, previous: 3, current: 0'],
    ['0,0,5', 6, 'non-increasing order, previous: 0, current: 0'],
    ['0,1-1,5', 6, 'non-increasing order, previous: 1, current: 1'],
    ['-1,0', 6, 'cannot convert string to integer for index: ""'],
    ['0,1-', 6, 'cannot convert string to integer for index: ""'],
    [
      '0,1--3',
      6,
      `the fragment "1--3" violates the requirement that an index interval can have at most two parts separated by '-'`,
    ],
    ['0,,1,3', 6, 'cannot convert string to integer for index: ""'],
  ] as const) {
    test(`${JSON.stringify(text)} below ${completions}`, () => {
      const intervals = parseIndexes(text, completions)
      expect(typeof intervals === 'string' ? intervals : countIndexes(intervals)).toBe(expected)
    })
  }
})

describe('the lowest common index', () => {
  for (const [left, right, completions, expected] of [
    ['', '', 10, undefined],
    ['', '1-3', 10, undefined],
    ['1-3', '', 10, undefined],
    ['0,2-5,9', '1,6-8', 10, undefined],
    ['0,2-5,9', '1,5-8', 10, 5],
    ['0,2-a5,9', '1,5-8,9', 10, 9],
    ['0,2-5,9', '1,a5-8,9', 10, 9],
    ['a2-5,9', 'a5-8,9', 10, 9],
    ['0,2-a5', '1,5-8', 10, undefined],
  ] as const) {
    test(`of ${JSON.stringify(left)} and ${JSON.stringify(right)}`, () => {
      expect(commonIndex(left, right, completions)).toBe(expected)
    })
  }
})
