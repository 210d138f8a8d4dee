/** Waiting for a state of the world: the assertion is tried until it holds or its time is up. */

import { vi } from 'vitest'

const DEFAULT_MS_MAX = 60_000
const LOOK_EVERY_MS = 100

/** What the assertion gives once it does not throw; its last error when the time is up. */
export function eventually<T>(assertion: () => T | Promise<T>, msMax = DEFAULT_MS_MAX): Promise<T> {
  return vi.waitFor(assertion, { timeout: msMax, interval: LOOK_EVERY_MS })
}
