/**
 * When requests begin. All of them share one thread, so it is not enough that seats are free: whoever asks for much
 * would keep the event loop from looking for what others have sent. In each turn of the loop requests begin for a few
 * milliseconds only; the rest wait in the fair queues of their levels and begin, one level after the other, in the
 * next turns. Where somebody waits, the seats of a turn are given back at its end: answers are still to be sent.
 */

import type { Clock } from '../../base/clock.ts'
import { afterMicrotasks, afterPoll } from '../../base/event-loop.ts'

export interface Pace {
  /** Whether a request that comes now may begin in this turn. */
  hasTime(nowMs: number): boolean
  /** Somebody waits for whom there are seats. */
  wake(level: Dispatching): void
  /** At the end of the turn. */
  release(seats: () => void): void
}

/** A level whose requests wait. */
export interface Dispatching {
  /** Lets one request begin. False: there is none, or no seats for it. */
  dispatch(): boolean
}

/** For a server that has nothing else to do. */
export const AT_ONCE: Pace = {
  hasTime: () => true,
  wake(level) {
    while (level.dispatch());
  },
  release: (seats) => seats(),
}

/** How long requests begin in one turn of the event loop, in ms. Looking for what has come costs a small part of that. */
const TURN_MS = 5
/** Turns that end sooner are not told apart: to be told of the end of each would cost more than a small request. */
const TURN_MS_MIN = 1

export function paceOf(clock: Pick<Clock, 'monotonic'>): Pace {
  return new TurnByTurn(clock)
}

class TurnByTurn implements Pace {
  readonly #clock: Pick<Clock, 'monotonic'>
  #startedMs = -Infinity
  /** Whether the end of the turn is waited for. */
  #open = false
  #releases: (() => void)[] = []
  /** Levels in which somebody could begin, in the order of their turns. */
  #levels: Dispatching[] = []
  #dispatching = false

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  hasTime(nowMs: number): boolean {
    if (!this.#open && nowMs - this.#startedMs >= TURN_MS_MIN) this.#begin(nowMs)
    return nowMs - this.#startedMs < TURN_MS
  }

  wake(level: Dispatching): void {
    if (!this.#levels.includes(level)) this.#levels.push(level)
    if (!this.#open && !this.#dispatching) this.#begin(this.#clock.monotonic())
  }

  release(seats: () => void): void {
    this.#releases.push(seats)
    if (!this.#open) this.#begin(this.#clock.monotonic())
  }

  #begin(nowMs: number): void {
    this.#open = true
    this.#startedMs = nowMs
    afterPoll(() => this.#end())
  }

  /** The next turn has come. Whoever waits goes first: they were there before whatever the loop finds next. */
  #end(): void {
    this.#open = false
    const releases = this.#releases
    this.#releases = []
    for (const seats of releases) seats()
    if (this.#dispatching) return
    this.#dispatching = true
    this.#dispatchUntil(this.#clock.monotonic() + TURN_MS)
  }

  /** One request after the other, each as far as it goes without waiting: so that the time it takes is seen. */
  #dispatchUntil(endMs: number): void {
    const nowMs = this.#clock.monotonic()
    const level = nowMs < endMs ? this.#levels.shift() : undefined
    if (level === undefined) {
      this.#dispatching = false
      if (this.#levels.length > 0 && !this.#open) this.#begin(nowMs)
      return
    }
    if (level.dispatch()) this.#levels.push(level)
    afterMicrotasks(() => this.#dispatchUntil(endMs))
  }
}
