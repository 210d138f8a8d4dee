/** When each kept transaction happened and what it wrote: what compaction is answered from. */

import { assert } from '../base/assert.ts'
import { type Clock, every } from '../base/clock.ts'
import type { Revision, Storage } from './storage.ts'

/** How long overwritten values stay readable, in ms. Upstream's interval of compaction. */
export const HISTORY_MS_DEFAULT = 5 * 60_000

/** How often the age is looked at, as a part of the window: history is kept up to this much longer. */
const CHECKS_PER_WINDOW = 10

export interface Moment {
  readonly revision: Revision
  readonly timeMs: number
  /** The keys it wrote. */
  readonly keys: readonly string[]
}

export class HistoryWindow<M extends Moment = Moment> {
  /** Contiguous: every transaction after the last compaction. */
  #moments: M[] = []

  append(moment: M): void {
    const last = this.#moments.at(-1)
    assert(!last || moment.revision === last.revision + 1, () => `revision ${moment.revision} after ${last?.revision}`)
    this.#moments.push(moment)
  }

  at(revision: Revision): M | undefined {
    const first = this.#moments[0]
    return first && this.#moments[revision - first.revision]
  }

  /** Removes and returns the moments up to `revision`, oldest first. */
  takeUntil(revision: Revision): readonly M[] {
    const first = this.#moments[0]
    if (!first || revision < first.revision) return []
    const taken = this.#moments.slice(0, revision - first.revision + 1)
    this.#moments = this.#moments.slice(taken.length)
    return taken
  }

  /** The newest revision that happened at `timeMs` or before; 0 when the window has none. */
  newestUntil(timeMs: number): Revision {
    // The wall clock may have jumped back: what stands behind a newer moment is at least as old in order.
    const index = this.#moments.findIndex((moment) => moment.timeMs > timeMs)
    const newest = index < 0 ? this.#moments.at(-1) : this.#moments[index - 1]
    return newest?.revision ?? 0
  }
}

/** Keeps compacting what is older than `historyMs`, until the signal aborts. `Infinity` keeps everything. */
export function compactByAge(
  storage: Pick<Storage, 'compact' | 'mode'>,
  newestUntil: (timeMs: number) => Revision,
  { clock, historyMs, signal }: { readonly clock: Clock; readonly historyMs: number; readonly signal: AbortSignal },
): void {
  if (historyMs === Infinity) return
  every(clock, historyMs / CHECKS_PER_WINDOW, signal, async () => {
    const revision = newestUntil(clock.now() - historyMs)
    if (revision === 0 || storage.mode.mode === 'read-only') return
    // A write error has made the storage read-only and said so; age is looked at again in the next round.
    await storage.compact(revision).catch(() => {})
  })
}
