/** Bookmarks for watchers that asked: now and then a word on how far they have come, so that they resume from there. */

import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'

/** About a minute, as upstream, plus up to a quarter so that watchers do not all wake at once. In ms. */
const BOOKMARK_PERIOD_MS = 60_000
const BOOKMARK_JITTER = 0.25

/** Calls `send` about once a minute until the returned function is called. */
export function startBookmarks(clock: Clock, random: Random, send: () => void): () => void {
  const schedule = () =>
    clock.after(BOOKMARK_PERIOD_MS * (1 + BOOKMARK_JITTER * random.next()), () => {
      timer = schedule()
      send()
    })
  let timer = schedule()
  return () => timer.cancel()
}
