/** Every storage backend through the one suite. */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { aesGcm } from '../../src/storage/encryption/ciphers.ts'
import { encryptedStorage } from '../../src/storage/encryption/encrypted-storage.ts'
import { byPrefix } from '../../src/storage/encryption/transformers.ts'
import { openLevelStorage } from '../../src/storage/level-storage.ts'
import { openMemoryStorage } from '../../src/storage/memory-storage.ts'
import type { Storage } from '../../src/storage/storage.ts'
import { type OpenedStorage, type OpenOptions, storageContract } from './storage-contract.ts'

storageContract('memory storage', async (options) => {
  const storage = openMemoryStorage(options)
  return { storage, [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose]() }
})

storageContract('LevelDB storage', (options) => openOnDisk(options, (storage) => storage))

const cipher = aesGcm(randomBytes(32), systemRandom)
const transformer = byPrefix([{ prefix: 'enc:', transformer: cipher }], 'unknown')

storageContract('LevelDB storage, encrypted', (options) =>
  openOnDisk(options, (storage) => encryptedStorage(storage, { transformerOf: () => transformer }, silentLogger)),
)

async function openOnDisk(options: OpenOptions, over: (storage: Storage) => Storage): Promise<OpenedStorage> {
  const directory = await mkdtemp(join(tmpdir(), 't8s-storage-'))
  const open = async () => over(await openLevelStorage({ ...options, directory, log: silentLogger }))
  let storage = await open()
  return {
    storage,
    reopen: async () => {
      await storage[Symbol.asyncDispose]()
      storage = await open()
      return storage
    },
    [Symbol.asyncDispose]: async () => {
      await storage[Symbol.asyncDispose]()
      await rm(directory, { recursive: true })
    },
  }
}
