/** The values that were written or read last, up to a number of bytes: what is overwritten soon is not read from disk. */

import type { Place } from './level-records.ts'

/** Bytes of values kept in memory. The watch caches hold the current objects; this serves the write path. */
const VALUE_CACHE_BYTES_MAX = 32 * 1024 * 1024

/** What an entry costs beside its bytes. */
const ENTRY_BYTES = 200

export class ValueCache {
  readonly #values = new Map<string, Uint8Array>()
  #bytes = 0

  get(place: Place): Uint8Array | undefined {
    const name = nameOf(place)
    const value = this.#values.get(name)
    if (!value) return undefined
    this.#values.delete(name)
    this.#values.set(name, value)
    return value
  }

  set(place: Place, value: Uint8Array): void {
    const name = nameOf(place)
    if (this.#values.has(name)) return
    this.#values.set(name, value)
    this.#bytes += value.length + ENTRY_BYTES
    for (const [oldest, bytes] of this.#values) {
      if (this.#bytes <= VALUE_CACHE_BYTES_MAX) return
      this.#values.delete(oldest)
      this.#bytes -= bytes.length + ENTRY_BYTES
    }
  }

  clear(): void {
    this.#values.clear()
    this.#bytes = 0
  }
}

const nameOf = ({ revision, position }: Place): string => `${revision}/${position}`
