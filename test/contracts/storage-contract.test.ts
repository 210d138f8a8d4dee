/** Every storage backend through the one suite. */

import { openMemoryStorage } from '../../src/storage/memory-storage.ts'
import { storageContract } from './storage-contract.ts'

storageContract('memory storage', async (options) => {
  const storage = openMemoryStorage(options)
  return { storage, [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose]() }
})
