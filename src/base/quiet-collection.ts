/**
 * Collects garbage when the process has come to rest. V8 leaves what a burst of work needed where it is: its own remedy
 * waits for a low rate of allocation, which it measures when it collects, and at rest it never does.
 */

import { type EventLoopUtilization, performance } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type Clock, every } from './clock.ts'

/** How long a stretch is that is looked at, in ms. */
const STRETCH_MS = 3_000

/** The part of a stretch that work may take where nobody is being served: ten small requests a second need more. */
const RESTING_MAX = 0.003

/** The part that it may take where somebody is, who has to wait meanwhile: simulated nodes that only report need less. */
const BUSY_MAX = 0.1

/** Stretches in a row of no more work than that: what is served so slowly for so long goes on for ever. */
const QUIET_STRETCHES_MIN = 4

/** What must have come to the heap since the last collection, or the start: the young generation alone holds half. */
const GROWTH_BYTES_MIN = 32 * 1024 * 1024

/** The same as a part of what that collection left: a large heap takes longer. */
const GROWTH_PART_MIN = 0.25

/** The first one moves together what is left on each page, the next one gives back the pages that were freed. */
const COLLECTIONS = 2

/** Between two, in ms: V8 gives freed pages back after 8 s, and forgets to when it collects again before. */
const PAUSE_MS = 9_000

export interface Heap {
  /** Bytes in use, garbage included. */
  usedBytes(): number
  /** The part of the time since the last call in which there was work. */
  busy(): number
  /** Stops everything for about a millisecond per megabyte that is in use. */
  collect(): void
}

/** Until the signal aborts. */
export function collectWhenQuiet(clock: Clock, heap: Heap, signal: AbortSignal): void {
  let leftBytes = 0
  let due = 0
  let notBeforeMs = 0
  let quietStretches = 0
  every(clock, STRETCH_MS, signal, () => {
    const growthMin = Math.max(GROWTH_BYTES_MIN, leftBytes * GROWTH_PART_MIN)
    if (heap.usedBytes() - leftBytes >= growthMin) due = COLLECTIONS
    const busy = heap.busy()
    quietStretches = busy < BUSY_MAX ? quietStretches + 1 : 0
    const isTime = busy < RESTING_MAX || quietStretches >= QUIET_STRETCHES_MIN
    if (!isTime || due === 0 || clock.monotonic() < notBeforeMs) return
    due--
    notBeforeMs = clock.monotonic() + PAUSE_MS
    heap.collect()
    leftBytes = heap.usedBytes()
  })
}

export function processHeap(): Heap {
  let seen: EventLoopUtilization = performance.eventLoopUtilization()
  let collect: (() => void) | undefined
  return {
    usedBytes: () => getHeapStatistics().used_heap_size,
    busy() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, seen)
      seen = now
      return utilization
    },
    collect() {
      collect ??= exposedCollector()
      collect()
    },
  }
}

/** The flag works for contexts that are made after it. */
function exposedCollector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  setFlagsFromString('--no-expose-gc')
  return collect
}
