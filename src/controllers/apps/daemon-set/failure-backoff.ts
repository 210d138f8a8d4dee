/**
 * When a failed daemon pod may be replaced. The node may refuse every pod it gets, so each further failure on a node
 * waits twice as long. This is all a DaemonSet remembers besides its objects: the failed pods themselves are gone.
 */

import { LruMap } from '../../../base/lru.ts'

/** The wait after the second failure in a row, as upstream. */
const INITIAL_MS = 1_000
const WAIT_MS_MAX = 900_000
/** Places (DaemonSet and node) that are remembered, and as many pods; a forgotten place starts with no wait. */
const REMEMBERED_MAX = 10_000

interface Failure {
  readonly replaceAtMs: number
  /** For the next failure at this place. */
  readonly waitMs: number
}

export class FailureBackoff {
  readonly #byPlace = new LruMap<string, Failure>(REMEMBERED_MAX)
  readonly #byPod = new LruMap<string, number>(REMEMBERED_MAX)

  /** The time when this pod may be replaced; the same for the same pod, however often it is asked for. */
  replaceAtMs(place: string, podUid: string, nowMs: number): number {
    const known = this.#byPod.get(podUid)
    if (known !== undefined) return known
    const before = this.#byPlace.get(place)
    const isFresh = before !== undefined && nowMs - before.replaceAtMs < 2 * WAIT_MS_MAX
    const failure = isFresh ? after(before, nowMs) : { replaceAtMs: nowMs, waitMs: INITIAL_MS }
    this.#byPlace.set(place, failure)
    this.#byPod.set(podUid, failure.replaceAtMs)
    return failure.replaceAtMs
  }
}

function after({ replaceAtMs, waitMs }: Failure, nowMs: number): Failure {
  return { replaceAtMs: Math.max(nowMs, replaceAtMs + waitMs), waitMs: Math.min(2 * waitMs, WAIT_MS_MAX) }
}
