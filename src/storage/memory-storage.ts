/**
 * The storage contract in memory, for embedded clusters and tests. A transaction commits, and is visible, within
 * the call; "durable" means as long as the process.
 */

import { assert } from '../base/assert.ts'
import type { Clock } from '../base/clock.ts'
import { joinKept } from '../base/kept-bytes.ts'
import { ChangeFeed } from './change-feed.ts'
import { compactByAge, HISTORY_MS_DEFAULT, HistoryWindow, type Moment } from './history-window.ts'
import {
  type Change,
  Compacted,
  type Entry,
  type Expectation,
  Fenced,
  FutureRevision,
  type ListOptions,
  type Outcome,
  type Page,
  ReadOnly,
  type Revision,
  type Storage,
  type StorageMode,
  type TransactOptions,
  type Write,
} from './storage.ts'
import { assertWellFormed, type Decision, decide, deletionsAfter, type Effect } from './transaction.ts'
import { type LiveVersion, VersionIndex } from './version-index.ts'

export interface MemoryStorageOptions {
  /** Drives compaction by age; without it only `compact` and the limit on transactions forget history. */
  readonly clock?: Clock | undefined
  /** How long overwritten values stay readable, in ms. */
  readonly historyMs?: number | undefined
}

/** Transactions whose history is kept in memory, whatever their age; above the second number it shrinks to the first. */
const HISTORY_TRANSACTIONS_KEPT = 100_000
const HISTORY_TRANSACTIONS_MAX = 110_000

type MemoryVersion = LiveVersion<Uint8Array>

interface CausedMoment extends Moment {
  readonly cause: string | undefined
}

export function openMemoryStorage(options: MemoryStorageOptions = {}): Storage {
  return new MemoryStorage(options)
}

class MemoryStorage implements Storage {
  readonly #index = new VersionIndex<Uint8Array>()
  readonly #window = new HistoryWindow<CausedMoment>()
  readonly #changes = new Map<Revision, readonly Change[]>()
  readonly #feed = new ChangeFeed()
  readonly #closing = new AbortController()
  readonly #now: () => number
  #head: Revision = 0
  #compacted: Revision = 0
  #fence = 0

  constructor({ clock, historyMs = HISTORY_MS_DEFAULT }: MemoryStorageOptions) {
    this.#now = () => clock?.now() ?? 0
    if (clock)
      compactByAge(this, (timeMs) => this.#window.newestUntil(timeMs), {
        clock,
        historyMs,
        signal: this.#closing.signal,
      })
  }

  get head(): Revision {
    return this.#head
  }

  get compacted(): Revision {
    return this.#compacted
  }

  get mode(): StorageMode {
    return this.#closing.signal.aborted ? { mode: 'read-only', reason: 'the storage was closed' } : { mode: 'writable' }
  }

  async get(key: string, revision?: Revision): Promise<Entry | undefined> {
    if (revision === undefined) return entryOf(key, this.#index.current(key))
    this.#assertReadable(revision)
    return entryOf(key, this.#index.at(key, revision))
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const revision = options.revision ?? this.#head
    this.#assertReadable(revision)
    const { versions, remaining } = this.#index.list(prefix, revision, options)
    return { revision, entries: versions.map(([key, version]) => toEntry(key, version)), remaining }
  }

  async transact(
    expect: readonly Expectation[],
    writes: readonly Write[],
    options: TransactOptions = {},
  ): Promise<Outcome> {
    const { cause, fence = 0 } = options
    assertWellFormed(expect, writes, options)
    if (this.mode.mode === 'read-only') throw new ReadOnly(this.mode.reason)
    if (fence > 0 && fence < this.#fence) throw new Fenced(`fence ${fence} is below ${this.#fence}`)
    const decision = this.#decide(expect, writes)
    if (decision.result === 'rejected') {
      return { result: 'rejected', key: decision.key, current: entryOf(decision.key, decision.current) }
    }
    this.#fence = Math.max(this.#fence, fence)
    const revision = this.#commit(decision.effects, cause)
    const deletions = deletionsAfter(writes, options)
    const after = deletions.length > 0 ? this.#decide([], deletions) : undefined
    if (after?.result === 'holds') this.#commit(after.effects, cause)
    return { result: 'committed', revision }
  }

  #decide(expect: readonly Expectation[], writes: readonly Write[]): Decision<MemoryVersion> {
    return decide(expect, writes, this.#head + 1, (key) => this.#index.current(key))
  }

  changes(from: Revision, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return this.#feed.follow(from, signal, {
      head: () => this.#head,
      compacted: () => this.#compacted,
      read: async (first, transactionsMax) => this.#read(first, transactionsMax),
    })
  }

  async cause(revision: Revision): Promise<string | undefined> {
    return this.#window.at(revision)?.cause
  }

  async compact(revision: Revision): Promise<void> {
    if (revision > this.#head) throw new FutureRevision(revision, this.#head)
    this.#forgetUntil(revision)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#feed.close()
  }

  #commit(effects: readonly Effect<MemoryVersion>[], cause: string | undefined): Revision {
    const revision = this.#head + 1
    const changes = effects.map(({ key, value, created, previous }) => {
      // Kept for as long as the key is there: the writer's memory is not.
      const slot = value && joinKept([value])
      this.#index.append(key, { revision, created, slot })
      return { revision, key, value, created, previous: entryOf(key, previous) }
    })
    this.#window.append({ revision, timeMs: this.#now(), cause, keys: effects.map(({ key }) => key) })
    this.#changes.set(revision, changes)
    this.#head = revision
    this.#feed.publish(revision, changes)
    if (this.#changes.size > HISTORY_TRANSACTIONS_MAX) this.#forgetUntil(revision - HISTORY_TRANSACTIONS_KEPT)
    return revision
  }

  #forgetUntil(revision: Revision): void {
    for (const moment of this.#window.takeUntil(revision)) {
      this.#changes.delete(moment.revision)
      for (const key of moment.keys) this.#index.trim(key, revision)
    }
    this.#compacted = Math.max(this.#compacted, revision)
  }

  #read(first: Revision, transactionsMax: number): readonly Change[] {
    const last = Math.min(this.#head, first + transactionsMax - 1)
    const revisions = Array.from({ length: last - first + 1 }, (_, index) => first + index)
    return revisions.flatMap((revision) => {
      const changes = this.#changes.get(revision)
      assert(changes, `revision ${revision} is missing between ${this.#compacted} and ${this.#head}`)
      return changes
    })
  }

  #assertReadable(revision: Revision): void {
    if (revision < this.#compacted) throw new Compacted(revision, this.#compacted)
    if (revision > this.#head) throw new FutureRevision(revision, this.#head)
  }
}

function toEntry(key: string, { slot, created, revision }: MemoryVersion): Entry {
  return { key, value: slot, created, modified: revision }
}

function entryOf(key: string, version: MemoryVersion | undefined): Entry | undefined {
  return version && toEntry(key, version)
}
