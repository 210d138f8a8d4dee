/**
 * The newest transactions in memory, and everyone who waits for the next one. A follower reads from here while
 * it is near the head and from the backend's history when it has fallen behind, so a slow follower costs no memory.
 */

import { assert } from '../base/assert.ts'
import { type Change, Compacted, FutureRevision, type Revision } from './storage.ts'

/** Bytes of values that the feed itself holds. Followers further back read from the history. */
const FEED_BYTES_MAX = 32 * 1024 * 1024

/** Transactions that the feed holds: bounds the cost of forgetting the oldest. */
const FEED_TRANSACTIONS_MAX = 10_000

/** Places of forgotten transactions before the list is moved up. */
const FORGOTTEN_MAX = 1_000

/** Transactions in one batch to a follower: bounds how long one turn of the event loop can take. */
const BATCH_TRANSACTIONS_MAX = 1000

export interface History {
  head(): Revision
  compacted(): Revision
  /** The changes of up to `transactionsMax` transactions from `first` on; less than asked only when compacted meanwhile. */
  read(first: Revision, transactionsMax: number): Promise<readonly Change[]>
}

interface Transaction {
  readonly revision: Revision
  readonly changes: readonly Change[]
  readonly bytes: number
}

const FORGOTTEN: Transaction = { revision: 0, changes: [], bytes: 0 }

export class ChangeFeed {
  readonly #recent: Transaction[] = []
  /** Those before this position are forgotten. Their places go many at a time, as each removal moves all others. */
  #first = 0
  #bytes = 0
  readonly #waiting = new Set<() => void>()
  #closed = false

  /** Revisions must come without a gap. */
  publish(revision: Revision, changes: readonly Change[]): void {
    const last = this.#recent.at(-1)
    assert(!last || revision === last.revision + 1, () => `published ${revision} after ${last?.revision}`)
    let bytes = 0
    for (const { value } of changes) bytes += value?.length ?? 0
    this.#recent.push({ revision, changes, bytes })
    this.#bytes += bytes
    this.#shrink()
    this.#wake()
  }

  close(): void {
    this.#closed = true
    this.#wake()
  }

  async *follow(from: Revision, signal: AbortSignal, history: History): AsyncGenerator<readonly Change[]> {
    if (from > history.head()) throw new FutureRevision(from, history.head())
    let seen = from
    while (!signal.aborted && !this.#closed) {
      if (seen < history.compacted()) throw new Compacted(seen, history.compacted())
      if (seen === history.head()) {
        await this.#next(signal)
        continue
      }
      const batch = this.#after(seen) ?? (await history.read(seen + 1, BATCH_TRANSACTIONS_MAX))
      const first = batch[0]
      // The history was compacted while it was read: the next round says so.
      if (first?.revision !== seen + 1) {
        assert(seen < history.compacted(), `the history has no revision ${seen + 1}`)
        continue
      }
      seen = batch.at(-1)?.revision ?? seen
      yield batch
    }
  }

  /** What follows `seen`, when all of it is still here. */
  #after(seen: Revision): readonly Change[] | undefined {
    const first = this.#recent[this.#first]
    if (!first || first.revision > seen + 1) return undefined
    const start = this.#first + seen + 1 - first.revision
    return this.#recent.slice(start, start + BATCH_TRANSACTIONS_MAX).flatMap(({ changes }) => changes)
  }

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake)
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#waiting.add(wake)
      signal.addEventListener('abort', wake, { once: true })
    })
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }

  #shrink(): void {
    while (this.#isOver()) {
      this.#bytes -= this.#recent[this.#first]?.bytes ?? 0
      this.#recent[this.#first++] = FORGOTTEN
    }
    if (this.#first < FORGOTTEN_MAX) return
    this.#recent.splice(0, this.#first)
    this.#first = 0
  }

  #isOver(): boolean {
    const count = this.#recent.length - this.#first
    return count > 1 && (this.#bytes > FEED_BYTES_MAX || count > FEED_TRANSACTIONS_MAX)
  }
}
