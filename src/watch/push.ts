/**
 * A watch whose frames are pushed to a sink as chunks. What was there before goes out as fast as the sink takes it; what
 * happens then goes out in the rounds of the egress. While the sink is full, events wait in the watcher, which bounds
 * them.
 */

import { type ChunkSink, chunkOfFrames } from '../machinery/wire/chunk.ts'
import type { Egress, Outlet } from './egress.ts'
import type { Delivery, FrameEncoding } from './event.ts'
import type { Watcher } from './watcher.ts'

export interface PushOptions {
  /** Of the first event, and of those after it. */
  readonly encodings: { readonly first: FrameEncoding; readonly later: FrameEncoding }
  /** The last frame of a watch that failed. */
  readonly failure: (error: Error) => Uint8Array
  readonly onEnd: () => void
}

/** Ends the sink when the watcher has ended. */
export async function push(watcher: Watcher, options: PushOptions, sink: ChunkSink): Promise<void> {
  const outlet = new PushOutlet(watcher, options, sink)
  try {
    for (let batch = await watcher.replayed(); batch; batch = await watcher.replayed()) {
      if (!outlet.writeReplayed(batch)) await new Promise<void>((resolve) => sink.whenDrained(resolve))
    }
    watcher.attach(outlet)
  } catch (error) {
    outlet.fail(error)
  }
}

class PushOutlet implements Outlet {
  readonly #watcher: Watcher
  readonly #options: PushOptions
  readonly #sink: ChunkSink
  #state: 'open' | 'full' | 'closed' = 'open'
  #encoding: FrameEncoding

  constructor(watcher: Watcher, options: PushOptions, sink: ChunkSink) {
    this.#watcher = watcher
    this.#options = options
    this.#sink = sink
    this.#encoding = options.encodings.first
  }

  flush(): void {
    try {
      this.#flush()
    } catch (error) {
      this.fail(error)
    }
  }

  /** An object that cannot be encoded ends the watch: the client lists again. */
  fail(error: unknown): void {
    this.#watcher.end(error instanceof Error ? error : new Error('an event could not be sent', { cause: error }))
    this.#close()
  }

  /** False: the sink is full. */
  writeReplayed(batch: readonly Delivery[]): boolean {
    const { egress } = this.#watcher
    return this.#write(batch, (part, encoding) => egress.replayChunkOf(part, encoding))
  }

  #flush(): void {
    const { egress } = this.#watcher
    while (this.#state === 'open') {
      const batch = this.#watcher.take()
      if (batch.length === 0) break
      if (!this.#write(batch, (part, encoding) => egress.chunkOf(part, encoding))) this.#waitForRoom()
    }
    if (this.#state === 'open' && this.#watcher.ended) this.#close()
  }

  #write(batch: readonly Delivery[], chunkOf: Egress['chunkOf']): boolean {
    const { later } = this.#options.encodings
    const encoding = this.#encoding
    this.#encoding = later
    if (encoding.name === later.name || batch.length === 1) return this.#sink.write(chunkOf(batch, encoding))
    this.#sink.write(chunkOf(batch.slice(0, 1), encoding))
    return this.#sink.write(chunkOf(batch.slice(1), later))
  }

  #waitForRoom(): void {
    this.#state = 'full'
    this.#sink.whenDrained(() => {
      this.#state = 'open'
      this.flush()
    })
  }

  #close(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    const error = this.#watcher.ended?.error
    if (error) this.#sink.write(chunkOfFrames([this.#options.failure(error)]))
    this.#sink.end()
    this.#options.onEnd()
  }
}
