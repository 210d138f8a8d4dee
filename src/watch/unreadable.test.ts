/** Objects whose stored values cannot be read: they are there, nobody sees them, and nobody is told that they are gone. */

import { expect, test } from 'vitest'
import { createFakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import { parseFieldSelector } from '../machinery/meta/fields.ts'
import { encryptedStorage } from '../storage/encryption/encrypted-storage.ts'
import type { Transformer } from '../storage/encryption/transformers.ts'
import { openMemoryStorage } from '../storage/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { cachedObjectFactory, type ObjectCodec } from './cached-object.ts'
import { createWatchCache } from './watch-cache.ts'

/** Reads everything but the values that are `lost`. */
const transformer: Transformer = {
  seal: (value) => value,
  open(value) {
    if (Buffer.from(value).toString() === 'lost') throw new Error('the key is gone')
    return { value, stale: false }
  },
}

const make = cachedObjectFactory()
const codec: ObjectCodec = {
  decode({ key, value, modified }) {
    const [, namespace = '', name = ''] = key.split('/')
    return make({
      key,
      namespace,
      name,
      uid: '',
      revision: modified,
      labels: {},
      fields: { 'metadata.name': name },
      bytes: value,
    })
  },
}

async function world() {
  const storage = openStorage()
  const put = (key: string, value: string) => storage.transact([], [{ type: 'put', key, value: Buffer.from(value) }])
  await put('things/a/lost', 'lost')
  await put('things/a/kept', '{}')
  await put('things/b/kept', '{}')
  const cache = cacheOf(storage)
  await cache.whenReady()
  return { storage, cache, put }
}

const openStorage = () => encryptedStorage(openMemoryStorage(), { transformerOf: () => transformer }, silentLogger)

const cacheOf = (storage: Storage) =>
  createWatchCache({
    clock: createFakeClock(),
    random: seededRandom(1),
    log: silentLogger,
    storage,
    prefix: 'things/',
    codec,
  })

test.each([
  ['readable', () => false],
  ['unreadable', () => true],
  ['either in turn', (index: number) => index % 2 === 0],
])('many objects come in pages, whose ends are %s, and what is written meanwhile comes too', async (_, isLost) => {
  const storage = openStorage()
  const keys = Array.from({ length: 2_500 }, (_, index) => `things/a/${String(index).padStart(4, '0')}`)
  const isEnd = (index: number) => index % 500 === 499
  const lost = keys.filter((_, index) => isEnd(index) && isLost((index + 1) / 500))
  const put = (key: string, value: string) => ({ type: 'put', key, value: Buffer.from(value) }) as const
  const values = keys.map((key) => put(key, lost.includes(key) ? 'lost' : '{}'))
  await storage.transact([], values)
  const cache = cacheOf(storage)
  await storage.transact([], [put('things/b/late', '{}'), { type: 'delete', key: keys[0] ?? '' }])
  await cache.caughtUpTo(storage.head)
  for (const key of lost) expect(() => cache.get(key)).toThrow('the key is gone')
  const found = keys.filter((key) => !lost.includes(key) && cache.get(key))
  expect(found).toEqual(keys.slice(1).filter((key) => !lost.includes(key)))
  expect(cache.get('things/b/late')?.name).toBe('late')
})

const REFUSAL = 'Internal error occurred: unable to transform key "things/a/lost": the key is gone'

test('one is refused by itself and in every list that would have to leave it out', async () => {
  const { cache } = await world()
  expect(() => cache.get('things/a/lost')).toThrow('Internal error occurred: the key is gone')
  await expect(cache.list()).rejects.toThrow(REFUSAL)
  await expect(cache.list({ namespace: 'a' })).rejects.toThrow(REFUSAL)
  expect(() => cache.select({})).toThrow(REFUSAL)
  expect(cache.get('things/a/kept')?.name).toBe('kept')
  expect((await cache.list({ namespace: 'b' })).objects.map(({ key }) => key)).toEqual(['things/b/kept'])
  const named = (name: string) => ({ namespace: 'a', fields: parseFieldSelector(`metadata.name=${name}`) })
  expect((await cache.list(named('kept'))).objects.map(({ key }) => key)).toEqual(['things/a/kept'])
  expect((await cache.list(named('los'))).objects).toEqual([])
  await expect(cache.list(named('lost'))).rejects.toThrow(REFUSAL)
})

test('so is a list of the past', async () => {
  const { cache, storage, put } = await world()
  const revision = storage.head
  await put('things/a/lost', '{}')
  expect((await cache.list()).objects).toHaveLength(3)
  await expect(cache.list({ revision })).rejects.toThrow(REFUSAL)
  expect((await cache.list({ revision, namespace: 'b' })).objects).toHaveLength(1)
})

test('what is written over it is an object that was not there, for those who watch', async () => {
  const { cache, put } = await world()
  const watcher = await cache.watch({ from: 'now', signal: new AbortController().signal })
  await put('things/a/lost', '{}')
  const { value } = await watcher.next()
  expect(value).toMatchObject([{ type: 'ADDED' }])
  expect(cache.get('things/a/lost')?.name).toBe('lost')
})

test('its deletion has nothing to tell, so those who watch begin anew', async () => {
  const { cache, storage } = await world()
  const watcher = await cache.watch({ from: 'now', signal: new AbortController().signal })
  await storage.transact([], [{ type: 'delete', key: 'things/a/lost' }])
  await expect(watcher.next()).rejects.toThrow('list again')
  expect((await cache.list()).objects).toHaveLength(2)
})
