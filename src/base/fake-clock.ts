/** A clock that moves only when told to. Due timers run in order of time, then of creation. */

import { type Clock, sleepWith, type Timer } from './clock.ts'

export interface FakeClock extends Clock {
  /** Moves the time on and runs every timer that falls due, letting promises settle in between. */
  advance(ms: number): Promise<void>
  /** The number of timers that wait. */
  readonly pending: number
}

interface Waiting {
  readonly at: number
  readonly order: number
  readonly callback: () => void
}

/** Turns of the microtask queue after each timer: enough for a chain of awaits to reach its next timer. */
const SETTLE_TURNS = 50

export function createFakeClock(startMs = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = startMs
  let order = 0
  const waiting = new Set<Waiting>()

  const after = (delayMs: number, callback: () => void): Timer => {
    const entry = { at: nowMs + Math.max(0, delayMs), order: order++, callback }
    waiting.add(entry)
    return { cancel: () => void waiting.delete(entry) }
  }
  const nextDue = (limitMs: number): Waiting | undefined => {
    let first: Waiting | undefined
    for (const entry of waiting) {
      if (entry.at > limitMs) continue
      if (!first || entry.at < first.at || (entry.at === first.at && entry.order < first.order)) first = entry
    }
    return first
  }
  const settle = async () => {
    for (let turn = 0; turn < SETTLE_TURNS; turn++) await Promise.resolve()
  }

  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    after,
    sleep(delayMs, signal) {
      return sleepWith(this, delayMs, signal)
    },
    get pending() {
      return waiting.size
    },
    async advance(ms) {
      const limitMs = nowMs + ms
      await settle()
      for (let due = nextDue(limitMs); due; due = nextDue(limitMs)) {
        waiting.delete(due)
        nowMs = Math.max(nowMs, due.at)
        due.callback()
        await settle()
      }
      nowMs = limitMs
    },
  }
}
