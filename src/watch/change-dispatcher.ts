/**
 * One follower of the storage for all watch caches: it hands every change to the subscriber of its prefix, and knows
 * how far everyone has come. A subscriber has processed everything up to `revision` before `revision` says so.
 */

import { assert } from '../base/assert.ts'
import type { Logger } from '../base/log.ts'
import type { Change, Revision, Storage } from '../storage/storage.ts'

export interface ChangeSubscriber {
  /** None begins with another one, unless it is the same. */
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
  const subscribers = new Subscribers()
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
    subscribers.tell(batch)
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
      subscribers.lost(head)
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
    subscribe: (subscriber) => subscribers.add(subscriber),
    [Symbol.dispose]: () => stopping.abort(),
  }
}

/** Found by the prefixes of what has changed: mostly it is one resource that changes, and there are many. */
class Subscribers {
  readonly #byPrefix = new Map<string, Set<ChangeSubscriber>>()

  /** Returns the removal. */
  add(subscriber: ChangeSubscriber): () => void {
    const { prefix } = subscriber
    const nested = [...this.#byPrefix.keys()].find((one) => one.startsWith(prefix) || prefix.startsWith(one))
    assert(nested === undefined || nested === prefix, `the prefixes ${prefix} and ${nested} are not apart`)
    const group = this.#byPrefix.get(prefix) ?? new Set()
    this.#byPrefix.set(prefix, group)
    group.add(subscriber)
    return () => {
      group.delete(subscriber)
      if (group.size === 0 && this.#byPrefix.get(prefix) === group) this.#byPrefix.delete(prefix)
    }
  }

  tell(batch: readonly Change[]): void {
    const groups = new Map<string, Change[]>()
    let prefix: string | undefined
    for (const change of batch) {
      if (prefix === undefined || !change.key.startsWith(prefix)) prefix = this.#prefixOf(change.key)
      if (prefix === undefined) continue
      const own = groups.get(prefix)
      if (own) own.push(change)
      else groups.set(prefix, [change])
    }
    for (const [name, changes] of groups)
      for (const subscriber of this.#byPrefix.get(name) ?? []) subscriber.changed(changes)
  }

  lost(revision: Revision): void {
    for (const group of [...this.#byPrefix.values()]) for (const subscriber of group) subscriber.lost(revision)
  }

  #prefixOf(key: string): string | undefined {
    for (const prefix of this.#byPrefix.keys()) if (key.startsWith(prefix)) return prefix
    return undefined
  }
}
