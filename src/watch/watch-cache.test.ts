import { afterEach, describe, expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import { parseFieldSelector } from '../machinery/meta/fields.ts'
import { parseLabelSelector } from '../machinery/meta/labels.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import { openMemoryStorage } from '../storage/memory-storage.ts'
import type { Storage } from '../storage/storage.ts'
import { cachedObjectFactory, type ObjectCodec } from './cached-object.ts'
import { type Delivery, jsonFrames } from './event.ts'
import { createWatchCache, type WatchCache, type WatchQuery } from './watch-cache.ts'
import { WATCH_BUFFER_EVENTS_MAX, type Watcher } from './watcher.ts'

interface Thing extends KubeObject {
  readonly spec: { readonly color: string }
}

const PREFIX = 'things/'
const frames = jsonFrames({ apiVersion: 'v1', kind: 'Thing' })

function thingCodec(): ObjectCodec {
  const make = cachedObjectFactory()
  return {
    decode: ({ key, value, modified }) => {
      const stored: Thing = JSON.parse(Buffer.from(value).toString())
      const { namespace = '', name = '', uid = '', labels = {} } = stored.metadata
      const object = { ...stored, metadata: { ...stored.metadata, resourceVersion: `${modified}` } }
      const fields = { 'metadata.name': name, 'metadata.namespace': namespace, 'spec.color': stored.spec.color }
      return make({ key, namespace, name, uid, revision: modified, labels, fields, bytes: bytesOf(object) })
    },
  }
}

const bytesOf = (object: unknown): Uint8Array => Buffer.from(JSON.stringify(object))

function thing(path: string, color = 'red', labels: Record<string, string> = {}): Thing {
  const [namespace = '', name = ''] = path.split('/')
  return { apiVersion: 'v1', kind: 'Thing', metadata: { namespace, name, labels }, spec: { color } }
}

const write = (storage: Storage, path: string, color?: string, labels?: Record<string, string>) =>
  storage.transact([], [{ type: 'put', key: PREFIX + path, value: bytesOf(thing(path, color, labels)) }])
const remove = (storage: Storage, path: string) => storage.transact([], [{ type: 'delete', key: PREFIX + path }])
const elsewhere = (storage: Storage) =>
  storage.transact([], [{ type: 'put', key: 'other/x', value: new Uint8Array(1) }])

interface World {
  readonly clock: FakeClock
  readonly storage: Storage
  readonly cache: WatchCache
}

const worlds: World[] = []
afterEach(async () => {
  for (const { cache, storage } of worlds.splice(0)) {
    cache[Symbol.dispose]()
    await storage[Symbol.asyncDispose]()
  }
})

async function world(options: { readonly windowMs?: number; readonly eventsMax?: number } = {}): Promise<World> {
  const clock = createFakeClock()
  const storage = openMemoryStorage()
  const random = seededRandom(1)
  const cache = createWatchCache({
    ...options,
    storage,
    prefix: PREFIX,
    codec: thingCodec(),
    clock,
    random,
    log: silentLogger,
  })
  await cache.whenReady()
  const made = { clock, storage, cache }
  worlds.push(made)
  return made
}

const open = (cache: WatchCache, query: Omit<WatchQuery, 'signal'>): Promise<Watcher> =>
  cache.watch({ signal: new AbortController().signal, ...query })

const told = (event: Delivery): string =>
  event.type === 'BOOKMARK'
    ? `BOOKMARK${event.initialEventsEnd ? ' end' : ''}@${event.revision}`
    : `${event.type} ${event.object.name}@${event.object.revision}`

/** What the watcher is told, in short, until it has been told `count` things. */
async function hear(watcher: Watcher, count: number): Promise<readonly string[]> {
  const heard: string[] = []
  while (heard.length < count) {
    const { value, done } = await watcher.next()
    if (done) break
    heard.push(...value.map(told))
  }
  return heard
}

describe('lists', () => {
  test('show everything that was committed before, in order of the keys', async () => {
    const { storage, cache } = await world()
    for (const path of ['b/2', 'a/1', 'b/1']) await write(storage, path)
    await elsewhere(storage)
    const { objects, revision, remaining } = await cache.list()
    expect(objects.map(({ key }) => key)).toEqual(['things/a/1', 'things/b/1', 'things/b/2'])
    expect([revision, remaining]).toEqual([4, 0])
    expect((await cache.list({ namespace: 'b' })).objects.map(({ name }) => name)).toEqual(['1', '2'])
    expect(cache.get('things/a/1')?.object().metadata).toMatchObject({ name: '1', resourceVersion: '2' })
  })

  test('select by labels and fields through indexes that follow every change', async () => {
    const { storage, cache } = await world()
    await write(storage, 'a/1', 'red', { app: 'x' })
    await write(storage, 'a/2', 'blue', { app: 'x' })
    await write(storage, 'b/3', 'blue', { app: 'y' })
    const names = async (labels: string, fields: string, namespace?: string) => {
      const query = { namespace, labels: parseLabelSelector(labels), fields: parseFieldSelector(fields) }
      return (await cache.list(query)).objects.map(({ name }) => name).join()
    }
    expect(await names('app=x', '')).toBe('1,2')
    expect(await names('', 'spec.color=blue')).toBe('2,3')
    expect(await names('app=x', 'spec.color=blue')).toBe('2')
    expect(await names('', 'spec.color!=blue')).toBe('1')
    expect(await names('', 'metadata.name=3', 'b')).toBe('3')
    expect(await names('', 'metadata.name=3', 'a')).toBe('')
    await write(storage, 'a/1', 'blue', { app: 'y' })
    await remove(storage, 'a/2')
    expect(await names('app=x', '')).toBe('')
    expect(await names('app in (y)', 'spec.color=blue')).toBe('1,3')
    expect(await names('!missing', '', 'b')).toBe('3')
  })

  test('page through one revision while objects change', async () => {
    const { storage, cache } = await world()
    for (const path of ['a/1', 'a/2', 'a/3', 'a/4']) await write(storage, path)
    const first = await cache.list({ limit: 2 })
    expect([first.revision, first.more, first.remaining]).toEqual([4, true, 2])
    const after = first.objects.at(-1)?.key
    await elsewhere(storage)
    const same = await cache.list({ limit: 1, after, revision: first.revision })
    expect([same.objects.map(({ name }) => name), same.remaining]).toEqual([['3'], 1])
    await write(storage, 'a/35')
    await remove(storage, 'a/4')
    const second = await cache.list({ limit: 2, after, revision: first.revision })
    expect(second.objects.map(({ name }) => name)).toEqual(['3', '4'])
    expect([second.more, second.remaining]).toEqual([false, 0])
    const selected = await cache.list({ limit: 1, revision: 4, fields: parseFieldSelector('spec.color=red') })
    expect([selected.objects.length, selected.more, selected.remaining]).toEqual([1, true, undefined])
  })

  test('are there at once where nothing is missing and nothing has to be read', async () => {
    const { storage, cache } = await world()
    await write(storage, 'a/1')
    for (const query of [{}, { limit: 1 }, { revision: 1 }, { namespace: 'a', after: 'things/a/0' }])
      expect(await cache.list(query)).toEqual(cache.listNow(query))
    await elsewhere(storage)
    await cache.caughtUpTo(2)
    expect([cache.listNow({})?.revision, cache.listNow({ revision: 1 })?.revision]).toEqual([2, 1])
    expect(cache.listNow({ revision: 3 })).toBeUndefined()
    await write(storage, 'a/2')
    await cache.caughtUpTo(3)
    expect(cache.listNow({ revision: 1 })).toBeUndefined()
    expect(cache.listNow({ limit: 1 })).toMatchObject({ revision: 3, more: true, remaining: 1 })
  })

  test('at a compacted revision are Expired, at one that does not come Too large', async () => {
    const { clock, storage, cache } = await world()
    for (const color of ['1', '2', '3']) await write(storage, 'a/1', color)
    await cache.caughtUpTo(3)
    await storage.compact(3)
    await expect(cache.list({ revision: 1 })).rejects.toMatchObject({
      status: { code: 410, reason: 'Expired', message: 'too old resource version: 1 (3)' },
    })
    const future = expect(cache.list({ revision: 9 })).rejects.toMatchObject({
      status: {
        code: 504,
        message: 'Timeout: Too large resource version: 9, current: 3',
        details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
      },
    })
    await clock.advance(3_000)
    await future
  })
})

describe('a watch', () => {
  test('from now tells what comes', async () => {
    const { storage, cache } = await world()
    await write(storage, 'a/1')
    await cache.caughtUpTo(1)
    const watcher = await open(cache, { from: 'now' })
    await write(storage, 'a/1', 'blue')
    await write(storage, 'b/2')
    await remove(storage, 'a/1')
    expect(await hear(watcher, 3)).toEqual(['MODIFIED 1@2', 'ADDED 2@3', 'DELETED 1@4'])
  })

  test('from the initial state begins with an ADDED for every object and, if asked, says when these were all', async () => {
    const { storage, cache } = await world()
    await write(storage, 'a/2')
    await write(storage, 'a/1')
    await elsewhere(storage)
    const watcher = await open(cache, { from: 'initial', initialEventsEnd: true, namespace: 'a' })
    await write(storage, 'a/3')
    await write(storage, 'b/4')
    await write(storage, 'a/1', 'blue')
    expect(await hear(watcher, 5)).toEqual(['ADDED 1@2', 'ADDED 2@1', 'BOOKMARK end@3', 'ADDED 3@4', 'MODIFIED 1@6'])
  })

  test('from any revision tells exactly what followed, from the window or from the history', async () => {
    for (const eventsMax of [2, 1000]) {
      const { storage, cache } = await world({ eventsMax })
      const expected: string[] = []
      for (let revision = 1; revision <= 30; revision++) {
        if (revision % 7 === 0) await elsewhere(storage)
        else await write(storage, `a/${revision}`)
        expected.push(revision % 7 === 0 ? '' : `ADDED ${revision}@${revision}`)
      }
      await cache.caughtUpTo(30)
      const starts = [1, 5, 7, 13, 28, 29, 30]
      const watchers = await Promise.all(starts.map((from) => open(cache, { from })))
      await write(storage, 'a/last')
      for (const [index, from] of starts.entries()) {
        const rest = [...expected.slice(from).filter((text) => text !== ''), 'ADDED last@31']
        const [watcher] = watchers.slice(index)
        expect(watcher && (await hear(watcher, rest.length))).toEqual(rest)
      }
    }
  })

  test('from a compacted revision is Expired, unless the window still has what followed', async () => {
    const { clock, storage, cache } = await world({ windowMs: 1_000 })
    for (const color of ['1', '2', '3']) await write(storage, 'a/1', color)
    await cache.caughtUpTo(3)
    await storage.compact(3)
    expect(await hear(await open(cache, { from: 2 }), 1)).toEqual(['MODIFIED 1@3'])
    await clock.advance(1_001)
    await expect(open(cache, { from: 2 })).rejects.toMatchObject({
      status: { code: 410, reason: 'Expired', message: 'too old resource version: 2 (3)' },
    })
  })

  test('from a future revision begins with what comes after it', async () => {
    const { storage, cache } = await world()
    const watcher = await open(cache, { from: 2 })
    await write(storage, 'a/1')
    await write(storage, 'a/2')
    await write(storage, 'a/3')
    expect(await hear(watcher, 1)).toEqual(['ADDED 3@3'])
  })

  test('through a selector turns changes into arrivals and departures', async () => {
    const { storage, cache } = await world()
    const labels = await open(cache, { from: 'now', labels: parseLabelSelector('app=x') })
    const fields = await open(cache, { from: 'now', fields: parseFieldSelector('spec.color=red') })
    await write(storage, 'a/1', 'red', { app: 'y' })
    await write(storage, 'a/1', 'red', { app: 'x' })
    await write(storage, 'a/1', 'blue', { app: 'x' })
    await write(storage, 'a/1', 'blue', { app: 'y' })
    await remove(storage, 'a/1')
    await write(storage, 'a/2', 'red', { app: 'x' })
    await remove(storage, 'a/2')
    expect(await hear(labels, 5)).toEqual(['ADDED 1@2', 'MODIFIED 1@3', 'DELETED 1@4', 'ADDED 2@6', 'DELETED 2@7'])
    expect(await hear(fields, 5)).toEqual(['ADDED 1@1', 'MODIFIED 1@2', 'DELETED 1@3', 'ADDED 2@6', 'DELETED 2@7'])
  })

  test('is told the last matching state of what left, with the revision of the change', async () => {
    const { storage, cache } = await world()
    const watcher = await open(cache, { from: 'now', labels: parseLabelSelector('app=x') })
    await write(storage, 'a/1', 'red', { app: 'x' })
    await write(storage, 'a/1', 'blue', { app: 'y' })
    await hear(watcher, 0)
    const seen: Delivery[] = []
    while (seen.length < 2) seen.push(...((await watcher.next()).value ?? []))
    const frame = seen[1]?.frame(frames) ?? new Uint8Array()
    expect(JSON.parse(Buffer.from(frame).toString())).toEqual({
      type: 'DELETED',
      object: {
        ...thing('a/1', 'red', { app: 'x' }),
        metadata: { ...thing('a/1', 'red', { app: 'x' }).metadata, resourceVersion: '2' },
      },
    })
  })

  test('shares one frame per event with all other watches', async () => {
    const { storage, cache } = await world()
    const queries = [{ from: 'now' as const }, { from: 'now' as const, namespace: 'a' }]
    const [one, two] = await Promise.all(queries.map((query) => open(cache, query)))
    await write(storage, 'a/1')
    const first = (await one?.next())?.value?.[0]?.frame(frames)
    expect(first).toBe((await two?.next())?.value?.[0]?.frame(frames))
    expect(Buffer.from(first ?? []).toString()).toMatch(/^\{"type":"ADDED","object":\{.*"resourceVersion":"1".*\}\}\n$/)
  })

  test('that falls too far behind is closed with Expired, and others go on', async () => {
    const { storage, cache } = await world()
    const slow = await open(cache, { from: 'now' })
    const idle = await open(cache, { from: 'now', namespace: 'b' })
    for (let index = 0; index <= WATCH_BUFFER_EVENTS_MAX; index++) void write(storage, 'a/1')
    await write(storage, 'b/1')
    await cache.caughtUpTo(storage.head)
    await expect(slow.next()).rejects.toMatchObject({ status: { code: 410, reason: 'Expired' } })
    expect(await hear(idle, 1)).toEqual([`ADDED 1@${storage.head}`])
    expect(cache.watchers).toBe(1)
  })

  test('gets bookmarks about once a minute, only if asked', async () => {
    const { clock, storage, cache } = await world()
    const asked = await open(cache, { from: 'now', bookmarks: true })
    const other = await open(cache, { from: 'now' })
    const heard = hear(asked, 2)
    await elsewhere(storage)
    await clock.advance(75_000)
    await write(storage, 'a/1')
    expect(await heard).toEqual(['BOOKMARK@1', 'ADDED 1@2'])
    expect(await hear(other, 1)).toEqual(['ADDED 1@2'])
    await asked.return()
    await other.return()
    expect(clock.pending).toBe(0)
  })

  test('ends with its signal and with the cache', async () => {
    const { storage, cache } = await world()
    const abort = new AbortController()
    const watcher = await cache.watch({ from: 'now', signal: abort.signal })
    const other = await open(cache, { from: 'now' })
    await write(storage, 'a/1')
    await cache.caughtUpTo(1)
    abort.abort()
    expect(await hear(watcher, 2)).toEqual(['ADDED 1@1'])
    cache[Symbol.dispose]()
    expect(await hear(other, 2)).toEqual(['ADDED 1@1'])
    expect(cache.watchers).toBe(0)
  })

  test('never misses or repeats an event, wherever and whenever it starts', async () => {
    const { storage, cache } = await world({ eventsMax: 10 })
    const random = seededRandom(7)
    const runs: Promise<void>[] = []
    for (let revision = 1; revision <= 400; revision++) {
      await write(storage, `a/${Math.floor(random.next() * 5)}`)
      if (revision % 9 !== 0) continue
      const from = Math.floor(random.next() * revision)
      if (from === 0) continue
      runs.push(
        open(cache, { from }).then(async (watcher) => {
          const seen = (await hear(watcher, 400 - from)).map((text) => Number(text.split('@')[1]))
          expect(seen).toEqual(Array.from({ length: 400 - from }, (_, index) => from + 1 + index))
        }),
      )
    }
    await Promise.all(runs)
  })
})
