/**
 * One follower of the storage for all watch caches: it hands every change to the subscriber of its prefix, and knows
 * how far everyone has come. A subscriber has processed everything up to `revision` before `revision` says so.
 */

import { assert } from '../base/assert.ts'
import type { Logger } from '../base/log.ts'
import type { Change, Revision, Storage } from '../storage/storage.ts'

export interface ChangeSubscriber {
  readonly prefix: string
  /** In order, without a gap, in one turn of the event loop. Must not throw. */
  changed(changes: readonly Change[]): void
  /** Changes were lost: what was built from them is to be built anew, from `revision` on. */
  lost(revision: Revision): void
}

export interface ChangeDispatcher extends Disposable {
  /** Every subscriber has seen everything up to here. */
  readonly revision: Revision
  /** Resolves when `revision` has been reached; rejects with the signal's reason when that aborts first. */
  caughtUpTo(revision: Revision, signal?: AbortSignal): Promise<void>
  /** Changes after `dispatcher.revision` as it is now. Returns the unsubscribe. */
  subscribe(subscriber: ChangeSubscriber): () => void
}

interface Waiting {
  readonly revision: Revision
  readonly resolve: () => void
}

export function createChangeDispatcher(storage: Storage, log: Logger): ChangeDispatcher {
  const stopping = new AbortController()
  const subscribers = new Set<ChangeSubscriber>()
  const waiting = new Set<Waiting>()
  let revision = storage.head

  const reached = (next: Revision): void => {
    revision = next
    for (const one of waiting) {
      if (one.revision > revision) continue
      waiting.delete(one)
      one.resolve()
    }
  }
  const dispatch = (batch: readonly Change[]): void => {
    for (const subscriber of subscribers) {
      const own = batch.filter(({ key }) => key.startsWith(subscriber.prefix))
      if (own.length > 0) subscriber.changed(own)
    }
    const last = batch.at(-1)
    assert(last && last.revision > revision, `changes up to ${last?.revision} came after ${revision}`)
    reached(last.revision)
  }
  /** `brokenAt`: where the stream broke before; when it breaks there again nothing is to be gained by repeating. */
  const follow = async (brokenAt?: Revision): Promise<void> => {
    try {
      for await (const batch of storage.changes(revision, stopping.signal)) dispatch(batch)
    } catch (error) {
      if (storage.head === brokenAt) throw error
      log.error('The watch caches missed changes of the storage and are filled again', { revision, error })
      const head = storage.head
      for (const subscriber of subscribers) subscriber.lost(head)
      reached(head)
      await follow(head)
    }
  }
  follow().catch((error: unknown) => log.error('The watch caches cannot follow the storage any more', { error }))

  return {
    get revision() {
      return revision
    },
    caughtUpTo: (wanted, signal) =>
      new Promise((resolve, reject) => {
        if (revision >= wanted) return resolve()
        if (signal?.aborted) return reject(signal.reason)
        const onAbort = () => {
          waiting.delete(one)
          reject(signal?.reason)
        }
        const one = {
          revision: wanted,
          resolve: () => {
            signal?.removeEventListener('abort', onAbort)
            resolve()
          },
        }
        waiting.add(one)
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
    subscribe: (subscriber) => {
      subscribers.add(subscriber)
      return () => void subscribers.delete(subscriber)
    },
    [Symbol.dispose]: () => stopping.abort(),
  }
}
