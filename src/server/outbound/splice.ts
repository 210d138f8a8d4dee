/** Two connections joined into one. */

import type { Duplex } from 'node:stream'

/** What one side sends the other gets, until either is gone. */
export function splice(near: Duplex, far: Duplex): void {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    from.on('error', () => from.destroy())
    from.once('close', () => endThenDestroy(to))
    from.pipe(to)
  }
}

/** Lets what is written reach the other end first. */
function endThenDestroy(stream: Duplex): void {
  if (stream.destroyed) return
  if (stream.writableFinished) stream.destroy()
  else stream.end(() => stream.destroy())
}
