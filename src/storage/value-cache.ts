/**
 * The values that were written last, up to a number of bytes: what is overwritten soon is not read from disk. They go in
 * the order in which they came, however often they are read, as those that were made together share their memory.
 */

import type { Place } from './level-records.ts'

/** Bytes of values kept in memory. The watch caches hold the current objects; this serves the write path. */
const VALUE_CACHE_BYTES_MAX = 32 * 1024 * 1024

/** What an entry costs beside its bytes. */
const ENTRY_BYTES = 200

export class ValueCache {
  readonly #values = new Map<Name, Uint8Array>()
  /** Where the oldest is. Kept, as an iteration from the start passes the places of all that went before. */
  #oldest = this.#values.entries()
  #bytes = 0

  get(place: Place): Uint8Array | undefined {
    return this.#values.get(nameOf(place))
  }

  set(place: Place, value: Uint8Array): void {
    const name = nameOf(place)
    if (this.#values.has(name)) return
    this.#values.set(name, value)
    this.#bytes += value.length + ENTRY_BYTES
    while (this.#bytes > VALUE_CACHE_BYTES_MAX && this.#values.size > 0) this.#forgetOldest()
  }

  #forgetOldest(): void {
    const next = this.#oldest.next()
    if (next.done) {
      this.#oldest = this.#values.entries()
      return
    }
    const [name, bytes] = next.value
    this.#values.delete(name)
    this.#bytes -= bytes.length + ENTRY_BYTES
  }
}

/** Most transactions have one write: no text is made to name it. */
type Name = number | string

function nameOf({ revision, position }: Place): Name {
  return position === 0 ? revision : `${revision}/${position}`
}
