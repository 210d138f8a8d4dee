/**
 * What strangers can cause a line of the log for is told so many times in a while, and then counted: a log must not
 * fill a disk because somebody asks often enough.
 */

import type { Clock } from './clock.ts'

interface LogLimit {
  readonly linesMax: number
  readonly periodMs: number
}

/** `write` is called for what may be told, with the number of lines that were left out since the last one. */
export function createLogLimit(
  clock: Clock,
  { linesMax, periodMs }: LogLimit,
): (write: (leftOut: number) => void) => void {
  let sinceMs = Number.NEGATIVE_INFINITY
  let lines = 0
  let leftOut = 0
  return (write) => {
    const nowMs = clock.monotonic()
    if (nowMs - sinceMs >= periodMs) {
      sinceMs = nowMs
      lines = 0
    }
    if (lines === linesMax) {
      leftOut++
      return
    }
    lines++
    write(leftOut)
    leftOut = 0
  }
}
