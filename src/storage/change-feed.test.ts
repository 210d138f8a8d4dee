import { expect, test } from 'vitest'
import { ChangeFeed } from './change-feed.ts'
import type { Change } from './storage.ts'

const PUBLISHED = 23_456

const changeAt = (revision: number): Change => ({
  ...{ revision, key: `key-${revision}`, value: Buffer.from('v'), previous: undefined, created: revision },
})

/** A history that has everything and counts how much was read from it. */
function historyOf(published: number) {
  let read = 0
  return {
    head: () => published,
    compacted: () => 0,
    read: async (first: number, transactionsMax: number) => {
      const count = Math.min(transactionsMax, published - first + 1)
      read += count
      return Array.from({ length: count }, (_, index) => changeAt(first + index))
    },
    get count() {
      return read
    },
  }
}

test.each([
  { from: 0, about: 'far behind', fromHistory: PUBLISHED - 10_000 },
  { from: PUBLISHED - 9_000, about: 'not far behind', fromHistory: 0 },
])('a follower that is $about gets every transaction once, in order', async ({ from, fromHistory }) => {
  const feed = new ChangeFeed()
  for (let revision = 1; revision <= PUBLISHED; revision++) feed.publish(revision, [changeAt(revision)])
  const history = historyOf(PUBLISHED)
  const stop = new AbortController()
  let expected = from + 1
  for await (const batch of feed.follow(from, stop.signal, history)) {
    for (const change of batch) expect(change).toMatchObject({ revision: expected, key: `key-${expected++}` })
    if (expected > PUBLISHED) break
  }
  expect(expected).toBe(PUBLISHED + 1)
  // In whole batches of a thousand.
  expect(Math.ceil(fromHistory / 1_000) * 1_000).toBe(history.count)
})

test('the feed holds a bounded number of bytes, whatever the transactions weigh', async () => {
  const feed = new ChangeFeed()
  const value = Buffer.alloc(1024 * 1024)
  for (let revision = 1; revision <= 100; revision++) feed.publish(revision, [{ ...changeAt(revision), value }])
  const history = historyOf(100)
  const stop = new AbortController()
  for await (const batch of feed.follow(67, stop.signal, history)) {
    expect(batch[0]?.revision).toBe(68)
    break
  }
  // 32 MB are the last 32 transactions: the one before them is read from the history.
  expect(history.count).toBeGreaterThan(0)
})
