import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createFakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import { openLevelStorage } from '../storage/level-storage.ts'
import { openMemoryStorage } from '../storage/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { cachedObjectFactory, type ObjectCodec } from './cached-object.ts'
import { createWatchCache, type WatchCache } from './watch-cache.ts'
import { WATCH_BUFFER_EVENTS_MAX, type Watcher } from './watcher.ts'

/** Objects whose bytes are their text. */
function textCodec(): ObjectCodec {
  const make = cachedObjectFactory()
  return {
    decode: ({ key, value, modified }) => {
      const name = key.slice('notes/'.length)
      return make({ key, namespace: '', name, uid: '', revision: modified, labels: {}, fields: {}, bytes: value })
    },
  }
}

function cacheOf(storage: Storage, eventsMax?: number): WatchCache {
  const parts = { clock: createFakeClock(), random: seededRandom(1), log: silentLogger, eventsMax }
  return createWatchCache({ storage, prefix: 'notes/', codec: textCodec(), ...parts })
}

const write = (storage: Storage, name: string, text = '') =>
  storage.transact([], [{ type: 'put', key: `notes/${name}`, value: Buffer.from(text) }])

const { signal } = new AbortController()

async function hear(watcher: Watcher, count: number): Promise<readonly string[]> {
  const heard: string[] = []
  while (heard.length < count) {
    const { value = [], done } = await watcher.next()
    if (done) break
    for (const event of value) {
      if (event.type !== 'BOOKMARK') heard.push(`${event.type} ${event.object.name}@${event.revision}`)
    }
  }
  return heard
}

test('a watch resumes after the server was started again', async () => {
  const directory = await mkdtemp(join(tmpdir(), 't8s-resume-'))
  const open = () => openLevelStorage({ directory, log: silentLogger, clock: createFakeClock() })
  {
    await using storage = await open()
    for (const name of ['a', 'b', 'a', 'c']) await write(storage, name)
    await storage.transact([], [{ type: 'delete', key: 'notes/b' }])
  }
  {
    await using storage = await open()
    using cache = cacheOf(storage)
    const watcher = await cache.watch({ from: 2, signal })
    await write(storage, 'd')
    expect(await hear(watcher, 4)).toEqual(['MODIFIED a@3', 'ADDED c@4', 'DELETED b@5', 'ADDED d@6'])
  }
  await rm(directory, { recursive: true })
})

test('a watch whose history is compacted while it is read ends with Expired', async () => {
  await using storage = openMemoryStorage()
  for (let count = 0; count < 2_500; count++) await write(storage, 'a', `${count}`)
  using cache = cacheOf(storage, 1)
  const watcher = await cache.watch({ from: 1, signal })
  expect((await hear(watcher, 1)).at(-1)).toMatch(/^MODIFIED a@/)
  await storage.compact(storage.head)
  await expect(hear(watcher, 2_500)).rejects.toMatchObject({ status: { code: 410, reason: 'Expired' } })
  expect(cache.watchers).toBe(0)
})

test('a long initial state is told in batches while live events wait', async () => {
  await using storage = openMemoryStorage()
  const names = Array.from({ length: 1_200 }, (_, index) => `n${10_000 + index}`)
  for (const name of names) await write(storage, name)
  using cache = cacheOf(storage)
  const watcher = await cache.watch({ from: 'initial', initialEventsEnd: true, signal })
  await write(storage, 'later')
  await cache.caughtUpTo(storage.head)
  const sizes: number[] = []
  while (sizes.length < 5) sizes.push((await watcher.next()).value?.length ?? 0)
  expect(sizes).toEqual([500, 500, 200, 1, 1])
})

test('a watcher that is too slow for its replay is closed like any other', async () => {
  await using storage = openMemoryStorage()
  await write(storage, 'a')
  using cache = cacheOf(storage)
  const watcher = await cache.watch({ from: 'initial', signal })
  for (let count = 0; count <= WATCH_BUFFER_EVENTS_MAX; count++) await write(storage, 'a')
  await cache.caughtUpTo(storage.head)
  await expect(watcher.next()).rejects.toMatchObject({ status: { reason: 'Expired' } })
})
