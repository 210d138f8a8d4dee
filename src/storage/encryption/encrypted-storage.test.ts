import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { silentLogger } from '../../base/log.ts'
import { systemRandom } from '../../base/random.ts'
import { openMemoryStorage } from '../memory-storage.ts'
import { type Change, Compacted, Corrupt, type Storage } from '../storage.ts'
import { aesGcm } from './ciphers.ts'
import { encryptedStorage } from './encrypted-storage.ts'
import { byPrefix, plain, type Transformer } from './transformers.ts'

const ciphers = { old: aesGcm(randomBytes(32), systemRandom), next: aesGcm(randomBytes(32), systemRandom) }

/** Writes with the first of the named keys; plain values are read too. */
function keyed(...names: readonly (keyof typeof ciphers)[]): Transformer {
  return byPrefix(
    [
      ...names.map((name) => ({ prefix: `enc:${name}:`, transformer: ciphers[name] })),
      { prefix: '', transformer: plain('enc:', 'encrypted') },
    ],
    'no matching key',
  )
}

/** Keys that begin with `s/` are encrypted, with what `rules.current` is at the moment. */
function open() {
  const raw = openMemoryStorage()
  const rules = { current: keyed('old') }
  const transformerOf = (key: string) => (key.startsWith('s/') ? rules.current : undefined)
  return { raw, rules, storage: encryptedStorage(raw, { transformerOf }, silentLogger) }
}

const put = (storage: Storage, key: string, value: string) =>
  storage.transact([], [{ type: 'put', key, value: Buffer.from(value) }])

const textOf = async (storage: Storage, key: string, revision?: number) =>
  Buffer.from((await storage.get(key, revision))?.value ?? []).toString()

async function changesOf(storage: Storage, from: number): Promise<readonly Change[]> {
  const stop = new AbortController()
  const seen: Change[] = []
  for await (const batch of storage.changes(from, stop.signal)) {
    seen.push(...batch)
    if (batch.at(-1)?.revision === storage.head) stop.abort()
  }
  return seen
}

const shown = ({ key, value, previous }: Change) =>
  [key, value && Buffer.from(value).toString(), previous && Buffer.from(previous.value).toString()] as const

test('values under the prefix are encrypted, others are as they were', async () => {
  const { raw, storage } = open()
  await put(storage, 's/a', 'hidden')
  await put(storage, 'p/a', 'open')
  expect(await textOf(raw, 's/a')).toMatch(/^enc:old:/)
  expect([await textOf(storage, 's/a'), await textOf(storage, 'p/a'), await textOf(raw, 'p/a')]).toEqual([
    'hidden',
    'open',
    'open',
  ])
})

test('the past, pages and changes are read with the key they were written with', async () => {
  const { rules, storage } = open()
  await put(storage, 's/a', 'one')
  rules.current = keyed('next', 'old')
  await put(storage, 's/a', 'two')
  await put(storage, 's/b', 'three')
  await storage.transact([], [{ type: 'delete', key: 's/b' }])
  expect([await textOf(storage, 's/a', 1), await textOf(storage, 's/a')]).toEqual(['one', 'two'])
  expect((await storage.list('s/')).entries.map(({ value }) => Buffer.from(value).toString())).toEqual(['two'])
  expect((await changesOf(storage, 0)).map(shown)).toEqual([
    ['s/a', 'one', undefined],
    ['s/a', 'two', 'one'],
    ['s/b', 'three', undefined],
    ['s/b', undefined, 'three'],
  ])
})

test('a value that would be written otherwise today is stale', async () => {
  const { rules, storage } = open()
  await put(storage, 's/a', 'x')
  const isStale = async () => [(await storage.get('s/a'))?.stale, (await storage.list('s/')).entries[0]?.stale]
  expect(await isStale()).toEqual([undefined, undefined])
  rules.current = keyed('next', 'old')
  expect(await isStale()).toEqual([true, true])
  await put(storage, 's/a', 'x')
  expect(await isStale()).toEqual([undefined, undefined])
})

test('a write that is refused shows the plain value that is there', async () => {
  const { storage } = open()
  await put(storage, 's/a', 'there')
  const outcome = await storage.transact([{ key: 's/a', revision: 0 }], [{ type: 'delete', key: 's/a' }])
  expect(outcome).toMatchObject({ result: 'rejected', current: { value: Buffer.from('there'), modified: 1 } })
})

test('what cannot be opened is corrupt where it is asked for, and named on its page', async () => {
  const { rules, storage } = open()
  await put(storage, 's/a', 'lost')
  rules.current = keyed('next')
  await put(storage, 's/b', 'kept')
  await expect(storage.get('s/a')).rejects.toThrow(Corrupt)
  const { entries, unreadable } = await storage.list('s/')
  expect(entries.map(({ key }) => key)).toEqual(['s/b'])
  expect(unreadable).toMatchObject([{ key: 's/a', created: 1, modified: 1, error: { message: 'no matching key' } }])
})

test('what is put and deleted at once is told in plain', async () => {
  const { storage } = open()
  for (const key of ['s/a', 'p/a'])
    await storage.transact([], [{ type: 'put', key, value: Buffer.from('short') }], { thenDeletes: [key] })
  expect((await changesOf(storage, 0)).map(shown)).toEqual([
    ['s/a', 'short', undefined],
    ['s/a', undefined, 'short'],
    ['p/a', 'short', undefined],
    ['p/a', undefined, 'short'],
  ])
})

test('values that are not encrypted any more are refused where they still are', async () => {
  const { raw, rules, storage } = open()
  await put(storage, 's/a', 'hidden')
  rules.current = plain('enc:', 'it is encrypted')
  await put(storage, 's/b', 'open')
  expect(await textOf(raw, 's/b')).toBe('open')
  await expect(storage.get('s/a')).rejects.toThrow('it is encrypted')
  await expect(changesOf(storage, 0)).rejects.toThrow(Compacted)
  await put(storage, 's/a', 'open')
  expect((await changesOf(storage, 1)).map(shown)).toEqual([
    ['s/b', 'open', undefined],
    ['s/a', 'open', undefined],
  ])
})

test('a history whose key is gone is no longer there; what was written over it is', async () => {
  const { rules, storage } = open()
  await put(storage, 's/a', 'lost')
  rules.current = keyed('next')
  await put(storage, 's/a', 'kept')
  await expect(changesOf(storage, 0)).rejects.toThrow(Compacted)
  expect((await changesOf(storage, 1)).map(shown)).toEqual([['s/a', 'kept', undefined]])
})
