/** Every storage backend through the one suite. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../../src/base/log.ts'
import { openLevelStorage } from '../../src/storage/level-storage.ts'
import { openMemoryStorage } from '../../src/storage/memory-storage.ts'
import { storageContract } from './storage-contract.ts'

storageContract('memory storage', async (options) => {
  const storage = openMemoryStorage(options)
  return { storage, [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose]() }
})

storageContract('LevelDB storage', async (options) => {
  const directory = await mkdtemp(join(tmpdir(), 't8s-storage-'))
  let storage = await openLevelStorage({ ...options, directory, log: silentLogger })
  return {
    storage,
    reopen: async () => {
      await storage[Symbol.asyncDispose]()
      storage = await openLevelStorage({ ...options, directory, log: silentLogger })
      return storage
    },
    [Symbol.asyncDispose]: async () => {
      await storage[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
})
