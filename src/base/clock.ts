/**
 * Time as a dependency. Everything that reads the time or waits does it through a `Clock`, so that a
 * cluster can be stepped and accelerated. This file and `fake-clock.ts` are the only users of the
 * platform's timers.
 */

export interface Timer {
  /** Idempotent; a cancelled timer never runs. */
  cancel(): void
  /** A process that has nothing else to wait for ends before it. Absent where time is not the platform's. */
  unref?(): void
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
    return { cancel: () => clearTimeout(handle), unref: () => void handle.unref() }
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

/**
 * Timers of one delay, nearly all of which are cancelled: limits. One timer of the clock stands for all of them; as all
 * wait equally long, those that began first are due first.
 */
export class SharedTimer {
  readonly #clock: Clock
  readonly #delayMs: number
  /** In the order in which they are due. */
  readonly #waiting = new Set<Waiting>()
  /** Until the first of those that waited when it began. */
  #timer: Timer | undefined

  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock
    this.#delayMs = delayMs
  }

  /** Runs `callback` once, after the delay that all have. */
  start(callback: () => void): Timer {
    const waiting = new Waiting(this.#waiting, this.#clock.monotonic() + this.#delayMs, callback)
    this.#waiting.add(waiting)
    if (this.#timer === undefined) this.#wait(this.#delayMs)
    return waiting
  }

  #wait(ms: number): void {
    this.#timer = this.#clock.after(ms, () => this.#run())
    // It is left to run when nothing waits any more: the next one that begins finds it there.
    this.#timer.unref?.()
  }

  #run(): void {
    this.#timer = undefined
    const nowMs = this.#clock.monotonic()
    const due: Waiting[] = []
    for (const one of this.#waiting) {
      if (one.dueMs > nowMs) {
        this.#wait(one.dueMs - nowMs)
        break
      }
      due.push(one)
    }
    for (const one of due) one.run()
  }
}

class Waiting implements Timer {
  readonly dueMs: number
  readonly #all: Set<Waiting>
  readonly #callback: () => void

  constructor(all: Set<Waiting>, dueMs: number, callback: () => void) {
    this.#all = all
    this.dueMs = dueMs
    this.#callback = callback
  }

  cancel(): void {
    this.#all.delete(this)
  }

  /** Unless it has been cancelled by one that was due before. */
  run(): void {
    if (this.#all.delete(this)) this.#callback()
  }
}
