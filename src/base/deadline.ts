/** AbortSignals that follow the injected clock and other signals. */

import type { Awaitable } from './awaitable.ts'
import type { Clock } from './clock.ts'

export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded'
}

/** For what nobody gives up. Many wait for one thing each under it at the same time, and none of them listens to it. */
export const NEVER: AbortSignal = new AbortController().signal

export interface Deadline extends Disposable {
  readonly signal: AbortSignal
}

/**
 * A signal that aborts with `DeadlineExceeded` after `ms`, or when `parent` does. Dispose it to drop the timer; it goes
 * by itself once the signal has aborted.
 */
export function deadline(clock: Clock, ms: number, parent?: AbortSignal): Deadline {
  const controller = new AbortController()
  const timer = clock.after(ms, () => controller.abort(new DeadlineExceeded(`not done after ${ms} ms`)))
  const onAbort = () => {
    timer.cancel()
    controller.abort(parent?.reason)
  }
  if (parent?.aborted) onAbort()
  if (parent !== NEVER) parent?.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      timer.cancel()
      parent?.removeEventListener('abort', onAbort)
    },
  }
}

/** Resolves or rejects with the promise, or rejects with the signal's reason, whichever comes first. */
export function orAborted<T>(work: Awaitable<T>, signal: AbortSignal): Promise<T> {
  const promise = Promise.resolve(work)
  if (signal === NEVER) return promise
  if (signal.aborted) {
    promise.catch(() => {})
    return Promise.reject(signal.reason)
  }
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const settled = () => signal.removeEventListener('abort', onAbort)
    promise.then(
      (value) => {
        settled()
        resolve(value)
      },
      (error) => {
        settled()
        reject(error)
      },
    )
  })
}

/**
 * An AbortController that can tell one who waits without the cost of an event: nearly every request is waited for by
 * somebody who would have to know of its end, and nearly none is given up.
 */
export class QuietAbort extends AbortController {
  /** Called once when the signal has aborted, after its listeners. Who waits no longer takes it away. */
  onAbort: (() => void) | undefined = undefined

  override abort(reason?: unknown): void {
    if (this.signal.aborted) return
    super.abort(reason)
    const told = this.onAbort
    this.onAbort = undefined
    told?.()
  }
}
