/**
 * What every storage backend promises, as tests. `open` makes an empty storage; where storage is durable, `reopen`
 * closes it and opens the same data again.
 */

import { afterEach, describe, expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../../src/base/fake-clock.ts'
import { byCodeUnit } from '../../src/base/group-by.ts'
import { type Random, randomInteger, seededRandom, systemRandom } from '../../src/base/random.ts'
import {
  type Change,
  Compacted,
  Fenced,
  FutureRevision,
  type Outcome,
  ReadOnly,
  type Revision,
  type Storage,
  type Write,
} from '../../src/storage/storage.ts'

export interface OpenOptions {
  readonly clock: FakeClock
  readonly historyMs: number
}

export interface OpenedStorage extends AsyncDisposable {
  readonly storage: Storage
  /** Closes the storage and opens its data again. Absent where nothing survives closing. */
  readonly reopen?: (() => Promise<Storage>) | undefined
}

const HISTORY_MS = 60_000
const text = (value: string): Uint8Array => Buffer.from(value)
const put = (key: string, value: string): Write => ({ type: 'put', key, value: text(value) })
const del = (key: string): Write => ({ type: 'delete', key })
const never = new AbortController().signal

export function storageContract(name: string, open: (options: OpenOptions) => Promise<OpenedStorage>): void {
  const opened: OpenedStorage[] = []
  afterEach(async () => {
    for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
  })
  const start = async (): Promise<OpenedStorage & { readonly clock: FakeClock }> => {
    const clock = createFakeClock()
    const one = await open({ clock, historyMs: HISTORY_MS })
    opened.push(one)
    return { ...one, clock }
  }

  describe(name, () => {
    transactions(async () => (await start()).storage)
    reads(async () => (await start()).storage)
    changeStreams(async () => (await start()).storage)
    history(start)
    lifetimes(start)
    randomOperations(start)
  })
}

function transactions(start: () => Promise<Storage>): void {
  describe('transactions', () => {
    test('each takes the next revision, whatever the number of its writes', async () => {
      await using storage = await start()
      expect(storage.head).toBe(0)
      expect(await storage.transact([], [put('a', '1')])).toEqual({ result: 'committed', revision: 1 })
      expect(await storage.transact([], [put('a', '2'), put('b', '2'), put('c', '2')])).toMatchObject({ revision: 2 })
      expect(await storage.transact([], [del('b')])).toMatchObject({ revision: 3 })
      expect(storage.head).toBe(3)
    })

    test('commit only when every expectation holds', async () => {
      await using storage = await start()
      await storage.transact([{ key: 'a', revision: 0 }], [put('a', '1')])
      const stale = await storage.transact([{ key: 'a', revision: 0 }], [put('a', '2')])
      expect(stale).toEqual({
        result: 'rejected',
        key: 'a',
        current: { key: 'a', value: text('1'), created: 1, modified: 1 },
      })
      const two = [
        { key: 'a', revision: 1 },
        { key: 'b', revision: 7 },
      ]
      expect(await storage.transact(two, [put('a', '3')])).toEqual({
        result: 'rejected',
        key: 'b',
        current: undefined,
      })
      expect(storage.head).toBe(1)
      expect(await textOf(storage, 'a')).toBe('1')
    })

    test('one that is followed by a deletion takes two revisions, and nothing comes between them', async () => {
      await using storage = await start()
      await storage.transact([], [put('a', '1'), put('b', '1')])
      const options = { thenDeletes: ['a'], cause: 'both' }
      const stale = await storage.transact([{ key: 'a', revision: 7 }], [put('a', '2')], options)
      expect(stale).toMatchObject({ result: 'rejected', key: 'a' })
      const outcomes = await Promise.all([
        storage.transact([{ key: 'a', revision: 1 }], [put('a', '2')], options),
        storage.transact([{ key: 'a', revision: 2 }], [put('a', '3')]),
        storage.transact([{ key: 'a', revision: 0 }], [put('a', '4')]),
      ])
      expect(outcomes).toMatchObject([
        { result: 'committed', revision: 2 },
        { result: 'rejected', key: 'a', current: undefined },
        { result: 'committed', revision: 4 },
      ])
      const told = (await take(storage, 1, 3)).map(({ revision, value, previous }) => {
        return [revision, value && `${Buffer.from(value)}`, previous && `${Buffer.from(previous.value)}`]
      })
      expect(told).toEqual([
        [2, '2', '1'],
        [3, undefined, '2'],
        [4, '4', undefined],
      ])
      expect([await textOf(storage, 'a', 2), await textOf(storage, 'a', 3)]).toEqual(['2', undefined])
      expect([await storage.cause(2), await storage.cause(3), await storage.cause(4)]).toEqual([
        'both',
        'both',
        undefined,
      ])
    })

    test('only what was put can be deleted right after', async () => {
      await using storage = await start()
      await storage.transact([], [put('a', '1'), put('b', '1')])
      await expect(storage.transact([], [put('a', '2')], { thenDeletes: ['b'] })).rejects.toThrow('was put')
      await expect(storage.transact([], [del('a')], { thenDeletes: ['a'] })).rejects.toThrow('was put')
      expect(storage.head).toBe(1)
    })

    test('a delete expects its key to exist', async () => {
      await using storage = await start()
      expect(await storage.transact([], [put('a', '1'), del('b')])).toMatchObject({ result: 'rejected', key: 'b' })
      expect(await storage.get('a')).toBeUndefined()
    })

    test('concurrent calls commit in the order of the calls, and one of two rivals wins', async () => {
      await using storage = await start()
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, index) => storage.transact([], [put(`k${index}`, `${index}`)])),
      )
      expect(outcomes.map(revisionOf)).toEqual(Array.from({ length: 50 }, (_, index) => index + 1))
      const rivals = await Promise.all(
        ['x', 'y', 'z'].map((value) => storage.transact([{ key: 'new', revision: 0 }], [put('new', value)])),
      )
      expect(rivals.map(({ result }) => result)).toEqual(['committed', 'rejected', 'rejected'])
      expect(rivals[2]).toMatchObject({ current: { modified: 51, value: text('x') } })
    })

    test('are visible to every read once they have committed', async () => {
      await using storage = await start()
      for (let round = 1; round <= 20; round++) {
        await storage.transact([], [put('a', `${round}`)])
        expect(storage.head).toBe(round)
        expect(await textOf(storage, 'a')).toBe(`${round}`)
      }
    })

    test('are refused behind a newer fence', async () => {
      await using storage = await start()
      await storage.transact([], [put('a', '1')], { fence: 5 })
      await expect(storage.transact([], [put('a', '2')], { fence: 4 })).rejects.toThrow(Fenced)
      expect(await storage.transact([], [put('a', '3')], { fence: 5 })).toMatchObject({ revision: 2 })
      expect(await storage.transact([], [put('a', '4')])).toMatchObject({ revision: 3 })
    })

    test('keep their cause', async () => {
      await using storage = await start()
      await storage.transact([], [put('a', '1')], { cause: 'because "é"' })
      await storage.transact([], [put('a', '2')])
      expect(await storage.cause(1)).toBe('because "é"')
      expect(await storage.cause(2)).toBeUndefined()
      expect(await storage.cause(3)).toBeUndefined()
    })

    test('take big values, empty values and any text as a key', async () => {
      await using storage = await start()
      const big = new Uint8Array(3_000_000).map((_, index) => index * 31)
      await storage.transact([], [{ type: 'put', key: 'big', value: big }, put('empty', ''), put('ключ/😀\u0000', 'x')])
      expect(Buffer.compare((await storage.get('big'))?.value ?? new Uint8Array(), big)).toBe(0)
      expect(await textOf(storage, 'empty')).toBe('')
      expect(await textOf(storage, 'ключ/😀\u0000')).toBe('x')
    })

    test('without writes, or with two for one key, are programmer errors', async () => {
      await using storage = await start()
      await expect(storage.transact([], [])).rejects.toThrow('at least one write')
      await expect(storage.transact([], [put('a', '1'), del('a')])).rejects.toThrow('at most once')
      await expect(storage.transact([], [put('\ud800', '1')])).rejects.toThrow('valid Unicode')
    })
  })
}

