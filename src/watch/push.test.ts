import { afterEach, expect, test } from 'vitest'
import { createFakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/log.ts'
import { seededRandom } from '../base/random.ts'
import type { ChunkSink } from '../machinery/wire/chunk.ts'
import { openMemoryStorage } from '../storage/memory-storage.ts'
import { cachedObjectFactory } from './cached-object.ts'
import { jsonFrames } from './event.ts'
import { type PushOptions, push } from './push.ts'
import { createWatchCache } from './watch-cache.ts'

const make = cachedObjectFactory()
const later = jsonFrames({ apiVersion: 'v1', kind: 'Thing' })
const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop()
})

/** A sink that is full after every write until it is told to go on. */
class Sink implements ChunkSink {
  readonly chunks: string[] = []
  isEnded = false
  #onDrain: (() => void) | undefined
  readonly #isNarrow: boolean

  constructor(isNarrow: boolean) {
    this.#isNarrow = isNarrow
  }

  write({ bytes }: { readonly bytes: Uint8Array }): boolean {
    this.chunks.push(Buffer.from(bytes).toString())
    return !this.#isNarrow
  }

  whenDrained(callback: () => void): void {
    this.#onDrain = callback
  }

  end(): void {
    this.isEnded = true
  }

  drain(): void {
    this.#onDrain?.()
  }

  /** The names in each chunk. */
  get told(): readonly string[] {
    return this.chunks.map((chunk) => [...chunk.matchAll(/"name":"([^"]+)"/g)].map(([, name]) => name).join())
  }
}

async function pushing({ initial = 0, narrow = false, first = later, signal = new AbortController().signal } = {}) {
  const storage = openMemoryStorage()
  const cache = createWatchCache({
    ...{ storage, prefix: 'things/', clock: createFakeClock(), random: seededRandom(1), log: silentLogger },
    codec: {
      decode: ({ key, value: bytes, modified: revision }) =>
        make({ ...{ key, namespace: '', name: key, uid: '', revision, labels: {}, fields: {} }, bytes }),
    },
  })
  stops.push(async () => {
    cache[Symbol.dispose]()
    await storage[Symbol.asyncDispose]()
  })
  const write = (...names: readonly string[]) =>
    storage.transact(
      [],
      names.map((name) => ({ type: 'put', key: `things/${name}`, value: Buffer.from(JSON.stringify({ name })) })),
    )
  for (let index = 0; index < initial; index++) await write(`old-${index}`)
  const sink = new Sink(narrow)
  const failure = (error: Error) => Buffer.from(`failed: ${error.message}`)
  let ends = 0
  const options: PushOptions = { encodings: { first, later }, failure, onEnd: () => void ends++ }
  const watcher = await cache.watch({ from: 'initial', signal })
  const replayed = push(watcher, options, sink)
  return { write, sink, replayed, watcher, ends: () => ends }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('what was there comes first, then each commit as one chunk', async () => {
  const { write, sink, replayed } = await pushing({ initial: 2 })
  await replayed
  await write('a', 'b')
  await write('c')
  await settled()
  expect(sink.told).toEqual(['old-0,old-1', 'a,b', 'c'])
})

test('while the sink is full events gather, and go out together when it is not', async () => {
  const { write, sink, replayed } = await pushing({ initial: 1, narrow: true })
  await settled()
  sink.drain()
  await replayed
  for (const name of ['a', 'b', 'c']) await write(name)
  await settled()
  expect(sink.told).toEqual(['old-0', 'a'])
  sink.drain()
  expect(sink.told).toEqual(['old-0', 'a', 'b,c'])
})

test('only the first event is in the encoding of the first', async () => {
  const first = { name: 'first', event: () => Buffer.from('"name":"first"'), bookmark: later.bookmark }
  const { write, sink, replayed } = await pushing({ initial: 3, first })
  await replayed
  await write('a')
  await settled()
  expect(sink.told).toEqual(['first', 'old-1,old-2', 'a'])
})

test('ends the sink when the watch ends, after what waits', async () => {
  const stop = new AbortController()
  const { write, sink, replayed, ends } = await pushing({ narrow: true, signal: stop.signal })
  await replayed
  await write('a')
  await write('b')
  await settled()
  stop.abort()
  await settled()
  expect([sink.told, sink.isEnded]).toEqual([['a'], false])
  sink.drain()
  sink.drain()
  await settled()
  expect([sink.told, sink.isEnded, ends()]).toEqual([['a', 'b'], true, 1])
})

test('says last why it failed', async () => {
  const { sink, replayed, watcher, ends } = await pushing()
  await replayed
  watcher.end(new Error('lost'))
  watcher.end(new Error('again'))
  await settled()
  expect([sink.chunks, sink.isEnded, ends()]).toEqual([['failed: lost'], true, 1])
})

test('an object that cannot be encoded ends the watch, and no other', async () => {
  const event = () => {
    throw new Error('no such form')
  }
  const fails = { name: 'fails', event, bookmark: later.bookmark }
  for (const initial of [0, 1]) {
    const { write, sink, replayed, ends } = await pushing({ initial, first: fails })
    await replayed
    await write('a')
    await settled()
    expect([sink.chunks, sink.isEnded, ends()]).toEqual([['failed: no such form'], true, 1])
  }
})

test('much that waits goes out in parts, nothing twice and nothing lost', async () => {
  const { write, sink, replayed } = await pushing({ narrow: true })
  await replayed
  const names = Array.from({ length: 40 }, (_, index) => `${index}-${'x'.repeat(100_000)}`)
  for (const name of names) await write(name)
  await settled()
  for (let drains = 0; drains < 10; drains++) sink.drain()
  const lengths = sink.told.map((told) => told.split(',').length)
  expect(sink.told.flatMap((told) => told.split(','))).toEqual(names)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(10)
})
