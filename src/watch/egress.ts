/**
 * Sends what happened to all who watch over connections, in rounds: each gets all that waits for it in one write, as
 * a write costs much the same whether it carries one event or ten. A round that took long is followed by a rest, in
 * which events gather for the next; while rounds are short there is no rest, and nothing waits.
 */

import type { Clock, Timer } from '../base/clock.ts'
import { chunkOfFrames, type SharedChunk } from '../machinery/wire/chunk.ts'
import type { Delivery, FrameEncoding } from './event.ts'

/** The rest after a round, in rounds: while many write at once, each write carries so many more events. */
const REST_PER_ROUND = 2

/** The longest rest, in ms: what it adds to the age of an event when many watch. */
const REST_MS_MAX = 25

/** Rounds that take less, in ms, are followed by none: a timer is no finer. */
const REST_MS_MIN = 1

/** Chunks of a round that are compared with the next one to be made: watchers of some few kinds get the same. */
const REMEMBERED_CHUNKS_MAX = 8

export interface Outlet {
  /** Sends all that waits. */
  flush(): void
}

interface Remembered {
  readonly encoding: string
  readonly batch: readonly Delivery[]
  readonly chunk: SharedChunk
}

export class Egress {
  readonly #clock: Clock
  #due: Outlet[] = []
  #restUntilMs = 0
  #resting: Timer | undefined
  /** The chunks of the round that is under way, newest last. */
  #remembered: Remembered[] | undefined
  /** By encoding, the chunks of batches that several are given. */
  readonly #shared = new WeakMap<readonly Delivery[], Map<string, SharedChunk>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Has the outlet flushed once what happens now has happened, or when the rest is over. */
  add(outlet: Outlet): void {
    this.#due.push(outlet)
    if (this.#due.length === 1 && !this.#resting) queueMicrotask(() => this.#begin())
  }

  /** Has the chunks of a batch kept until it is shared no more. */
  share(batch: readonly Delivery[]): void {
    this.#shared.set(batch, new Map())
  }

  unshare(batch: readonly Delivery[]): void {
    this.#shared.delete(batch)
  }

  /** What was there before as it goes over the wire: kept where it is shared. */
  replayChunkOf(batch: readonly Delivery[], encoding: FrameEncoding): SharedChunk {
    const shared = this.#shared.get(batch)
    const chunk = shared?.get(encoding.name) ?? encoded(batch, encoding)
    shared?.set(encoding.name, chunk)
    return chunk
  }

  /** What happens now as it goes over the wire: the same bytes for everyone who gets the same in one round. */
  chunkOf(batch: readonly Delivery[], encoding: FrameEncoding): SharedChunk {
    const { name } = encoding
    const known = this.#remembered?.findLast((one) => one.encoding === name && isSame(one.batch, batch))
    if (known) return known.chunk
    const chunk = encoded(batch, encoding)
    this.#remembered?.push({ encoding: name, batch, chunk })
    if ((this.#remembered?.length ?? 0) > REMEMBERED_CHUNKS_MAX) this.#remembered?.shift()
    return chunk
  }

  #begin(): void {
    const restMs = this.#restUntilMs - this.#clock.monotonic()
    if (restMs <= 0) this.#round()
    else {
      this.#resting = this.#clock.after(restMs, () => {
        this.#resting = undefined
        this.#round()
      })
    }
  }

  #round(): void {
    const startMs = this.#clock.monotonic()
    const due = this.#due
    this.#due = []
    this.#remembered = []
    for (const outlet of due) outlet.flush()
    this.#remembered = undefined
    const endMs = this.#clock.monotonic()
    const tookMs = endMs - startMs
    if (tookMs >= REST_MS_MIN) this.#restUntilMs = endMs + Math.min(tookMs * REST_PER_ROUND, REST_MS_MAX)
  }
}

function encoded(batch: readonly Delivery[], encoding: FrameEncoding): SharedChunk {
  const parts: Uint8Array[] = []
  for (const delivery of batch) {
    if ('parts' in delivery) parts.push(...delivery.parts(encoding))
    else parts.push(delivery.frame(encoding))
  }
  return chunkOfFrames(parts)
}

function isSame(left: readonly Delivery[], right: readonly Delivery[]): boolean {
  return left.length === right.length && left.every((delivery, index) => delivery === right[index])
}