function reads(start: () => Promise<Storage>): void {
  describe('reads', () => {
    test('tell when a key was created and modified; a deletion starts anew', async () => {
      await using storage = await start()
      await storage.transact([], [put('a', '1')])
      await storage.transact([], [put('a', '2')])
      expect(await storage.get('a')).toEqual({ key: 'a', value: text('2'), created: 1, modified: 2 })
      await storage.transact([], [del('a')])
      await storage.transact([], [put('a', '4')])
      expect(await storage.get('a')).toMatchObject({ created: 4, modified: 4 })
    })

    test('answer at every kept revision', async () => {
      await using storage = await start()
      await storage.transact([], [put('a', '1')])
      await storage.transact([], [put('a', '2')])
      await storage.transact([], [del('a')])
      const values = await Promise.all([0, 1, 2, 3].map((revision) => textOf(storage, 'a', revision)))
      expect(values).toEqual([undefined, '1', '2', undefined])
      await expect(storage.get('a', 4)).rejects.toThrow(FutureRevision)
    })

    test('list a prefix in code-unit order, page by page, with what remains', async () => {
      await using storage = await start()
      for (const key of ['p/b', 'p/B', 'p/a', 'q/a', 'p/é', 'o', 'p/a/1']) await storage.transact([], [put(key, key)])
      const all = await storage.list('p/')
      expect(all.entries.map(({ key }) => key)).toEqual(['p/B', 'p/a', 'p/a/1', 'p/b', 'p/é'])
      expect(all).toMatchObject({ revision: 7, remaining: 0 })
      const page = await storage.list('p/', { limit: 2 })
      expect([page.entries.map(({ key }) => key), page.remaining]).toEqual([['p/B', 'p/a'], 3])
      const next = await storage.list('p/', { limit: 2, after: 'p/a' })
      expect([next.entries.map(({ key }) => key), next.remaining]).toEqual([['p/a/1', 'p/b'], 1])
      for (const [countMax, remaining] of [
        [0, 0],
        [1, 1],
        [3, 3],
        [4, 3],
      ] as const)
        expect(await storage.list('p/', { limit: 2, countMax })).toMatchObject({ entries: page.entries, remaining })
      expect((await storage.list('p/', { after: 'p/é' })).entries).toEqual([])
      expect((await storage.list('none/')).entries).toEqual([])
    })

    test('list a prefix at an older revision while writes go on', async () => {
      await using storage = await start()
      await storage.transact([], [put('p/a', '1'), put('p/b', '1'), put('p/c', '1')])
      await storage.transact([], [del('p/b'), put('p/a', '2')])
      await storage.transact([], [put('p/d', '3')])
      const old = await storage.list('p/', { revision: 1, limit: 2 })
      expect(old.entries.map(({ key, value }) => [key, `${Buffer.from(value)}`])).toEqual([
        ['p/a', '1'],
        ['p/b', '1'],
      ])
      expect([old.revision, old.remaining]).toEqual([1, 1])
      expect((await storage.list('p/')).entries.map(({ key }) => key)).toEqual(['p/a', 'p/c', 'p/d'])
      await expect(storage.list('p/', { revision: 4 })).rejects.toThrow(FutureRevision)
    })
  })
}

