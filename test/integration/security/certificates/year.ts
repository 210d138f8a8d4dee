/** Time that passes by strides while real cryptography and real sockets keep up with it. */

import { setImmediate } from 'node:timers/promises'
import { type Clock, sleepWith } from '../../../../src/base/clock.ts'
import type { LogFields, Logger } from '../../../../src/base/log.ts'

export const DAY_MS = 86_400_000
const STRIDE_MS = DAY_MS / 4

/** Timers run late: with each step those that are due run once, however often they would have. A year is a second. */
export interface StridingClock extends Clock {
  stride(ms: number): void
}

export function createStridingClock(startMs: number): StridingClock {
  let nowMs = startMs
  const waiting = new Set<{ readonly atMs: number; readonly callback: () => void }>()
  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    after(delayMs, callback) {
      const entry = { atMs: nowMs + Math.max(0, delayMs), callback }
      waiting.add(entry)
      return { cancel: () => void waiting.delete(entry) }
    },
    sleep(delayMs, signal) {
      return sleepWith(this, delayMs, signal)
    },
    stride(ms) {
      nowMs += ms
      const due = [...waiting].filter(({ atMs }) => atMs <= nowMs).sort((left, right) => left.atMs - right.atMs)
      for (const entry of due) if (waiting.delete(entry)) entry.callback()
    },
  }
}

const BEGUN = /^a certificate .*is to be renewed$/
const OVER = /^a certificate .*(was|could not be) renewed$/
/** Long enough for queues and retries, and too short for a certificate. */
const MOMENT_MS = 50

/** Moves the clock on; while something is being renewed, as the log says, only by moments. */
export async function pass(
  clock: StridingClock,
  ms: number,
  lines: readonly Line[],
  strideMs: number = STRIDE_MS,
): Promise<void> {
  const endMs = clock.now() + ms
  const count = (pattern: RegExp) => lines.filter(({ message }) => pattern.test(message)).length
  while (clock.now() < endMs) {
    clock.stride(Math.min(strideMs, endMs - clock.now()))
    await setImmediate()
    while (count(BEGUN) > count(OVER)) {
      clock.stride(MOMENT_MS)
      await setImmediate()
    }
  }
}

export interface Line {
  readonly level: string
  readonly message: string
  readonly fields: LogFields
}

/** Everything that is logged, in order. */
export function recordingLogger(lines: Line[]): Logger {
  const record =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields })
  const logger: Logger = {
    debug: record('debug'),
    info: record('info'),
    warn: record('warn'),
    error: record('error'),
    child: () => logger,
  }
  return logger
}
