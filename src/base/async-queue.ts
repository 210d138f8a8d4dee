/**
 * A bounded queue between one producer and one consumer. `push` answers false when the queue is full or
 * ended: the producer decides what that means (usually: close the consumer with the protocol's error).
 */
export class AsyncQueue<T> implements AsyncIterableIterator<T> {
  readonly #items: T[] = []
  readonly #itemsMax: number
  #waiting: PromiseWithResolvers<IteratorResult<T>> | undefined
  #ended = false
  #failure: { readonly error: unknown } | undefined

  constructor(itemsMax: number) {
    this.#itemsMax = itemsMax
  }

  get size(): number {
    return this.#items.length
  }

  push(item: T): boolean {
    if (this.#ended) return false
    if (this.#waiting) {
      this.#waiting.resolve({ value: item, done: false })
      this.#waiting = undefined
      return true
    }
    if (this.#items.length >= this.#itemsMax) return false
    this.#items.push(item)
    return true
  }

  /** What is queued is still delivered; then the consumer sees the end, or `error` thrown. */
  end(error?: unknown): void {
    if (this.#ended) return
    this.#ended = true
    if (error !== undefined) this.#failure = { error }
    if (!this.#waiting) return
    if (this.#failure) this.#waiting.reject(this.#failure.error)
    else this.#waiting.resolve({ value: undefined, done: true })
    this.#waiting = undefined
  }

  /** One consumer: a second call before the first has settled is a programmer error. */
  next(): Promise<IteratorResult<T>> {
    const item = this.#items.shift()
    if (item !== undefined) return Promise.resolve({ value: item, done: false })
    if (this.#failure) return Promise.reject(this.#failure.error)
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    this.#waiting = Promise.withResolvers()
    return this.#waiting.promise
  }

  return(): Promise<IteratorResult<T>> {
    this.#items.length = 0
    this.end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