function changeStreams(start: () => Promise<Storage>): void {
  describe('changes', () => {
    test('tell what was written and what was there before', async () => {
      await using storage = await start()
      await storage.transact([], [put('a', '1')])
      await storage.transact([], [put('a', '2')])
      await storage.transact([], [del('a')])
      const first = { key: 'a', value: text('1'), created: 1, modified: 1 }
      expect(await take(storage, 0, 3)).toEqual([
        { revision: 1, key: 'a', value: text('1'), created: 1, previous: undefined },
        { revision: 2, key: 'a', value: text('2'), created: 1, previous: first },
        { revision: 3, key: 'a', value: undefined, created: 1, previous: { ...first, value: text('2'), modified: 2 } },
      ])
    })

    test('resume anywhere without a gap or a repetition, while others write', async () => {
      await using storage = await start()
      const total = 300
      const streams = [0, 1, 7].map(async (pause) => {
        const seen: Revision[] = []
        while (seen.length < total) {
          for (const change of await take(
            storage,
            seen.length,
            Math.min(pause === 0 ? total : 1 + (seen.length % 40), total - seen.length),
          )) {
            seen.push(change.revision)
          }
        }
        return seen
      })
      for (let written = 0; written < total; written += 10) {
        const ten = Array.from({ length: 10 }, (_, index) => storage.transact([], [put(`k${index}`, `${written}`)]))
        await Promise.all(ten)
      }
      for (const seen of await Promise.all(streams)) {
        expect(seen.slice(0, total)).toEqual(Array.from({ length: total }, (_, index) => index + 1))
      }
    })

    test('never split a transaction over two batches', async () => {
      await using storage = await start()
      await storage.transact([], [put('a', '1'), put('b', '1')])
      await storage.transact([], [put('c', '2'), put('d', '2')])
      for await (const batch of storage.changes(1, never)) {
        expect(batch.map(({ key, revision }) => [key, revision])).toEqual([
          ['c', 2],
          ['d', 2],
        ])
        break
      }
    })

    test('wait for what comes, and end with the signal', async () => {
      await using storage = await start()
      const abort = new AbortController()
      const seen: string[] = []
      const done = (async () => {
        for await (const batch of storage.changes(0, abort.signal)) seen.push(...batch.map(({ key }) => key))
      })()
      await storage.transact([], [put('a', '1')])
      await take(storage, 0, 1)
      abort.abort()
      await done
      expect(seen).toEqual(['a'])
    })

    test('from a future revision are refused', async () => {
      await using storage = await start()
      await expect(take(storage, 1, 1)).rejects.toThrow(FutureRevision)
    })
  })
}

