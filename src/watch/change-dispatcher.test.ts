import { expect, test } from 'vitest'
import { silentLogger } from '../base/log.ts'
import { openMemoryStorage } from '../storage/memory-storage.ts'
import { type Change, Compacted, type Storage } from '../storage/storage.ts'
import { createChangeDispatcher } from './change-dispatcher.ts'

const write = (storage: Storage, key: string) => storage.transact([], [{ type: 'put', key, value: new Uint8Array(1) }])

test('hands each subscriber the changes of its prefix, and everyone the progress', async () => {
  await using storage = openMemoryStorage()
  await write(storage, 'a/before')
  using dispatcher = createChangeDispatcher(storage, silentLogger)
  expect(dispatcher.revision).toBe(1)
  const seen: string[] = []
  const subscribe = (prefix: string) =>
    dispatcher.subscribe({
      prefix,
      changed: (changes) => {
        // Nobody is told of a revision before its subscribers have seen it.
        for (const { key, revision } of changes) seen.push(`${key}@${revision} after ${dispatcher.revision}`)
      },
      lost: () => seen.push('lost'),
    })
  const unsubscribe = subscribe('a/')
  subscribe('b/')
  await write(storage, 'a/1')
  await dispatcher.caughtUpTo(2)
  await write(storage, 'c/1')
  await write(storage, 'b/1')
  await dispatcher.caughtUpTo(4)
  unsubscribe()
  await write(storage, 'a/2')
  await dispatcher.caughtUpTo(5)
  expect(seen[0]).toBe('a/1@2 after 1')
  expect(seen.map((text) => text.split('@')[0])).toEqual(['a/1', 'b/1'])
})

test('a prefix may be shared, but none may begin with another', async () => {
  await using storage = openMemoryStorage()
  using dispatcher = createChangeDispatcher(storage, silentLogger)
  const seen: string[] = []
  const subscriber = (name: string, prefix: string) => ({
    prefix,
    changed: (changes: readonly Change[]) => void seen.push(`${name}: ${changes.map(({ key }) => key).join(' ')}`),
    lost: () => {},
  })
  const leave = dispatcher.subscribe(subscriber('one', 'a/'))
  dispatcher.subscribe(subscriber('two', 'a/'))
  dispatcher.subscribe(subscriber('three', 'b/'))
  expect(() => dispatcher.subscribe(subscriber('four', 'a/b/'))).toThrow('not apart')
  expect(() => dispatcher.subscribe(subscriber('four', ''))).toThrow('not apart')
  await Promise.all(['a/1', 'b/1', 'a/2', 'c/1', 'a/3'].map((key) => write(storage, key)))
  await dispatcher.caughtUpTo(5)
  leave()
  await write(storage, 'a/4')
  await dispatcher.caughtUpTo(6)
  expect(
    seen
      .filter((text) => text.startsWith('one'))
      .join()
      .match(/a.\d/g),
  ).toEqual(['a/1', 'a/2', 'a/3'])
  expect(
    seen
      .filter((text) => text.startsWith('two'))
      .join()
      .match(/a.\d/g),
  ).toEqual(['a/1', 'a/2', 'a/3', 'a/4'])
  expect(seen.filter((text) => text.startsWith('three'))).toEqual(['three: b/1'])
})

test('waits for a revision until the signal aborts', async () => {
  await using storage = openMemoryStorage()
  using dispatcher = createChangeDispatcher(storage, silentLogger)
  const abort = new AbortController()
  const waiting = dispatcher.caughtUpTo(1, abort.signal)
  abort.abort(new Error('enough'))
  await expect(waiting).rejects.toThrow('enough')
  await expect(dispatcher.caughtUpTo(1, abort.signal)).rejects.toThrow('enough')
})

test('tells its subscribers when changes were compacted before it read them, and goes on from the head', async () => {
  await using memory = openMemoryStorage()
  let losing = true
  const storage = new Proxy(memory, {
    get(target, name) {
      if (name === 'changes' && losing) {
        return async function* () {
          losing = false
          yield* []
          throw new Compacted(0, 1)
        }
      }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
  using dispatcher = createChangeDispatcher(storage, silentLogger)
  const seen: string[] = []
  dispatcher.subscribe({
    prefix: 'a/',
    changed: (changes) => seen.push(...changes.map(({ key }) => key)),
    lost: (revision) => seen.push(`lost, from ${revision}`),
  })
  await dispatcher.caughtUpTo(0)
  await expect.poll(() => seen, { interval: 1 }).toEqual(['lost, from 0'])
  await write(memory, 'a/1')
  await dispatcher.caughtUpTo(1)
  expect(seen).toEqual(['lost, from 0', 'a/1'])
})
