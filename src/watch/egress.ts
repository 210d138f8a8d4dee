/**
 * Sends what happened to all who watch over connections, in rounds: each gets all that waits for it in one write, as
 * a write costs much the same whether it carries one event or four. A round to many is broken off when its time is over
 * and followed by a rest, in which requests are answered and events gather; who was not reached is first in the next
 * one. Where few watch there is no rest, and nothing waits.
 */

import type { Clock } from '../base/clock.ts'
import { chunkOfFrames, type SharedChunk } from '../machinery/wire/chunk.ts'
import type { Delivery, FrameEncoding } from './event.ts'

/**
 * How long a round goes on, in ms, and the rest after it at most: some hundred watchers are reached in that time. While
 * all of a thousand were, in 10 ms and more, requests waited for that long, and what they changed for the next time.
 */
const ROUND_MS_MAX = 3

/** The rest for each who was written to, in ms: what one write costs. More is not to be saved, however long they took. */
const REST_MS_PER_OUTLET = 0.01

/** Shorter ones, in ms, are none: a timer is no finer. */
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
  /** Whether the next round is certain to come. */
  #isScheduled = false
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
    this.#schedule()
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

  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    queueMicrotask(() => {
      const restMs = this.#restUntilMs - this.#clock.monotonic()
      if (restMs <= 0) this.#round()
      else this.#clock.after(restMs, () => this.#round())
    })
  }

  #round(): void {
    this.#isScheduled = false
    const due = this.#due
    this.#due = []
    this.#remembered = []
    const startMs = this.#clock.monotonic()
    let tookMs = 0
    let reached = 0
    while (reached < due.length && tookMs < ROUND_MS_MAX) {
      due[reached++]?.flush()
      tookMs = this.#clock.monotonic() - startMs
    }
    this.#remembered = undefined
    const isOver = reached === due.length
    const savedMs = Math.min(tookMs, ROUND_MS_MAX, reached * REST_MS_PER_OUTLET)
    const restMs = Math.max(savedMs, isOver ? 0 : REST_MS_MIN)
    if (restMs >= REST_MS_MIN) this.#restUntilMs = startMs + tookMs + restMs
    if (isOver) return
    this.#due = [...due.slice(reached), ...this.#due]
    this.#schedule()
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
