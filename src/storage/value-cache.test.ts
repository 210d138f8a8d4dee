import { expect, test } from 'vitest'
import { randomInteger, seededRandom } from '../base/random.ts'
import { ValueCache } from './value-cache.ts'

/** As in the cache: its bound, and what an entry costs beside its bytes. */
const BYTES_MAX = 32 * 1024 * 1024
const ENTRY_BYTES = 200

const place = (revision: number) => ({ revision, position: 0 })
const value = Buffer.alloc(64 * 1024 - ENTRY_BYTES)
const ENTRIES_MAX = BYTES_MAX / (value.length + ENTRY_BYTES)

test('the values that were written last are kept, whatever is read in between', () => {
  const cache = new ValueCache()
  const random = seededRandom(3)
  const newest = 5 * ENTRIES_MAX
  for (let revision = 1; revision <= newest; revision++) {
    cache.set(place(revision), value)
    const older = revision - randomInteger(random, 2 * ENTRIES_MAX)
    expect(cache.get(place(older))).toBe(older >= 1 && older > revision - ENTRIES_MAX ? value : undefined)
  }
})

test('each write of a transaction has its own value', () => {
  const cache = new ValueCache()
  const places = [place(1), { revision: 1, position: 1 }, { revision: 11, position: 0 }, { revision: 1, position: 10 }]
  for (const [index, each] of places.entries()) cache.set(each, Buffer.from([index]))
  expect(places.map((each) => cache.get(each)?.[0])).toEqual([0, 1, 2, 3])
})
