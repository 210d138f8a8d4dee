/**
 * The storage contract over LevelDB. The layout of the bytes is in `level-records.ts`.
 *
 * Memory holds which versions every key has (`VersionIndex`); the values are on disk, and the watch caches above hold
 * the current objects anyway. So opening reads the keys and the kept log, not the values.
 *
 * Writing. Transactions that arrive while the disk syncs wait, and go out together as one atomic, synced batch: one
 * sync in flight, the order of the calls kept. A transaction exists for readers and followers only after its batch is
 * durable:  published ≤ durable ≤ assigned.
 *
 * Crashing. A batch is whole or absent, batches vanish only from the end, and only ones that nobody was told of. Opening
 * verifies that: revisions without a gap, each record naming the checksum of the one before, the index agreeing.
 *
 * Failing. After a write error LevelDB may acknowledge writes that it then loses. So the first error ends writing on
 * that handle for good: what was in flight is `unknown`, what comes later `ReadOnly`. Reads go on from the same handle,
 * whose contents are intact. Once the disk takes writes again, the database is closed, opened and verified against what
 * had been acknowledged; only then does the storage become writable. A batch that was `unknown` and turns out to have
 * survived is published then.
 */

import { assert } from '../base/assert.ts'
import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/error-text.ts'
import { groupBy } from '../base/group-by.ts'
import type { Logger } from '../base/log.ts'
import { ChangeFeed } from './change-feed.ts'
import {
  type CommitBatch,
  compactionOperations,
  type Operation,
  type PlacedVersion,
  planBatch,
  type Request,
  type Verdict,
} from './commit-batch.ts'
import { type Failpoint, noFailpoint } from './failpoints.ts'
import { compactByAge, HISTORY_MS_DEFAULT, type HistoryWindow } from './history-window.ts'
import { type Database, openDatabase, openExistingDatabase, probeDisk } from './level-database.ts'
import type { Anchor } from './level-records.ts'
import { LevelValues } from './level-values.ts'
import { type LoggedMoment, type Recovered, recover } from './recovery.ts'
import { type Replaced, readReplaced } from './replaced-values.ts'
import {
  type Change,
  Compacted,
  Corrupt,
  type Entry,
  type Expectation,
  Fenced,
  FutureRevision,
  type ListOptions,
  type Outcome,
  Overloaded,
  type Page,
  ReadOnly,
  type Revision,
  type Storage,
  type StorageMode,
  type TransactOptions,
  type Unreadable,
  type Write,
} from './storage.ts'
import { assertWellFormed } from './transaction.ts'
import type { LiveVersion, VersionIndex } from './version-index.ts'

export interface LevelStorageOptions {
  readonly directory: string
  readonly log: Logger
  readonly clock: Clock
  /** How long overwritten values stay readable, in ms; `Infinity` keeps everything. */
  readonly historyMs?: number | undefined
  /** For tests. */
  readonly failpoint?: Failpoint | undefined
}

/** Transactions that wait for the disk; more are refused. Seconds of work for a slow disk. */
const QUEUE_TRANSACTIONS_MAX = 20_000

/** Transactions in one batch. */
const BATCH_TRANSACTIONS_MAX = 2_000

/** Bytes of values in one batch, unless a single transaction has more. */
const BATCH_BYTES_MAX = 16 * 1024 * 1024

/** Transactions that a follower far behind reads from the disk at once: bounds the memory of one read. */
const HISTORY_READ_MAX = 100

/** How long a failed storage waits before it looks at the disk again. */
const REOPEN_BACKOFF: Backoff = { initialMs: 1_000, factor: 2, maxMs: 30_000 }

/** Transactions that one step of compaction forgets: bounds the size of its batch. */
const COMPACTION_STEP = 1_000

interface Queued extends Request {
  readonly bytes: number
  readonly settle: PromiseWithResolvers<Outcome>
}

