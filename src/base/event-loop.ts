/** Work in parts: when a part goes on is said by what else there is to do, not by the time. */

/** Calls back when everything that can go on without waiting has gone on: no promise is left to be told of. */
export function afterMicrotasks(callback: () => void): void {
  // Ticks come before microtasks, but one that is asked for by a microtask comes when none of them is left.
  queueMicrotask(() => process.nextTick(callback))
}

/** Calls back when the event loop has looked for what has come. */
export function afterPoll(callback: () => void): void {
  setImmediate(callback)
}
