/**
 * One watcher's life: it replays what was there before it came, then lives on what happens, until it ends. Live
 * events wait while the replay is read; a consumer that lets too much wait is closed with 410 Expired and lists again.
 *
 *   replaying ──(replay is read)──▶ live ──(signal, slow consumer, cache closed)──▶ ended
 *
 * The consumer pulls batches: each holds all that happened since the last pull. Or it reads the replay, and has itself
 * called after that when there is something to take.
 */

import { expired } from '../machinery/meta/api-error.ts'
import { sizeOf } from './cached-object.ts'
import type { Egress, Outlet } from './egress.ts'
import { bookmark, type Delivery, type ObjectDelivery } from './event.ts'
import type { Selection } from './selection.ts'

/** A watcher this many events behind is closed; several seconds of a large rollout. */
export const WATCH_BUFFER_EVENTS_MAX = 10_000

/** Bytes of objects that wait for one watcher, most of them shared with other watchers. */
const WATCH_BUFFER_BYTES_MAX = 64 * 1024 * 1024

/** Bytes of objects that are taken at a time, one object at least: bounds what is written in one go. */
const TAKEN_BYTES_MAX = 1024 * 1024

export type Replay = AsyncIterator<readonly Delivery[]> | Iterator<readonly Delivery[]>

type State =
  | { readonly phase: 'replaying'; readonly replay: Replay }
  | { readonly phase: 'live' }
  | { readonly phase: 'ended'; readonly error: Error | undefined }

export interface WatcherOptions {
  readonly selection: Selection
  /** Absent: the watcher is live from the start. */
  readonly replay: Replay | undefined
  /** Events up to this revision are not for it: it asked for what comes after a revision that is not there yet. */
  readonly after?: number | undefined
  /** Where a consumer that has itself called waits for its turn. */
  readonly egress: Egress
  /** Called once, when the watcher needs no more events. */
  readonly onEnd: () => void
}

export class Watcher implements AsyncIterableIterator<readonly Delivery[]> {
  readonly selection: Selection
  readonly egress: Egress
  readonly #after: number
  readonly #onEnd: () => void
  #state: State
  #pending: Delivery[] = []
  #pendingBytes = 0
  #waiting: PromiseWithResolvers<void> | undefined
  #outlet: Outlet | undefined
  /** Whether the outlet has been told since it last took something. */
  #isDue = false

  constructor({ selection, replay, after = 0, egress, onEnd }: WatcherOptions) {
    this.selection = selection
    this.egress = egress
    this.#after = after
    this.#onEnd = onEnd
    this.#state = replay ? { phase: 'replaying', replay } : { phase: 'live' }
  }

  /** What the watcher's selection makes of a change at `revision`. */
  offer(seen: ObjectDelivery, revision: number): void {
    if (this.#state.phase === 'ended' || revision <= this.#after) return
    this.#pending.push(seen)
    this.#pendingBytes += sizeOf(seen.object)
    if (this.#pending.length > WATCH_BUFFER_EVENTS_MAX || this.#pendingBytes > WATCH_BUFFER_BYTES_MAX) {
      this.end(expired('the watcher was too slow and has been closed; list again'))
    } else this.#wake()
  }

  /** Says how far the watcher has come, once nothing older waits to be replayed. */
  offerBookmark(revision: number): void {
    if (this.#state.phase !== 'live') return
    this.#pending.push(bookmark(revision))
    this.#wake()
  }

  /**
   * With an error the consumer gets that next; without, what waits is still delivered, unless that would leave a gap
   * because the replay was not read to its end. Idempotent.
   */
  end(error?: Error): void {
    if (this.#state.phase === 'ended') return
    const replay = this.#state.phase === 'replaying' ? this.#state.replay : undefined
    this.#state = { phase: 'ended', error }
    if (error || replay) this.#takePending()
    this.#onEnd()
    this.#wake()
    void Promise.resolve(replay?.return?.()).catch(() => {})
  }

  /** Undefined while there is something to tell, or may come. */
  get ended(): { readonly error: Error | undefined } | undefined {
    return this.#state.phase === 'ended' && this.#pending.length === 0 ? this.#state : undefined
  }

  /** The next batch of what was there before; undefined when that is over. Before the first `take`. */
  async replayed(): Promise<readonly Delivery[] | undefined> {
    while (this.#state.phase === 'replaying') {
      const batch = await this.#replayNext(this.#state.replay)
      if (batch) return batch
    }
    return undefined
  }

  /** The outlet is flushed, now and whenever there is something to take or the watcher has ended. */
  attach(outlet: Outlet): void {
    this.#outlet = outlet
    this.#wake()
  }

  /** What waits, in parts if it is much; empty when nothing does. */
  take(): readonly Delivery[] {
    this.#isDue = false
    if (this.#pendingBytes <= TAKEN_BYTES_MAX) return this.#takePending()
    let bytes = 0
    const over = this.#pending.findIndex((delivery) => {
      bytes += bytesOf(delivery)
      return bytes > TAKEN_BYTES_MAX
    })
    const taken = this.#pending.splice(0, Math.max(1, over))
    for (const delivery of taken) this.#pendingBytes -= bytesOf(delivery)
    return taken
  }

  /** One consumer: a second call before the first has settled is a programmer error. */
  async next(): Promise<IteratorResult<readonly Delivery[]>> {
    while (true) {
      const batch = await this.replayed()
      if (batch) return { value: batch, done: false }
      const state = this.#state
      if (this.#pending.length > 0) return { value: this.#takePending(), done: false }
      if (state.phase === 'ended') {
        if (state.error) throw state.error
        return { value: undefined, done: true }
      }
      this.#waiting = Promise.withResolvers()
      await this.#waiting.promise
    }
  }

  async return(): Promise<IteratorResult<readonly Delivery[]>> {
    this.end()
    this.#takePending()
    return { value: undefined, done: true }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** The next batch of the replay; undefined when there is none, and the state has moved on. */
  async #replayNext(replay: Replay): Promise<readonly Delivery[] | undefined> {
    try {
      const result = await replay.next()
      if (this.#state.phase === 'ended') return undefined
      if (!result.done) return result.value.length > 0 ? result.value : undefined
      this.#state = { phase: 'live' }
    } catch (error) {
      this.end(error instanceof Error ? error : new Error('the replay failed', { cause: error }))
    }
    return undefined
  }

  #takePending(): readonly Delivery[] {
    const taken = this.#pending
    this.#pending = []
    this.#pendingBytes = 0
    return taken
  }

  #wake(): void {
    this.#waiting?.resolve()
    this.#waiting = undefined
    if (!this.#outlet || this.#isDue) return
    this.#isDue = true
    this.egress.add(this.#outlet)
  }
}

function bytesOf(delivery: Delivery): number {
  return delivery.type === 'BOOKMARK' ? 0 : sizeOf(delivery.object)
}
