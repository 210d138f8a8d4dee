/**
 * Time as a dependency. Everything that reads the time or waits does it through a `Clock`, so that a
 * cluster can be stepped and accelerated. This file and `fake-clock.ts` are the only users of the
 * platform's timers.
 */

export interface Timer {
  /** Idempotent; a cancelled timer never runs. */
  cancel(): void
}

export interface Clock {
  /** Wall time in milliseconds since 1970, UTC. May jump. */
  now(): number
  /** Milliseconds from an arbitrary start. Never goes back; use it for durations. */
  monotonic(): number
  /** Runs `callback` once, `delayMs` from now at the earliest. */
  after(delayMs: number, callback: () => void): Timer
  /** Resolves after `delayMs`; rejects with the signal's reason when that aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** setTimeout's longest delay, in ms (about 24.8 days); longer ones would fire at once. */
const TIMER_DELAY_MS_MAX = 2_147_483_647

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => {
    const handle = setTimeout(callback, Math.min(Math.max(0, delayMs), TIMER_DELAY_MS_MAX))
    return { cancel: () => clearTimeout(handle) }
  },
  sleep(delayMs, signal) {
    return sleepWith(this, delayMs, signal)
  },
}

/** `Clock.sleep` in terms of `Clock.after`, shared by every clock. */
export function sleepWith(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer.cancel()
      reject(signal?.reason)
    }
    const timer = clock.after(delayMs, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** Runs `callback` every `periodMs`, counted from the end of the previous run; stops with the signal. */
export function every(clock: Clock, periodMs: number, signal: AbortSignal, callback: () => unknown): void {
  if (signal.aborted) return
  const timer = clock.after(periodMs, async () => {
    signal.removeEventListener('abort', timer.cancel)
    await callback()
    every(clock, periodMs, signal, callback)
  })
  signal.addEventListener('abort', timer.cancel, { once: true })
}
