/** The recent events of one resource, so that a watcher that was away for a moment resumes from memory. */

import type { Clock } from '../base/clock.ts'
import type { CacheEvent } from './event.ts'

interface Timed {
  readonly event: CacheEvent
  readonly atMs: number
}

export class EventWindow {
  #events: Timed[] = []
  /** Everything after this revision is here. */
  #since: number
  readonly #clock: Clock
  readonly #windowMs: number
  readonly #eventsMax: number

  constructor(
    since: number,
    options: { readonly clock: Clock; readonly windowMs: number; readonly eventsMax: number },
  ) {
    this.#since = since
    this.#clock = options.clock
    this.#windowMs = options.windowMs
    this.#eventsMax = options.eventsMax
  }

  append(event: CacheEvent): void {
    const nowMs = this.#clock.monotonic()
    this.#events.push({ event, atMs: nowMs })
    // Twice the limits before anything is dropped, so that dropping costs little per event.
    if (this.#events.length > 2 * this.#eventsMax) this.#drop(this.#events.length - this.#eventsMax)
    else if ((this.#events[0]?.atMs ?? 0) < nowMs - 2 * this.#windowMs) this.#dropAged()
  }

  /** The events after `revision`; undefined when some of them have left the window. */
  after(revision: number): readonly CacheEvent[] | undefined {
    this.#dropAged()
    if (revision < this.#since) return undefined
    const first = this.#events.findLastIndex(({ event }) => event.revision <= revision) + 1
    return this.#events.slice(first).map(({ event }) => event)
  }

  #dropAged(): void {
    const oldestMs = this.#clock.monotonic() - this.#windowMs
    const fresh = this.#events.findIndex(({ atMs }) => atMs >= oldestMs)
    this.#drop(fresh < 0 ? this.#events.length : fresh)
  }

  #drop(count: number): void {
    // A transaction may have several events: `since` names the last dropped one, and the rest of it is asked elsewhere.
    const last = this.#events[count - 1]
    if (!last) return
    this.#events = this.#events.slice(count)
    this.#since = last.event.revision
    while (this.#events[0]?.event.revision === this.#since) this.#events.shift()
  }
}