function history(start: () => Promise<OpenedStorage & { readonly clock: FakeClock }>): void {
  describe('history', () => {
    test('is forgotten by compaction, current values stay', async () => {
      const { storage } = await start()
      await storage.transact([], [put('a', '1'), put('gone', '1')])
      await storage.transact([], [put('a', '2'), del('gone')])
      await storage.transact([], [put('b', '3')])
      await storage.transact([], [put('a', '4')])
      await storage.compact(3)
      expect(storage.compacted).toBe(3)
      await expect(storage.get('a', 2)).rejects.toThrow(Compacted)
      await expect(storage.list('', { revision: 2 })).rejects.toThrow(Compacted)
      await expect(take(storage, 2, 1)).rejects.toThrow(Compacted)
      expect(await textOf(storage, 'a', 3)).toBe('2')
      expect(await take(storage, 3, 1)).toMatchObject([{ revision: 4, key: 'a', previous: { modified: 2 } }])
      expect((await storage.list('')).entries.map(({ key }) => key)).toEqual(['a', 'b'])
      expect(await storage.get('gone')).toBeUndefined()
    })

    test('is compacted once, never back, never ahead', async () => {
      const { storage } = await start()
      for (const value of ['1', '2', '3']) await storage.transact([], [put('a', value)])
      await storage.compact(2)
      await storage.compact(2)
      await storage.compact(1)
      expect(storage.compacted).toBe(2)
      await expect(storage.compact(4)).rejects.toThrow(FutureRevision)
      await storage.compact(3)
      expect(await textOf(storage, 'a')).toBe('3')
      expect(await storage.transact([{ key: 'a', revision: 3 }], [put('a', '4')])).toMatchObject({ revision: 4 })
    })

    test('is forgotten by age', async () => {
      const { storage, clock } = await start()
      await storage.transact([], [put('a', '1')])
      await storage.transact([], [put('a', '2')])
      await clock.advance(HISTORY_MS / 2)
      await storage.transact([], [put('a', '3')])
      expect(storage.compacted).toBe(0)
      await clock.advance(HISTORY_MS / 2 + HISTORY_MS / 5)
      await expect.poll(() => storage.compacted).toBe(2)
      expect(await textOf(storage, 'a', 2)).toBe('2')
    })
  })
}

function lifetimes(start: () => Promise<OpenedStorage & { readonly clock: FakeClock }>): void {
  test('a closed storage refuses writes and ends its streams', async () => {
    const { storage } = await start()
    await storage.transact([], [put('a', '1')])
    const ended = take(storage, 0, 2)
    await storage[Symbol.asyncDispose]()
    await expect(storage.transact([], [put('a', '2')])).rejects.toThrow(ReadOnly)
    expect(await ended).toHaveLength(1)
  })

  test('what committed survives closing and opening, with its history', async ({ skip }) => {
    const { storage, reopen } = await start()
    if (!reopen) return skip('nothing survives closing')
    await storage.transact([], [put('a', '1'), put('b', '1')], { cause: 'first', fence: 3 })
    await storage.transact([], [put('a', '2')])
    await storage.transact([], [del('b')])
    await storage.transact([], [put('a', '4')], { cause: 'last' })
    const before = await take(storage, 0, 5)
    const again = await reopen()
    expect([again.head, again.compacted]).toEqual([4, 0])
    expect(await take(again, 0, 5)).toEqual(before)
    expect(await again.get('a')).toEqual({ key: 'a', value: text('4'), created: 1, modified: 4 })
    expect(await textOf(again, 'b', 2)).toBe('1')
    expect([await again.cause(1), await again.cause(4)]).toEqual(['first', 'last'])
    await expect(again.transact([], [put('c', '5')], { fence: 2 })).rejects.toThrow(Fenced)
    expect(await again.transact([], [put('c', '5')], { fence: 3 })).toMatchObject({ revision: 5 })
  })

  test('compaction survives closing and opening', async ({ skip }) => {
    const { storage, reopen } = await start()
    if (!reopen) return skip('nothing survives closing')
    for (const value of ['1', '2', '3', '4']) await storage.transact([], [put('a', value), put(`k${value}`, value)])
    await storage.compact(2)
    const again = await reopen()
    expect([again.head, again.compacted]).toEqual([4, 2])
    expect((await again.list('')).entries).toHaveLength(5)
    await again.compact(4)
    expect(await textOf(again, 'k1')).toBe('1')
    const empty = await reopen()
    expect([empty.head, empty.compacted]).toEqual([4, 4])
    expect(await empty.transact([{ key: 'a', revision: 4 }], [del('a')])).toMatchObject({ revision: 5 })
  })
}

