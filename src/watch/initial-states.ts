/**
 * What watchers are told that begin with the current state: an ADDED for every object. Those who begin at the same state
 * and select the same are given the same batches, and the chunks made of them are kept while one of them reads: when a
 * thousand clients come back at once, memory holds their objects once, and nobody encodes them a second time.
 */

import type { CachedObject } from './cached-object.ts'
import type { Egress } from './egress.ts'
import { bookmark, type Delivery, InitialDelivery } from './event.ts'
import { type Selection, selectionName } from './selection.ts'
import type { Replay } from './watcher.ts'

/** Bytes of objects in a batch: what a connection holds encrypted until its client has read it. */
const BATCH_BYTES = 128 * 1024

/** Objects in a batch, however small they are: what is encoded in one go. */
const BATCH_OBJECTS = 500

/** States that are shared at a time: of so many selections. Every one more is told to its watcher alone. */
const SHARED_STATES_MAX = 8

/** Bytes of objects in all that is shared; a state that does not fit is told to its watcher alone. */
const SHARED_BYTES_MAX = 128 * 1024 * 1024

type Batch = readonly Delivery[]

interface State {
  readonly batches: readonly Batch[]
  readonly bytes: number
  /** Watchers that have not been told all of it. */
  readers: number
}

export interface InitialReplayOptions {
  readonly selection: Selection
  /** Tells states apart: as long as it is the same, the same objects are selected. */
  readonly changedAt: number
  readonly select: () => readonly CachedObject[]
  /** The bookmark with which the replay ends, if it is to end with one. */
  readonly endsAt: number | undefined
}

export class InitialStates {
  readonly #egress: Egress
  /** By selection; all at `#changedAt`. */
  readonly #shared = new Map<string, State>()
  #changedAt = 0
  #bytes = 0

  constructor(egress: Egress) {
    this.#egress = egress
  }

  replay({ selection, changedAt, select, endsAt }: InitialReplayOptions): Replay {
    if (changedAt !== this.#changedAt) this.#forgetAll()
    this.#changedAt = changedAt
    const name = selectionName(selection)
    const state = this.#shared.get(name) ?? this.#add(name, select())
    state.readers++
    return replayOf(state.batches, endsAt, () => {
      state.readers--
      if (state.readers === 0 && this.#shared.get(name) === state) this.#forget(name, state)
    })
  }

  #add(name: string, objects: readonly CachedObject[]): State {
    const state = { ...batchesOf(objects), readers: 0 }
    // One batch costs no more than looking for it.
    const isWorthIt = state.batches.length > 1 && this.#bytes + state.bytes <= SHARED_BYTES_MAX
    if (isWorthIt && this.#shared.size < SHARED_STATES_MAX) {
      this.#shared.set(name, state)
      this.#bytes += state.bytes
      for (const batch of state.batches) this.#egress.share(batch)
    }
    return state
  }

  /** Whoever still reads it goes on alone. */
  #forget(name: string, { batches, bytes }: State): void {
    this.#shared.delete(name)
    this.#bytes -= bytes
    for (const batch of batches) this.#egress.unshare(batch)
  }

  #forgetAll(): void {
    for (const [name, state] of this.#shared) this.#forget(name, state)
  }
}

function batchesOf(objects: readonly CachedObject[]): { readonly batches: readonly Batch[]; readonly bytes: number } {
  const batches: Delivery[][] = []
  let batch: Delivery[] = []
  let [bytes, batchStart] = [0, 0]
  for (const object of objects) {
    if (batch.length === 0) batches.push(batch)
    batch.push(new InitialDelivery(object))
    bytes += object.bytes.length
    if (bytes - batchStart < BATCH_BYTES && batch.length < BATCH_OBJECTS) continue
    batch = []
    batchStart = bytes
  }
  return { batches, bytes }
}

/** `onEnd` is called once, when everything has been read or nothing more is wanted, even if nothing was read. */
function replayOf(batches: readonly Batch[], endsAt: number | undefined, onEnd: () => void): Replay {
  let next = 0
  let hasEnded = false
  const end = () => {
    if (!hasEnded) onEnd()
    hasEnded = true
  }
  return {
    next: () => {
      const batch = hasEnded ? undefined : batches[next++]
      if (batch) return { value: batch, done: false }
      const isLast = !hasEnded && endsAt !== undefined
      end()
      return isLast ? { value: [bookmark(endsAt, true)], done: false } : { value: undefined, done: true }
    },
    return: () => {
      end()
      return { value: undefined, done: true }
    },
  }
}
