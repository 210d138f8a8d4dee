/**
 * The storage contract: keys, bytes and one revision counter. No Kubernetes word appears in this folder.
 *
 * A revision is a positive integer. Every committed transaction takes the next one, whatever the number of
 * its writes; there are no gaps. 0 stands for "before everything" and, in an expectation, for "must not exist".
 *
 *   transact([{ key: 'a', revision: 0 }], [put a=1])  → committed 1
 *   transact([{ key: 'a', revision: 1 }], [put a=2])  → committed 2
 *   transact([{ key: 'a', revision: 1 }], [put a=3])  → rejected, current = a@2
 *   transact([{ key: 'a', revision: 2 }], [delete a]) → committed 3
 *   get('a') → undefined, get('a', 2) → a=2, changes(0) → put a=1, put a=2, delete a (was a=2)
 *   transact([], [put b=1], { thenDeletes: ['b'] }) → committed 4, and b is deleted at 5
 */

export type Revision = number

export interface Entry {
  readonly key: string
  readonly value: Uint8Array
  /** The transaction that created the key (since its last deletion). */
  readonly created: Revision
  /** The transaction that wrote this value. */
  readonly modified: Revision
  /** The bytes on disk are not the ones that would be written today: the value is worth writing again. */
  readonly stale?: boolean | undefined
  /** Of what was replaced: the value is what the writer says of it, made when it is asked for the first time. */
  readonly isGiven?: boolean | undefined
}

/** A key that is there, whose value cannot be read. */
export interface Unreadable extends Omit<Entry, 'value' | 'stale' | 'isGiven'> {
  readonly error: Corrupt
}

export interface Expectation {
  readonly key: string
  /** The `modified` revision the key must have now; 0 = the key must not exist. */
  readonly revision: Revision
}

export type Write = Replacing &
  ({ readonly type: 'put'; readonly key: string; readonly value: Uint8Array } | { readonly type: 'delete' })

interface Replacing {
  readonly key: string
  /**
   * The value that is there, where the writer has it: it is not read from disk then for those who follow the changes,
   * and not made before one of them asks. The transaction must expect the key's revision.
   */
  readonly replaces?: (() => Uint8Array) | undefined
}

export interface TransactOptions {
  /** Kept beside the revision as long as the history; opaque here. */
  readonly cause?: string | undefined
  /** A transaction with a fence below the highest one seen is refused with `Fenced`. */
  readonly fence?: number | undefined
  /**
   * Keys that the transaction puts, and that a second one deletes right after it, at the next revision: both commit or
   * neither does, and nothing comes between them.
   */
  readonly thenDeletes?: readonly string[] | undefined
}

export type Outcome =
  /** `revision` is the first one where there are two. */
  | { readonly result: 'committed'; readonly revision: Revision }
  /**
   * An expectation did not hold, or a key to be deleted does not exist. `current` is the key's entry now, undefined
   * when there is none.
   */
  | { readonly result: 'rejected'; readonly key: string; readonly current: Entry | undefined }
  /** The write may or may not survive; nothing can be concluded before a verified reopen. */
  | { readonly result: 'unknown'; readonly error: Error }

export interface Change {
  readonly revision: Revision
  readonly key: string
  /** Undefined: deleted. */
  readonly value: Uint8Array | undefined
  /** The value before, undefined when the key did not exist. */
  readonly previous: Entry | undefined
  readonly created: Revision
}

export interface ListOptions {
  /** Read at this revision instead of the newest. */
  readonly revision?: Revision | undefined
  /** Keys strictly after this one. */
  readonly after?: string | undefined
  readonly limit?: number | undefined
  /** How far those that the limit leaves out are counted, which costs a look at each. Absent: all of them. */
  readonly countMax?: number | undefined
}

export interface Page {
  /** The revision that was read. */
  readonly revision: Revision
  /** In code-unit order of the keys. */
  readonly entries: readonly Entry[]
  /** Keys of the page that are missing from the entries. */
  readonly unreadable?: readonly Unreadable[] | undefined
  /** Keys of the prefix that were left out because of the limit, at most `countMax`. */
  readonly remaining: number
}

export type StorageMode = { readonly mode: 'writable' } | { readonly mode: 'read-only'; readonly reason: string }

export interface Storage extends AsyncDisposable {
  /** The newest committed revision. A committed transaction is durable and visible; nothing else is visible. */
  readonly head: Revision
  /** The oldest revision that `get`, `list` and `changes` still answer from. */
  readonly compacted: Revision
  /** `read-only` from the first write error on, until a verified reopen. */
  readonly mode: StorageMode
  /** Throws `Compacted` for a revision below `compacted`, `FutureRevision` for one above `head`, `Corrupt`. */
  get(key: string, revision?: Revision): Promise<Entry | undefined>
  /** One consistent page of the keys that start with `prefix`. Throws like `get`, but for single values. */
  list(prefix: string, options?: ListOptions): Promise<Page>
  /**
   * All writes or none, and only if every expectation holds. `committed` means durable and visible. Concurrent
   * calls commit in the order of the calls. There is at least one write, at most one per key; a delete expects its
   * key to exist. Throws `ReadOnly` in that mode, `Fenced` for an old fence, `Overloaded` when too many wait.
   */
  transact(expect: readonly Expectation[], writes: readonly Write[], options?: TransactOptions): Promise<Outcome>
  /**
   * What was committed after `from`, in order, without a gap, for ever: one batch per transaction or several
   * transactions in one batch. Ends when the signal aborts or the storage closes. Throws `Compacted` rather than
   * skip, `FutureRevision` when `from` is above `head`.
   */
  changes(from: Revision, signal: AbortSignal): AsyncIterable<readonly Change[]>
  /** The cause that was given with a revision, while the history keeps it. */
  cause(revision: Revision): Promise<string | undefined>
  /** Forgets values that were overwritten or deleted at or before `revision`. Current values stay. Idempotent. */
  compact(revision: Revision): Promise<void>
}

export class Compacted extends Error {
  override readonly name = 'Compacted'
  readonly compacted: Revision

  constructor(asked: Revision, compacted: Revision) {
    super(`revision ${asked} has been compacted; the oldest is ${compacted}`)
    this.compacted = compacted
  }
}

export class FutureRevision extends Error {
  override readonly name = 'FutureRevision'
  readonly head: Revision

  constructor(asked: Revision, head: Revision) {
    super(`revision ${asked} has not been written yet; the newest is ${head}`)
    this.head = head
  }
}

export class ReadOnly extends Error {
  override readonly name = 'ReadOnly'
}

/** More transactions wait for the disk than the queue takes; nothing was written. */
export class Overloaded extends Error {
  override readonly name = 'Overloaded'
}

/** The value cannot be read at the moment: the storage was closed, or reopens after a write error. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable'
}

/** What is stored is not what was written. The message names the key and the revision. */
export class Corrupt extends Error {
  override readonly name = 'Corrupt'
}

export class Fenced extends Error {
  override readonly name = 'Fenced'
}
