/**
 * What is told about waits for what is done: of all components in a process only a few events are written at a time.
 * A burst of pods is created, bound and started first, and its events follow; without a burst they follow at once.
 */

export type EventLane = <T>(write: () => Promise<T>) => Promise<T>

/** Events that are written at the same time. */
const WRITES_MAX = 4
/** Events that may wait, about 2 KB each. With more than that they are written without waiting. */
const WAITING_MAX = 4_000

export function createEventLane(): EventLane {
  /** In order: the first begins when one that is being written is done. */
  const waiting = new Set<() => void>()
  let writing = 0
  return async (write) => {
    if (writing >= WRITES_MAX && waiting.size < WAITING_MAX) {
      await new Promise<void>((resolve) => waiting.add(resolve))
    }
    writing++
    try {
      return await write()
    } finally {
      writing--
      const [next] = writing < WRITES_MAX ? waiting : []
      if (next) waiting.delete(next)
      next?.()
    }
  }
}
