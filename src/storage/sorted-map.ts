/**
 * A map whose keys can be walked in code-unit order. Lookups cost a hash; inserting and removing a key costs
 * a binary search and a shift within one chunk, so 100,000 keys need no balanced tree.
 */

/** Keys per chunk before it splits: small enough that shifting is cheap, large enough that chunks are few. */
const CHUNK_KEYS_MAX = 512

export class SortedMap<V> {
  readonly #values = new Map<string, V>()
  /** Never empty chunks, except the only one of an empty map. */
  readonly #chunks: string[][] = [[]]

  get size(): number {
    return this.#values.size
  }

  get(key: string): V | undefined {
    return this.#values.get(key)
  }

  has(key: string): boolean {
    return this.#values.has(key)
  }

  set(key: string, value: V): void {
    const before = this.#values.size
    this.#values.set(key, value)
    if (this.#values.size > before) this.#insert(key)
  }

  delete(key: string): boolean {
    if (!this.#values.delete(key)) return false
    const index = this.#chunkFor(key)
    const chunk = this.#chunks[index] ?? []
    chunk.splice(lowerBound(chunk, key), 1)
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(index, 1)
    return true
  }

  clear(): void {
    this.#values.clear()
    this.#chunks.splice(0, this.#chunks.length, [])
  }

  /**
   * The entries whose keys start with `prefix` and come strictly after `after`, in order. The map must not
   * change while they are walked.
   */
  *entries(prefix = '', after?: string): Generator<readonly [string, V]> {
    for (const [chunk, start, end] of this.#runs(prefix, after)) {
      for (let place = start; place < end; place++) {
        const key = chunk[place] ?? ''
        const value = this.#values.get(key)
        if (value !== undefined) yield [key, value]
      }
    }
  }

  /** The values of `entries`, at most `limit` of them. */
  values(prefix: string, after: string | undefined, limit: number): V[] {
    const found: V[] = []
    for (const [chunk, start, end] of this.#runs(prefix, after)) {
      for (let place = start; place < end; place++) {
        if (found.length === limit) return found
        const value = this.#values.get(chunk[place] ?? '')
        if (value !== undefined) found.push(value)
      }
    }
    return found
  }

  /** Where the keys of `entries` stand: in which chunks, and there from where to where. */
  *#runs(prefix: string, after: string | undefined): Generator<readonly [readonly string[], number, number]> {
    const skip = after !== undefined && after >= prefix
    const from = skip ? after : prefix
    const beyond = endOf(prefix)
    for (let index = this.#chunkFor(from); index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] ?? []
      const place = lowerBound(chunk, from)
      const end = beyond === undefined ? chunk.length : lowerBound(chunk, beyond)
      yield [chunk, skip && chunk[place] === after ? place + 1 : place, end]
      if (end < chunk.length) return
    }
  }

  /** How many `entries` there are: costs a look at each chunk, not at each key. */
  count(prefix: string, after: string | undefined): number {
    return Math.max(0, this.#rank(endOf(prefix)) - this.#rankAfter(prefix, after))
  }

  #rankAfter(prefix: string, after: string | undefined): number {
    if (after === undefined || after < prefix) return this.#rank(prefix)
    return this.#rank(after) + (this.#values.has(after) ? 1 : 0)
  }

  /** How many keys are below `key`. Undefined: all of them. */
  #rank(key: string | undefined): number {
    if (key === undefined) return this.size
    const last = this.#chunkFor(key)
    let rank = lowerBound(this.#chunks[last] ?? [], key)
    for (let index = 0; index < last; index++) rank += this.#chunks[index]?.length ?? 0
    return rank
  }

  #insert(key: string): void {
    const last = this.#chunks.at(-1)
    if (last && last.length < CHUNK_KEYS_MAX && key > (last.at(-1) ?? '')) {
      last.push(key)
      return
    }
    const index = this.#chunkFor(key)
    const chunk = this.#chunks[index] ?? []
    chunk.splice(lowerBound(chunk, key), 0, key)
    if (chunk.length <= CHUNK_KEYS_MAX) return
    // Keys often arrive in ascending order: splitting off the tail leaves full chunks behind in that case.
    const ascending = chunk[chunk.length - 1] === key
    this.#chunks.splice(index + 1, 0, chunk.splice(ascending ? CHUNK_KEYS_MAX : CHUNK_KEYS_MAX / 2))
  }

  /** The last chunk whose first key is not above `key`; the first chunk when there is none. */
  #chunkFor(key: string): number {
    let low = 0
    let high = this.#chunks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#chunks[middle]?.[0] ?? '') <= key) low = middle
      else high = middle - 1
    }
    return low
  }
}

/** What comes after every key with the prefix. Undefined: nothing does. */
function endOf(prefix: string): string | undefined {
  if (prefix === '') return undefined
  const before = prefix.slice(0, -1)
  const last = prefix.charCodeAt(before.length)
  return last === 0xffff ? endOf(before) : before + String.fromCharCode(last + 1)
}

/** The place of the first key that is not below `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((keys[middle] ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}