/** Opens the directory, or makes a new storage in it. Throws `StorageInUse` and `Corrupt`. */
export async function openLevelStorage(options: LevelStorageOptions): Promise<Storage> {
  const database = await openDatabase(options.directory)
  try {
    return new LevelStorage(options, database, await recover(database))
  } catch (error) {
    await database.close()
    throw error
  }
}

class LevelStorage implements Storage {
  readonly #options: LevelStorageOptions
  readonly #failpoint: Failpoint
  readonly #closing = new AbortController()
  readonly #feed = new ChangeFeed()
  readonly #values: LevelValues
  #database: Database
  #index: VersionIndex<number>
  #window: HistoryWindow<LoggedMoment>
  #durable: Anchor
  #compacted: Revision
  #mode: StorageMode = { mode: 'writable' }
  readonly #queue: Queued[] = []
  #committing: Promise<void> | undefined
  #compacting: Promise<void> = Promise.resolve()
  #reopening: Promise<void> | undefined

  constructor(options: LevelStorageOptions, database: Database, recovered: Recovered) {
    this.#options = options
    this.#failpoint = options.failpoint ?? noFailpoint
    this.#database = database
    this.#values = new LevelValues(database)
    this.#index = recovered.index
    this.#window = recovered.window
    this.#durable = recovered.head
    this.#compacted = recovered.anchor.revision
    const { clock, historyMs = HISTORY_MS_DEFAULT } = options
    const newestUntil = (timeMs: number) => this.#window.newestUntil(timeMs)
    compactByAge(this, newestUntil, { clock, historyMs, signal: this.#closing.signal })
  }

  get head(): Revision {
    return this.#durable.revision
  }

  get compacted(): Revision {
    return this.#compacted
  }

  get mode(): StorageMode {
    return this.#closing.signal.aborted ? { mode: 'read-only', reason: 'the storage was closed' } : this.#mode
  }

  async get(key: string, revision?: Revision): Promise<Entry | undefined> {
    if (revision !== undefined) this.#assertReadable(revision)
    const versionNow = () => (revision === undefined ? this.#index.current(key) : this.#index.at(key, revision))
    const version = versionNow()
    if (!version) return undefined
    const entry = await this.#values.entry(key, version)
    if (entry) return entry
    // It was overwritten and compacted while it was read.
    if (versionNow()?.revision === version.revision) {
      throw new Corrupt(`the value of ${key} at revision ${version.revision} is missing`)
    }
    return this.get(key, revision)
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Page> {
    const revision = options.revision ?? this.head
    this.#assertReadable(revision)
    const { versions, remaining } = this.#index.list(prefix, revision, options)
    const found = (await this.#values.entries(versions)).flatMap((entry) => entry ?? [])
    if (found.length === versions.length) return { revision, ...partedBy(found), remaining }
    if (revision >= this.#compacted) throw new Corrupt(`values of ${prefix} at revision ${revision} are missing`)
    return this.list(prefix, options)
  }

  transact(expect: readonly Expectation[], writes: readonly Write[], options: TransactOptions = {}): Promise<Outcome> {
    const settle = Promise.withResolvers<Outcome>()
    try {
      this.#enqueue({ expect, writes, options }, settle)
    } catch (error) {
      settle.reject(error)
    }
    return settle.promise
  }

  #enqueue(request: Request, settle: PromiseWithResolvers<Outcome>): void {
    const { expect, writes, options } = request
    assertWellFormed(expect, writes, options)
    if (this.mode.mode === 'read-only') throw new ReadOnly(this.mode.reason)
    if (this.#queue.length >= QUEUE_TRANSACTIONS_MAX) throw new Overloaded('too many transactions wait for the disk')
    const bytes = writes.reduce((sum, write) => sum + (write.type === 'put' ? write.value.length : 0), 0)
    this.#queue.push({ expect, writes, options, bytes, settle })
    this.#committing ??= this.#commitQueued()
  }

  changes(from: Revision, signal: AbortSignal): AsyncIterable<readonly Change[]> {
    return this.#feed.follow(from, signal, {
      head: () => this.head,
      compacted: () => this.#compacted,
      read: (first, transactionsMax) =>
        this.#values.changes(first, Math.min(this.head, first + Math.min(transactionsMax, HISTORY_READ_MAX) - 1)),
    })
  }

  async cause(revision: Revision): Promise<string | undefined> {
    return revision <= this.#compacted || revision > this.head ? undefined : this.#values.cause(revision)
  }

  compact(revision: Revision): Promise<void> {
    if (revision > this.head) return Promise.reject(new FutureRevision(revision, this.head))
    const done = this.#compacting.then(() => this.#compactTo(revision))
    this.#compacting = done.catch(() => {})
    return done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    this.#feed.close()
    await this.#committing
    await this.#compacting
    await this.#reopening
    this.#values.close()
    await this.#database.close()
  }

  async #commitQueued(): Promise<void> {
    // Calls of the same turn go out together.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      if (this.#mode.mode === 'read-only') this.#refuseQueued(this.#mode.reason)
      else await this.#commitBatch(this.#takeBatch())
    }
    this.#committing = undefined
  }

  #takeBatch(): readonly Queued[] {
    let bytes = 0
    const tooMany = this.#queue.findIndex((queued, index) => {
      bytes += queued.bytes
      return index > 0 && (index >= BATCH_TRANSACTIONS_MAX || bytes > BATCH_BYTES_MAX)
    })
    return this.#queue.splice(0, tooMany < 0 ? this.#queue.length : tooMany)
  }

  async #commitBatch(queued: readonly Queued[]): Promise<void> {
    const { clock, log } = this.#options
    const placed = (key: string) => placedVersion(this.#index.current(key))
    try {
      const batch = planBatch(queued, this.#durable, Math.floor(clock.now()), placed)
      const previous = readReplaced(batch.committing, this.#values, log)
      if (batch.operations.length > 0) await this.#write(batch.operations)
      this.#publish(batch, await previous)
      for (const [index, { settle }] of queued.entries()) this.#answer(settle, batch.verdicts[index])
    } catch (error) {
      const reason = error instanceof Error ? error : new Error(messageOf(error), { cause: error })
      this.#stopWriting(reason)
      for (const { settle } of queued) settle.resolve({ result: 'unknown', error: reason })
    }
  }

  async #write(operations: readonly Operation[]): Promise<void> {
    await this.#failpoint('storage.beforeSync')
    await this.#database.batch([...operations], { sync: true })
    await this.#failpoint('storage.afterSync')
  }

  /** Makes visible what has become durable. Nothing here waits: readers see all of a batch or none of it. */
  #publish(batch: CommitBatch, previous: Replaced): void {
    for (const { moment, effects } of batch.committing) {
      const { revision } = moment
      assert(revision === this.head + 1, () => `revision ${revision} is published after ${this.head}`)
      assert(revision <= batch.head.revision, () => `revision ${revision} is published and not durable`)
      const changes = effects.map((effect, position) => {
        const { key, value, created } = effect
        this.#index.append(key, { revision, created, slot: value && position })
        if (value) this.#values.remember({ revision, position }, value)
        return { revision, key, value, created, previous: previous.get(effect) }
      })
      this.#window.append(moment)
      this.#durable = moment
      this.#feed.publish(revision, changes)
    }
  }

  #answer(settle: PromiseWithResolvers<Outcome>, verdict: Verdict | undefined): void {
    assert(verdict, 'every transaction has a verdict')
    if (verdict.result === 'commits') settle.resolve({ result: 'committed', revision: verdict.revision })
    else if (verdict.result === 'fenced') settle.reject(new Fenced(`the fence is below ${verdict.fence}`))
    else {
      const { key, current } = verdict
      const answer = async () =>
        ({ result: 'rejected', key, current: current && (await this.#entryAt(key, current)) }) as const
      answer().then(settle.resolve, settle.reject)
    }
  }

  /** The entry of a version; when it has been overwritten and compacted since, the current one. */
  async #entryAt(key: string, { revision, created, position }: PlacedVersion): Promise<Entry | undefined> {
    return (await this.#values.entry(key, { revision, created, slot: position })) ?? this.get(key)
  }

  #refuseQueued(reason: string): void {
    for (const { settle } of this.#queue.splice(0)) settle.reject(new ReadOnly(reason))
  }

  async #compactTo(revision: Revision): Promise<void> {
    while (this.#compacted < revision) {
      if (this.mode.mode === 'read-only') throw new ReadOnly(this.mode.reason)
      const target = Math.min(revision, this.#compacted + COMPACTION_STEP)
      const moments = this.#window.takeUntil(target)
      const dropped = moments.flatMap(({ keys }) => keys.flatMap((key) => this.#index.trim(key, target)))
      this.#compacted = target
      try {
        await this.#failpoint('storage.beforeCompact')
        await this.#database.batch([...compactionOperations(moments, dropped)], { sync: true })
      } catch (error) {
        this.#stopWriting(error)
        throw new ReadOnly(messageOf(error))
      }
    }
  }

  #stopWriting(error: unknown): void {
    if (this.#mode.mode === 'read-only') return
    const { directory, log } = this.#options
    this.#mode = { mode: 'read-only', reason: `a write to ${directory} failed: ${messageOf(error)}` }
    log.error('A write failed: the storage is read-only until it has been opened and verified again', { error })
    this.#reopening = this.#reopenWhenPossible()
  }

  async #reopenWhenPossible(): Promise<void> {
    const { directory, clock, log } = this.#options
    const { signal } = this.#closing
    for (let attempt = 0; ; attempt++) {
      await clock.sleep(backoffMs(REOPEN_BACKOFF, attempt), signal).catch(() => {})
      if (signal.aborted) return
      try {
        await probeDisk(directory)
        await this.#failpoint('storage.beforeReopen')
        await this.#reopen()
        log.info('The storage has been opened and verified again and takes writes', { head: this.head })
        return
      } catch (error) {
        log.warn('The storage stays read-only', { error: messageOf(error) })
      }
    }
  }

  /** Nothing is being written: every writer has seen the mode. */
  async #reopen(): Promise<void> {
    await this.#committing
    await this.#compacting
    const opening = Promise.withResolvers<Database>()
    this.#values.exchange(opening.promise)
    try {
      await this.#database.close()
      this.#database = await openExistingDatabase(this.#options.directory)
      const recovered = await recover(this.#database)
      assertNothingLost(recovered, this.#durable)
      opening.resolve(this.#database)
      await this.#adopt(recovered)
    } catch (error) {
      opening.reject(error)
      await this.#database.close()
      throw error
    }
  }

  async #adopt({ anchor, head, index, window }: Recovered): Promise<void> {
    const survived = await this.#values.changes(this.head + 1, head.revision)
    this.#index = index
    this.#window = window
    this.#compacted = anchor.revision
    for (const [revision, changes] of groupBy(survived, (change) => change.revision)) {
      this.#feed.publish(revision, changes)
    }
    this.#durable = head
    this.#mode = { mode: 'writable' }
  }

  #assertReadable(revision: Revision): void {
    if (revision < this.#compacted) throw new Compacted(revision, this.#compacted)
    if (revision > this.head) throw new FutureRevision(revision, this.head)
  }
}

function partedBy(found: readonly (Entry | Unreadable)[]): Pick<Page, 'entries' | 'unreadable'> {
  const entries = found.filter((one) => 'value' in one)
  if (entries.length === found.length) return { entries }
  return { entries, unreadable: found.filter((one) => 'error' in one) }
}

/** What was acknowledged must be there, in the very same bytes. */
function assertNothingLost({ anchor, window }: Recovered, durable: Anchor): void {
  const checksum = durable.revision === anchor.revision ? anchor.checksum : window.at(durable.revision)?.checksum
  if (checksum !== durable.checksum) throw new Corrupt(`revision ${durable.revision} was acknowledged and is missing`)
}

function placedVersion(version: LiveVersion<number> | undefined): PlacedVersion | undefined {
  return version && { revision: version.revision, created: version.created, position: version.slot }
}
