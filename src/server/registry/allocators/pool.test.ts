import { expect, test } from 'vitest'
import { seededRandom } from '../../../base/random.ts'
import { createPool, staticBandOf } from './pool.ts'

test('gives everything once, the static band last', () => {
  const pool = createPool({ size: 20, staticBand: 5, random: seededRandom(1) })
  const given = Array.from({ length: 20 }, () => pool.takeAny())
  expect(given.slice(0, 15).every((offset) => offset !== undefined && offset >= 5)).toBe(true)
  expect(new Set(given).size).toBe(20)
  expect(pool.takeAny()).toBeUndefined()
  pool.release(3)
  expect([pool.take(3), pool.take(3)]).toEqual([true, false])
})

test.each([
  [10, 16, 256, 0],
  [254, 16, 256, 16],
  [65_534, 16, 256, 256],
  [2_768, 32, 128, 86],
])('a range of %i has the static band of upstream', (size, step, max, expected) => {
  expect(staticBandOf(size, { step, max })).toBe(expected)
})
