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
 * by itself once the signal has aborted. `controller`: of the signal, where somebody has it already.
 */
export function deadline(
  clock: Clock,
  ms: number,
  parent?: AbortSignal,
  controller: AbortController = new AbortController(),
): Deadline {
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
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
