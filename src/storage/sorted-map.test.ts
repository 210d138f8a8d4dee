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

test('pages and counts are those of a walk', () => {
  const random = seededRandom(8)
  const map = new SortedMap<string>()
  const keys = ['a', 'a/', 'a/\uffff', 'a/\uffffb', 'a0', 'b/', '\uffff', '\uffff\uffff']
  for (let step = 0; step < 2_000; step++) keys.push(`${'abc'[step % 3]}/${randomInteger(random, 5_000)}`)
  for (const key of keys) map.set(key, key)
  const prefixes = ['', 'a', 'a/', 'a/1', 'b/', 'a/\uffff', '\uffff', 'z']
  for (let round = 0; round < 400; round++) {
    const prefix = prefixes[round % prefixes.length] ?? ''
    const after =
      round % 3 === 0 ? undefined : (keys[randomInteger(random, keys.length)] ?? '') + (round % 2 ? '' : '!')
    const walked = keysOf(map.entries(prefix, after))
    const limit = randomInteger(random, 1_000)
    expect(map.values(prefix, after, limit)).toEqual(walked.slice(0, limit))
    expect(map.values(prefix, after, Infinity)).toEqual(walked)
    expect(map.count(prefix, after)).toBe(walked.length)
  }
})

test('keeps ascending and descending insertions in order', () => {
  const names = Array.from({ length: 3_000 }, (_, index) => `${10_000 + index}`)
  for (const order of [names, names.toReversed()]) {
    const map = new SortedMap<string>()
    for (const name of order) map.set(name, name)
    expect(keysOf(map.entries())).toEqual(names)
  }
})
