/**
 * Keys that wait for a worker. A key is in the queue at most once, is worked on by at most one worker, and a key
 * that is added while it is worked on comes back afterwards: no change is lost. Two sets carry this (client-go's
 * `workqueue`): `dirty` has what must be worked on, `processing` what is being worked on.
 *
 *   add(a) → dirty {a}           take() → a, dirty {}, processing {a}
 *   add(a) → dirty {a}           done(a) → processing {}, a is queued again
 *
 * It holds no more keys than there are objects, each once: that is its bound.
 */

import { type Backoff, backoffMs } from '../../base/backoff.ts'
import type { Clock, Timer } from '../../base/clock.ts'

/** Delays after failures of one key, as controller-runtime's default limiter. */
const RETRY: Backoff = { initialMs: 5, factor: 2, maxMs: 1_000_000 }

/** Places of taken keys before the list is moved up. */
const TAKEN_MAX = 1_000

export class WorkQueue {
  readonly #clock: Clock
  #ready: string[] = []
  /** Those before this position are taken. Their places go many at a time, as each removal moves all others. */
  #first = 0
  readonly #dirty = new Set<string>()
  readonly #processing = new Set<string>()
  readonly #delayed = new Map<string, { readonly atMs: number; readonly timer: Timer }>()
  readonly #failures = new Map<string, number>()
  readonly #takers: ((key: string | undefined) => void)[] = []
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Keys that wait now, without the delayed ones. */
  get length(): number {
    return this.#ready.length - this.#first
  }

  /** True when nothing waits and nothing is being worked on. Delayed keys do not count. */
  get idle(): boolean {
    return this.length === 0 && this.#processing.size === 0
  }

  add(key: string): void {
    if (this.#closed || this.#dirty.has(key)) return
    this.#dirty.add(key)
    if (!this.#processing.has(key)) this.#offer(key)
  }

  /** The earliest of several delays of one key counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#closed) return
    if (delayMs <= 0) {
      this.add(key)
      return
    }
    const atMs = this.#clock.monotonic() + delayMs
    const existing = this.#delayed.get(key)
    if (existing && existing.atMs <= atMs) return
    existing?.timer.cancel()
    const timer = this.#clock.after(delayMs, () => {
      this.#delayed.delete(key)
      this.add(key)
    })
    this.#delayed.set(key, { atMs, timer })
  }

  /** After a failure: comes back later and later. */
  retry(key: string): void {
    const failures = this.#failures.get(key) ?? 0
    this.#failures.set(key, failures + 1)
    this.addAfter(key, backoffMs(RETRY, failures))
  }

  failures(key: string): number {
    return this.#failures.get(key) ?? 0
  }

  /** After a success: the next failure starts with the shortest delay again. */
  forget(key: string): void {
    this.#failures.delete(key)
  }

  /** The next key, or undefined when the queue is closed. */
  take(): Promise<string | undefined> {
    const key = this.#shift()
    if (key !== undefined) return Promise.resolve(this.#begin(key))
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve) => this.#takers.push(resolve))
  }

  done(key: string): void {
    this.#processing.delete(key)
    if (this.#dirty.has(key) && !this.#closed) this.#offer(key)
  }

  close(): void {
    this.#closed = true
    for (const { timer } of this.#delayed.values()) timer.cancel()
    this.#delayed.clear()
    this.#ready = []
    this.#first = 0
    for (const taker of this.#takers.splice(0)) taker(undefined)
  }

  #shift(): string | undefined {
    const key = this.#ready[this.#first]
    if (key === undefined) return undefined
    this.#first++
    if (this.#first >= TAKEN_MAX || this.length === 0) {
      this.#ready = this.#ready.slice(this.#first)
      this.#first = 0
    }
    return key
  }

  #offer(key: string): void {
    const taker = this.#takers.shift()
    if (taker) taker(this.#begin(key))
    else this.#ready.push(key)
  }

  #begin(key: string): string {
    this.#processing.add(key)
    this.#dirty.delete(key)
    return key
  }
}
