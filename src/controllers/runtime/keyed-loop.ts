/**
 * Loops over the objects of one resource whose work takes more than a plan: answers of the server, signatures. One key
 * is worked on by one worker at a time; after a failure it comes back later and later.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { AssertionError } from '../../base/assert.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { keyOf, keyText, parseKeyText } from '../../machinery/meta/object.ts'
import type { Cache, ControllerParts, LoopController, Watch } from './controller.ts'
import { WorkQueue } from './work-queue.ts'

export interface KeyedLoop<T extends KubeObject> {
  readonly name: string
  readonly definition: ResourceDefinition<T>
  readonly workers: number
  /** Whether there is anything to do for the object; quick. */
  isDue(object: T): boolean
  /** Other objects whose changes, and ends, concern keys of this resource. */
  readonly wakes?: readonly Watch[] | undefined
  /** What it throws makes the object come back. */
  work(parts: ControllerParts, object: T): Promise<void>
}

export function keyedLoop<T extends KubeObject>(loop: KeyedLoop<T>): LoopController {
  return {
    name: loop.name,
    async run(parts, signal) {
      const queue = new WorkQueue(parts.clock)
      const informer = parts.cache.informer(loop.definition)
      const enqueue = (object: T) => {
        if (loop.isDue(object)) queue.add(keyText(keyOf(object)))
      }
      const subscriptions = [
        informer.subscribe({ added: enqueue, updated: enqueue }),
        ...(loop.wakes ?? []).map((watch) => wake(watch, parts.cache, queue)),
      ]
      const stop = () => queue.close()
      signal.addEventListener('abort', stop, { once: true })
      try {
        await Promise.all(Array.from({ length: loop.workers }, () => takeTurns(loop, parts, queue, signal)))
      } finally {
        queue.close()
        signal.removeEventListener('abort', stop)
        for (const unsubscribe of subscriptions) unsubscribe()
      }
    },
  }
}

function wake({ definition, keysOf }: Watch, cache: Cache, queue: WorkQueue): () => void {
  const enqueue = (object: KubeObject) => {
    for (const key of keysOf(object, cache)) queue.add(keyText(key))
  }
  return cache.informer(definition).subscribe({ added: enqueue, updated: enqueue, deleted: enqueue })
}

async function takeTurns<T extends KubeObject>(
  loop: KeyedLoop<T>,
  parts: ControllerParts,
  queue: WorkQueue,
  signal: AbortSignal,
): Promise<void> {
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      const object = parts.cache.get(loop.definition, parseKeyText(key))
      if (object && loop.isDue(object)) await loop.work(parts, object)
      queue.forget(key)
    } catch (error) {
      if (error instanceof AssertionError) throw error
      if (!signal.aborted) {
        parts.log.debug('an object could not be worked on and is tried again', { key, error: String(error) })
        queue.retry(key)
      }
    } finally {
      queue.done(key)
    }
  }
}
