import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterEach, describe, expect, test } from 'vitest'
import { createFakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/log.ts'
import { encryptedStorage } from './encryption/encrypted-storage.ts'
import { plain } from './encryption/transformers.ts'
import type { FailpointName } from './failpoints.ts'
import { logKey, valueKey } from './level-records.ts'
import { openLevelStorage } from './level-storage.ts'
import { Corrupt, ReadOnly, type Storage, type Write } from './storage.ts'
import { checkStorage, dumpStorage } from './storage-tools.ts'

const put = (key: string, value: string): Write => ({ type: 'put', key, value: Buffer.from(value) })
const directories: string[] = []
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
})

async function newDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 't8s-level-'))
  directories.push(directory)
  return directory
}

/** A storage whose next passage of the armed failpoint fails like a disk. */
async function failing() {
  const clock = createFakeClock()
  const directory = await newDirectory()
  let armed: FailpointName | undefined
  const failpoint = (name: FailpointName) => {
    if (name !== armed) return
    armed = undefined
    throw new Error('no space left on device')
  }
  const storage = await openLevelStorage({ directory, log: silentLogger, clock, failpoint })
  const arm = (name: FailpointName) => {
    armed = name
  }
  const heal = async () => {
    await clock.advance(2_000)
    await expect.poll(() => storage.mode.mode, { interval: 5 }).toBe('writable')
  }
  return { storage, directory, clock, arm, heal }
}

const open = (directory: string): Promise<Storage> =>
  openLevelStorage({ directory, log: silentLogger, clock: createFakeClock() })

const text = async (storage: Storage, key: string): Promise<string | undefined> => {
  const entry = await storage.get(key)
  return entry && Buffer.from(entry.value).toString()
}

