/**
 * Encryption at rest, put together. A cluster whose data is on disk encrypts its secrets with a key of its own, made at
 * its first start, unless its document names an `EncryptionConfiguration` or turns encryption off.
 */

import { join } from 'node:path'
import type { Metrics } from '../../base/metrics.ts'
import { type Encryption, encryptedStorage } from '../../storage/encryption/encrypted-storage.ts'
import type { Measure } from '../../storage/encryption/transformers.ts'
import type { Storage } from '../../storage/storage.ts'
import type { ClusterConfig } from '../config.ts'
import type { Environment } from '../environment.ts'
import { type EncryptionRule, encryptionOf, readEncryption } from './encryption-config.ts'
import { loadKeys, newKey, type StoredKey, saveKeys } from './encryption-keys.ts'
import { transformationMetrics } from './encryption-metrics.ts'
import { type ReloadCount, reload, reloadCount } from './reload.ts'

interface EncryptionAtRest extends Disposable {
  /** Readers and writers of what this returns see plain values. It owns `storage`. */
  over(storage: Storage): Storage
  /** Undefined where the keys are not the cluster's own. */
  readonly ownKeys: OwnKeys | undefined
}

export interface OwnKeys {
  /** A new key writes from now on. Returns its name. */
  add(): Promise<string>
  /** Once everything is written with the newest key: keeps that and the one before, which the history may need. */
  dropOld(): Promise<void>
}

type Parts = Pick<Environment, 'clock' | 'random' | 'log'> & { readonly measure: Measure }

/** Throws `ConfigError`. */
export async function openEncryption(
  config: ClusterConfig,
  { clock, random, log }: Environment,
  metrics: Metrics,
): Promise<EncryptionAtRest> {
  const parts = { clock, random, log, measure: transformationMetrics(metrics, clock) }
  const { enabled = config.storage === 'level', config: path } = config.security.encryption ?? {}
  if (enabled && path !== undefined) return fromDocument(path, parts, reloadCount(metrics, clock, 'encryption'))
  const file = join(config.directory, 'pki', 'encryption.keys')
  const keys = await loadKeys(file)
  if (enabled) return withOwnKeys(file, keys ?? (await firstKeys(file, parts)), parts)
  // What was encrypted is still read.
  return keys ? fixed(encryptionOf([ownRule(keys, 'off')], parts), parts) : NONE
}

const NONE: EncryptionAtRest = { over: (storage) => storage, ownKeys: undefined, [Symbol.dispose]: () => {} }

function fixed(encryption: Encryption, { log }: Parts): EncryptionAtRest {
  return { ...NONE, over: (storage) => encryptedStorage(storage, encryption, log) }
}

/** Read again when it changes; a document that cannot be used changes nothing. */
async function fromDocument(path: string, parts: Parts, count: ReloadCount): Promise<EncryptionAtRest> {
  let current = await readEncryption(path, parts)
  const closing = new AbortController()
  const file = { path, name: 'encryption configuration', environment: parts, signal: closing.signal, count }
  reload(file, async () => {
    current = await readEncryption(path, parts)
  })
  const encryption = fixed({ transformerOf: (key) => current.transformerOf(key) }, parts)
  return { ...encryption, [Symbol.dispose]: () => closing.abort() }
}

async function firstKeys(file: string, { random }: Parts): Promise<readonly StoredKey[]> {
  const keys = [newKey([], random)]
  await saveKeys(file, keys)
  return keys
}

function withOwnKeys(file: string, loaded: readonly StoredKey[], parts: Parts): EncryptionAtRest {
  const { random } = parts
  let keys = loaded
  let current = encryptionOf([ownRule(keys, 'on')], parts)
  const exchange = async (next: readonly StoredKey[]) => {
    await saveKeys(file, next)
    keys = next
    current = encryptionOf([ownRule(keys, 'on')], parts)
  }
  return {
    ...fixed({ transformerOf: (key) => current.transformerOf(key) }, parts),
    ownKeys: {
      async add() {
        const added = newKey(keys, random)
        await exchange([added, ...keys])
        return added.name
      },
      dropOld: () => exchange(keys.slice(0, 2)),
    },
  }
}

function ownRule(keys: readonly StoredKey[], state: 'on' | 'off'): EncryptionRule {
  const cipher = { aesgcm: { keys } }
  const identity = { identity: {} }
  return { resources: ['secrets'], providers: state === 'on' ? [cipher, identity] : [identity, cipher] }
}
