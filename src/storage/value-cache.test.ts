import { expect, test } from 'vitest'
import { randomInteger, seededRandom } from '../base/random.ts'
import { ValueCache } from './value-cache.ts'

/** As in the cache: its bound, and what an entry costs beside its bytes. */
const BYTES_MAX = 32 * 1024 * 1024
const ENTRY_BYTES = 200

const place = (revision: number) => ({ revision, position: 0 })
const value = Buffer.alloc(64 * 1024 - ENTRY_BYTES)
const ENTRIES_MAX = BYTES_MAX / (value.length + ENTRY_BYTES)

test('the values that were used last are kept, whatever is written and read in between', () => {
  const cache = new ValueCache()
  const random = seededRandom(3)
  const used: number[] = []
  for (let revision = 1; revision <= 5 * ENTRIES_MAX; revision++) {
    cache.set(place(revision), value)
    used.push(revision)
    const older = revision - randomInteger(random, ENTRIES_MAX / 2)
    if (older < 1 || !used.includes(older, Math.max(0, used.length - ENTRIES_MAX))) continue
    expect(cache.get(place(older))).toBe(value)
    used.splice(used.indexOf(older), 1)
    used.push(older)
  }
  const kept = new Set(used.slice(-ENTRIES_MAX))
  for (const revision of used) expect(cache.get(place(revision)) !== undefined).toBe(kept.has(revision))
})
