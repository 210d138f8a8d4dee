/**
 * Values that may be there already. What answers from memory goes on at once: a promise for each step of a request
 * would cost more than many of the steps.
 */

export type Awaitable<T> = T | Promise<T>

/** What `next` makes of the value: at once when it is there. */
export function whenThere<T, R>(value: Awaitable<T>, next: (value: T) => Awaitable<R>): Awaitable<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** What `work` comes to, or what `failed` makes of its failure. */
export function orElse<T>(work: () => Awaitable<T>, failed: (error: unknown) => Awaitable<T>): Awaitable<T> {
  try {
    const value = work()
    return value instanceof Promise ? value.catch(failed) : value
  } catch (error) {
    return failed(error)
  }
}

/** What `next` makes of what `work` comes to, or `failed` of its failure; not of a failure of `next`. */
export function whenDone<T, R>(
  work: () => Awaitable<T>,
  next: (value: T) => Awaitable<R>,
  failed: (error: unknown) => Awaitable<R>,
): Awaitable<R> {
  let value: Awaitable<T>
  try {
    value = work()
  } catch (error) {
    return failed(error)
  }
  return value instanceof Promise ? value.then(next, failed) : next(value)
}

/** What `work` comes to; `done` is called when it has, or has failed. */
export function lastly<T>(work: () => Awaitable<T>, done: () => void): Awaitable<T> {
  return whenDone<T, T>(
    work,
    (value) => {
      done()
      return value
    },
    (error) => {
      done()
      throw error
    },
  )
}

/** What `next` makes of the value with one item after the other, without waiting where nothing has to be waited for. */
export function inTurn<Item, T>(
  items: readonly Item[],
  value: T,
  next: (value: T, item: Item) => Awaitable<T>,
): Awaitable<T> {
  let current = value
  let taken = 0
  for (const item of items) {
    taken++
    const made = next(current, item)
    if (made instanceof Promise) return made.then((there) => inTurn(items.slice(taken), there, next))
    current = made
  }
  return current
}
