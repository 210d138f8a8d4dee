/** Keeps something in step with what changes: at the start and after every change, one run at a time. */

import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'

export interface Converger extends AsyncDisposable {
  /** Something has changed: the work is done (again) soon. Cheap. */
  wake(): void
}

export interface ConvergeOptions {
  /** Resolves when the first run may begin. */
  readonly begin: (signal: AbortSignal) => Promise<unknown>
  readonly work: () => Promise<void>
  readonly onFailure: (error: unknown) => void
  readonly clock: Clock
}

/** Changes within this time share a run, in ms: short enough for a rolling update, long enough for a burst. */
const COALESCE_MS = 10

const RETRY: Backoff = { initialMs: 200, factor: 2, maxMs: 10_000 }

/** What changes during a run is in the next one; what fails is tried again with growing delays. */
export function converge({ begin, work, onFailure, clock }: ConvergeOptions): Converger {
  const stop = new AbortController()
  let changed = Promise.withResolvers<void>()
  const run = async () => {
    await begin(stop.signal)
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        changed = Promise.withResolvers()
        await work()
        failures = 0
        await changed.promise
        await clock.sleep(COALESCE_MS, stop.signal)
      } catch (error) {
        if (stop.signal.aborted) return
        onFailure(error)
        await clock.sleep(backoffMs(RETRY, failures++), stop.signal).catch(() => {})
      }
    }
  }
  const running = run().catch((error: unknown) => {
    if (!stop.signal.aborted) onFailure(error)
  })
  return {
    wake: () => changed.resolve(),
    async [Symbol.asyncDispose]() {
      stop.abort()
      changed.resolve()
      await running
    },
  }
}