/** Random transactions, compactions and reopenings against plain maps, one per revision. */
function randomOperations(start: () => Promise<OpenedStorage>): void {
  test('random operations agree with a plain map at every revision', async () => {
    const seed = Number(process.env.SEED ?? randomInteger(systemRandom, 2 ** 31))
    const random = seededRandom(seed)
    const { storage: first, reopen } = await start()
    let storage = first
    const states: ReadonlyMap<string, string>[] = [new Map()]
    for (let step = 0; step < 400; step++) {
      await randomTransaction(storage, random, states)
      if (step % 20 === 0) await storage.compact(randomInteger(random, storage.head + 1))
      if (step % 70 === 69 && reopen) storage = await reopen()
      if (step % 10 === 0) await compareState(storage, states, pickRevision(storage, random), seed)
    }
    for (let at = storage.compacted; at <= storage.head; at++) await compareState(storage, states, at, seed)
  })
}

async function randomTransaction(storage: Storage, random: Random, states: ReadonlyMap<string, string>[]) {
  const state = new Map(states.at(-1))
  const keys = new Set(Array.from({ length: 1 + randomInteger(random, 3) }, () => `k/${randomInteger(random, 30)}`))
  const writes = [...keys].map((key) => {
    if (state.has(key) && random.next() < 0.4) return del(key)
    return put(key, 'x'.repeat(randomInteger(random, 50)) + random.next())
  })
  const rejected = random.next() < 0.1
  const expected = rejected ? [{ key: [...keys][0] ?? '', revision: 1_000_000 }] : []
  const shortLived = random.next() < 0.2 ? writes.find(({ type }) => type === 'put')?.key : undefined
  const outcome = await storage.transact(
    expected,
    writes,
    shortLived === undefined ? {} : { thenDeletes: [shortLived] },
  )
  expect(outcome.result).toBe(rejected ? 'rejected' : 'committed')
  if (rejected) return
  for (const write of writes) {
    if (write.type === 'put') state.set(write.key, Buffer.from(write.value).toString())
    else state.delete(write.key)
  }
  states.push(state)
  if (shortLived !== undefined) states.push(new Map([...state].filter(([key]) => key !== shortLived)))
}

const pickRevision = (storage: Storage, random: Random): Revision =>
  storage.compacted + randomInteger(random, storage.head - storage.compacted + 1)

async function compareState(
  storage: Storage,
  states: readonly ReadonlyMap<string, string>[],
  revision: Revision,
  seed: number,
): Promise<void> {
  const { entries } = await storage.list('k/', { revision })
  const actual = entries.map(({ key, value }) => [key, Buffer.from(value).toString()])
  const expected = [...(states[revision] ?? [])].sort(([left], [right]) => byCodeUnit(left, right))
  expect(actual, `SEED=${seed}, revision ${revision}`).toEqual(expected)
}

export async function textOf(storage: Storage, key: string, revision?: Revision): Promise<string | undefined> {
  const entry = await storage.get(key, revision)
  return entry && Buffer.from(entry.value).toString()
}

/** The first changes after `from`, at least `count` of them, fewer when the stream ends. */
export async function take(storage: Storage, from: Revision, count: number): Promise<readonly Change[]> {
  const taken: Change[] = []
  for await (const batch of storage.changes(from, never)) {
    taken.push(...batch)
    if (taken.length >= count) break
  }
  return taken
}

function revisionOf(outcome: Outcome): Revision | undefined {
  return outcome.result === 'committed' ? outcome.revision : undefined
}
