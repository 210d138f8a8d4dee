/**
 * A storage whose values are transformed on their way to and from another one: encryption at rest. Keys stay readable.
 * Everybody above reads plain values, whatever way they take: get, list, changes, the state of an old revision.
 *
 * A value that cannot be opened, because it was changed on disk or because its key is gone, is treated as one that the
 * storage below cannot read: `Corrupt` where it is asked for, `unreadable` on a page.
 */

import { messageOf } from '../../base/error-text.ts'
import type { Logger } from '../../base/log.ts'
import {
  type Change,
  Compacted,
  Corrupt,
  type Entry,
  type Outcome,
  type Page,
  type Storage,
  type Unreadable,
  type Write,
} from '../storage.ts'
import type { Opened, Transformer } from './transformers.ts'

export interface Encryption {
  /** Undefined: values of this key are stored as they are. Asked anew for every value: it may change at any time. */
  transformerOf(key: string): Transformer | undefined
}

/** Owns `storage`. */
export function encryptedStorage(storage: Storage, encryption: Encryption, log: Logger): Storage {
  const sealed = (write: Write): Write => {
    const transformer = encryption.transformerOf(write.key)
    if (!transformer || transformer.passes) return write
    // What it replaces is sealed too: nobody has that but the storage.
    const { replaces: _plain, ...own } = write
    return own.type === 'put' ? { ...own, value: transformer.seal(own.value, own.key) } : own
  }
  return {
    get head() {
      return storage.head
    },
    get compacted() {
      return storage.compacted
    },
    get mode() {
      return storage.mode
    },
    async get(key, revision) {
      const entry = await storage.get(key, revision)
      return entry && openedEntry(encryption, entry)
    },
    list: async (prefix, options) => openedPage(encryption, await storage.list(prefix, options)),
    async transact(expect, writes, options) {
      return openedOutcome(encryption, await storage.transact(expect, writes.map(sealed), options))
    },
    async *changes(from, signal) {
      for await (const batch of storage.changes(from, signal)) yield openedChanges(encryption, batch, storage, log)
    },
    cause: (revision) => storage.cause(revision),
    compact: (revision) => storage.compact(revision),
    [Symbol.asyncDispose]: () => storage[Symbol.asyncDispose](),
  }
}

function opened({ transformerOf }: Encryption, key: string, value: Uint8Array): Opened | undefined {
  const transformer = transformerOf(key)
  if (!transformer) return undefined
  try {
    return transformer.open(value, key)
  } catch (error) {
    throw new Corrupt(messageOf(error))
  }
}

function openedEntry(encryption: Encryption, entry: Entry): Entry {
  const { value, stale } = opened(encryption, entry.key, entry.value) ?? entry
  if (value === entry.value && !stale) return entry
  return stale ? { ...entry, value, stale } : { ...entry, value }
}

function openedPage(encryption: Encryption, page: Page): Page {
  const entries: Entry[] = []
  const unreadable: Unreadable[] = [...(page.unreadable ?? [])]
  for (const entry of page.entries) {
    try {
      entries.push(openedEntry(encryption, entry))
    } catch (error) {
      if (!(error instanceof Corrupt)) throw error
      unreadable.push({ key: entry.key, created: entry.created, modified: entry.modified, error })
    }
  }
  return unreadable.length > 0 ? { ...page, entries, unreadable } : { ...page, entries }
}

function openedOutcome(encryption: Encryption, outcome: Outcome): Outcome {
  if (outcome.result !== 'rejected' || !outcome.current) return outcome
  return { ...outcome, current: openedEntry(encryption, outcome.current) }
}

function openedChanges(
  encryption: Encryption,
  batch: readonly Change[],
  { head }: Storage,
  log: Logger,
): readonly Change[] {
  if (batch.every((change) => isPlain(encryption, change))) return batch
  return batch.map((change) => {
    if (isPlain(encryption, change)) return change
    const { key, revision, value, previous } = change
    try {
      return {
        ...change,
        value: value && (opened(encryption, key, value)?.value ?? value),
        previous: previous && readablePrevious(encryption, previous, log),
      }
    } catch (error) {
      if (!(error instanceof Corrupt)) throw error
      log.error('A change of the history cannot be read', { key, revision, error: error.message })
      // What was written when the key was another one is history that is no longer there.
      throw new Compacted(revision, head)
    }
  })
}

/** Whether the storage below has it as it is told. */
function isPlain({ transformerOf }: Encryption, { key, value, previous }: Change): boolean {
  const transformer = transformerOf(key)
  if (!transformer) return true
  const { passes } = transformer
  if (!passes || (value && !passes(value))) return false
  // What a writer says it replaces is what it has read here.
  return !previous || previous.isGiven === true || passes(previous.value)
}

/** What is unreadable is left out: it must not keep others from what was written over it. */
function readablePrevious(encryption: Encryption, previous: Entry, log: Logger): Entry | undefined {
  try {
    return openedEntry(encryption, previous)
  } catch (error) {
    log.error('The value that a write replaced cannot be read', { key: previous.key, error: messageOf(error) })
    return undefined
  }
}