/** Changes the bytes of a closed storage behind its back. */
async function tamper(directory: string, change: (database: Level<Buffer, Buffer>) => Promise<void>): Promise<void> {
  const database = new Level<Buffer, Buffer>(join(directory, 'data'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  await change(database)
  await database.close()
}

async function flipLastByte(database: Level<Buffer, Buffer>, key: Buffer): Promise<void> {
  const bytes = Buffer.from((await database.get(key)) ?? Buffer.alloc(1))
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1)
  await database.put(key, bytes)
}

describe('what a write replaces', () => {
  /** The newest change, and how often its writer was asked for what it replaces. */
  async function overwritten(storage: Storage, key: string) {
    await storage.transact([], [put(key, 'before')])
    let asked = 0
    const replaces = () => {
      asked++
      return Buffer.from('before')
    }
    const expected = { key, revision: storage.head }
    await storage.transact([expected], [{ ...put(key, 'after'), replaces }])
    const stop = new AbortController()
    for await (const [change] of storage.changes(storage.head - 1, stop.signal))
      return { previous: change?.previous, asked: () => asked }
    throw new Error('there is no change')
  }

  test('comes from who wrote it, once somebody asks', async () => {
    await using storage = await open(await newDirectory())
    const { previous, asked } = await overwritten(storage, 'a')
    expect([previous?.created, previous?.modified, asked()]).toEqual([1, 1, 0])
    expect([previous?.value, previous?.value, asked()]).toEqual([Buffer.from('before'), Buffer.from('before'), 1])
  })

  test('is read where it is kept in another form than its writer knows', async () => {
    const reversed = (value: Uint8Array) => Buffer.from(value).reverse()
    const transformer = { seal: reversed, open: (value: Uint8Array) => ({ value: reversed(value), stale: false }) }
    const encryption = { transformerOf: () => transformer }
    await using storage = encryptedStorage(await open(await newDirectory()), encryption, silentLogger)
    const { previous, asked } = await overwritten(storage, 'a')
    expect([Buffer.from(previous?.value ?? []).toString(), asked()]).toEqual(['before', 0])
  })

  test('comes from who wrote it where other keys are kept in another form', async () => {
    const encryption = { transformerOf: () => plain('enc:', 'encrypted') }
    await using storage = encryptedStorage(await open(await newDirectory()), encryption, silentLogger)
    const { previous, asked } = await overwritten(storage, 'a')
    expect(asked()).toBe(0)
    expect([Buffer.from(previous?.value ?? []).toString(), asked()]).toEqual(['before', 1])
  })

  test('is expected by who says it', async () => {
    await using storage = await open(await newDirectory())
    const careless: Write = { ...put('a', '1'), replaces: () => Buffer.from('0') }
    await expect(storage.transact([], [careless])).rejects.toThrow('expects it')
  })
})

describe('after a write error', () => {
  test('what was in flight is unknown, what comes later is refused, reads go on', async () => {
    const { storage, arm } = await failing()
    await using _ = storage
    await storage.transact([], [put('a', '1')])
    arm('storage.beforeSync')
    const outcomes = await Promise.all([storage.transact([], [put('a', '2')]), storage.transact([], [put('b', '2')])])
    expect(outcomes.map(({ result }) => result)).toEqual(['unknown', 'unknown'])
    expect(storage.mode).toMatchObject({ mode: 'read-only', reason: expect.stringContaining('no space left') })
    await expect(storage.transact([], [put('a', '3')])).rejects.toThrow(ReadOnly)
    expect([storage.head, await text(storage, 'a'), await text(storage, 'b')]).toEqual([1, '1', undefined])
  })

  test('a verified reopening makes it writable again, with everything acknowledged', async () => {
    const { storage, arm, heal } = await failing()
    await using _ = storage
    for (let count = 1; count <= 5; count++) await storage.transact([], [put(`k${count}`, `${count}`)])
    arm('storage.beforeSync')
    await storage.transact([], [put('lost', 'x')])
    await heal()
    expect(await storage.transact([], [put('k1', 'again')])).toEqual({ result: 'committed', revision: 6 })
    expect((await storage.list('')).entries.map(({ key }) => key)).toEqual(['k1', 'k2', 'k3', 'k4', 'k5'])
  })

  test('an unknown write that survived is published by the reopening', async () => {
    const { storage, arm, heal } = await failing()
    await using _ = storage
    await storage.transact([], [put('a', '1')])
    const seen: string[] = []
    const abort = new AbortController()
    const following = (async () => {
      for await (const batch of storage.changes(0, abort.signal))
        seen.push(...batch.map((change) => `${change.key}@${change.revision}`))
    })()
    arm('storage.afterSync')
    expect(await storage.transact([], [put('b', '2')])).toMatchObject({ result: 'unknown' })
    expect([storage.head, await text(storage, 'b')]).toEqual([1, undefined])
    await heal()
    expect([storage.head, await text(storage, 'b')]).toEqual([2, '2'])
    await storage.transact([], [put('c', '3')])
    await expect.poll(() => seen, { interval: 5 }).toEqual(['a@1', 'b@2', 'c@3'])
    abort.abort()
    await following
  })

  test('in compaction, too, writing stops until the reopening', async () => {
    const { storage, arm, heal } = await failing()
    await using _ = storage
    for (const value of ['1', '2', '3']) await storage.transact([], [put('a', value)])
    arm('storage.beforeCompact')
    await expect(storage.compact(2)).rejects.toThrow(ReadOnly)
    await heal()
    await storage.compact(2)
    expect([storage.compacted, await text(storage, 'a')]).toEqual([2, '3'])
  })

  test('a reopening that fails is tried again later', async () => {
    const { storage, clock, arm, heal } = await failing()
    await using _ = storage
    await storage.transact([], [put('a', '1')])
    arm('storage.beforeSync')
    await storage.transact([], [put('a', '2')])
    arm('storage.beforeReopen')
    await clock.advance(1_000)
    expect(storage.mode.mode).toBe('read-only')
    await expect.poll(() => clock.pending, { interval: 5 }).toBeGreaterThan(1)
    await heal()
    expect(await text(storage, 'a')).toBe('1')
  })
})

describe('opening', () => {
  test('is refused while another has the directory', async () => {
    const directory = await newDirectory()
    await using _ = await open(directory)
    await expect(open(directory)).rejects.toThrow(/is in use by another process/)
  })

  test('goes on with a directory that was half-made, and never with one that was whole', async () => {
    const directory = await newDirectory()
    await (await open(directory))[Symbol.asyncDispose]()
    const superblock = join(directory, 'superblock.json')
    await rename(superblock, `${superblock}.new`)
    {
      await using storage = await open(directory)
      await storage.transact([], [put('a', '1')])
    }
    expect((await readdir(directory)).toSorted()).toEqual(['data', 'superblock.json'])
    await rename(superblock, `${superblock}.new`)
    {
      await using storage = await open(directory)
      expect([storage.head, await text(storage, 'a')]).toEqual([1, '1'])
    }
    await rm(superblock)
    await expect(open(directory)).rejects.toThrow(/has no superblock/)
  })

  test('makes anew what an earlier version left half-made', async () => {
    const directory = await newDirectory()
    await mkdir(join(directory, 'data.new'))
    await writeFile(join(directory, 'superblock.json'), '{"kind":"t8s storage","format":1}')
    {
      await using storage = await open(directory)
      await storage.transact([], [put('a', '1')])
    }
    await using storage = await open(directory)
    expect(await text(storage, 'a')).toBe('1')
  })

  test('is refused for a newer format and for a directory that is something else', async () => {
    const directory = await newDirectory()
    await (await open(directory))[Symbol.asyncDispose]()
    await writeFile(join(directory, 'superblock.json'), '{"kind":"t8s storage","format":2}')
    await expect(open(directory)).rejects.toThrow(/format 2, which a newer version wrote/)
    const other = await newDirectory()
    await writeFile(join(other, 'letter.txt'), 'Dear')
    await expect(open(other)).rejects.toThrow(/not a storage: it has letter.txt/)
    expect(await readdir(other)).toEqual(['letter.txt'])
  })

  test.each([
    ['a changed record', (database) => flipLastByte(database, logKey(2)), /does not match its checksum/],
    ['a missing record', (database) => database.del(logKey(2)), /revision 3 after 1/],
    ['a missing last record', (database) => database.del(logKey(3)), /the log has another/],
    ['a missing index entry', (database) => database.del(Buffer.from('ib')), /index lacks keys/],
  ] as readonly (readonly [string, (database: Level<Buffer, Buffer>) => Promise<void>, RegExp])[])(
    'finds %s',
    async (_, change, message) => {
      const directory = await threeTransactions()
      await tamper(directory, change)
      await expect(open(directory)).rejects.toThrow(Corrupt)
      await expect(open(directory)).rejects.toThrow(message)
      expect((await checkStorage(directory)).problems[0]).toMatch(message)
    },
  )

  test('does not stop at a changed value, which reads as corrupt until it is overwritten', async () => {
    const directory = await threeTransactions()
    await tamper(directory, (database) => flipLastByte(database, valueKey({ revision: 3, position: 0 })))
    expect((await checkStorage(directory)).problems).toContain(
      'the value of b at revision 3 does not match its checksum',
    )
    await using storage = await open(directory)
    await expect(storage.get('b')).rejects.toThrow(/the value of b at revision 3/)
    expect(await text(storage, 'a')).toBe('2')
    await storage.transact([{ key: 'b', revision: 3 }], [put('b', 'healed')])
    expect(await text(storage, 'b')).toBe('healed')
  })
})

describe('the tools', () => {
  test('check a whole storage and dump its transactions', async () => {
    const directory = await threeTransactions()
    const whole = { head: 3, compacted: 0, keys: 2, transactions: 3, problems: [] }
    expect(await checkStorage(directory)).toMatchObject(whole)
    const dumped = []
    for await (const { revision, cause, writes } of dumpStorage(directory)) {
      dumped.push([revision, cause, writes.map(({ key, value }) => `${key}=${Buffer.from(value ?? []).toString()}`)])
    }
    expect(dumped).toEqual([
      [1, 'why', ['a=1']],
      [2, undefined, ['a=2']],
      [3, undefined, ['b=3']],
    ])
  })
})

async function threeTransactions(): Promise<string> {
  const directory = await newDirectory()
  await using storage = await open(directory)
  await storage.transact([], [put('a', '1')], { cause: 'why' })
  await storage.transact([], [put('a', '2')])
  await storage.transact([], [put('b', '3')])
  return directory
}
