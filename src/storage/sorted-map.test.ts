import { expect, test } from 'vitest'
import { byCodeUnit } from '../base/group-by.ts'
import { randomInteger, seededRandom } from '../base/random.ts'
import { SortedMap } from './sorted-map.ts'

const keysOf = <V>(entries: Iterable<readonly [string, V]>): readonly string[] => [...entries].map(([key]) => key)

test('walks a prefix in code-unit order, from after a key', () => {
  const map = new SortedMap<number>()
  for (const key of ['b/2', 'a', 'b/1', 'é', 'b', 'c', 'B']) map.set(key, 1)
  expect(keysOf(map.entries())).toEqual(['B', 'a', 'b', 'b/1', 'b/2', 'c', 'é'])
  expect(keysOf(map.entries('b'))).toEqual(['b', 'b/1', 'b/2'])
  expect(keysOf(map.entries('b/', 'b/1'))).toEqual(['b/2'])
  expect(keysOf(map.entries('b/', 'b/15'))).toEqual(['b/2'])
  expect(keysOf(map.entries('b/', 'a'))).toEqual(['b/1', 'b/2'])
  expect(keysOf(map.entries('b/', 'c'))).toEqual([])
  expect(keysOf(map.entries('', ''))).toHaveLength(7)
})

test('agrees with a plain map through thousands of random changes', () => {
  const random = seededRandom(3)
  const map = new SortedMap<number>()
  const plain = new Map<string, number>()
  for (let step = 0; step < 8_000; step++) {
    const key = `k${randomInteger(random, 2_500)}`
    if (random.next() < 0.3) expect(map.delete(key)).toBe(plain.delete(key))
    else {
      map.set(key, step)
      plain.set(key, step)
    }
  }
  expect([...map.entries()]).toEqual([...plain].sort(([left], [right]) => byCodeUnit(left, right)))
  expect(map.size).toBe(plain.size)
  map.clear()
  expect([map.size, keysOf(map.entries())]).toEqual([0, []])
})

test('keeps ascending and descending insertions in order', () => {
  const names = Array.from({ length: 3_000 }, (_, index) => `${10_000 + index}`)
  for (const order of [names, names.toReversed()]) {
    const map = new SortedMap<string>()
    for (const name of order) map.set(name, name)
    expect(keysOf(map.entries())).toEqual(names)
  }
})
