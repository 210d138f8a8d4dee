/** Pods that should be looked at, each waiting once however much happens to it. */

import { AsyncQueue } from '../../base/async-queue.ts'
import type { RuntimeEvent } from './runtime.ts'

/** Pods that wait at the same time. A node has a few hundred at most. */
const PODS_MAX = 10_000

export interface PodEventQueue extends AsyncIterable<RuntimeEvent> {
  announce(podUid: string): void
  /** What waits is still delivered. */
  end(): void
}

export function createPodEventQueue(): PodEventQueue {
  const queue = new AsyncQueue<string>(PODS_MAX)
  const waiting = new Set<string>()
  return {
    announce(podUid) {
      if (waiting.has(podUid)) return
      waiting.add(podUid)
      if (!queue.push(podUid)) waiting.delete(podUid)
    },
    end: () => queue.end(),
    async *[Symbol.asyncIterator]() {
      for await (const podUid of queue) {
        waiting.delete(podUid)
        yield { podUid }
      }
    },
  }
}
