/** What a watcher is told before it goes live, in batches: recent events, or the storage's history. */

import { expired } from '../machinery/meta/api-error.ts'
import { type Change, Compacted, type Revision } from '../storage/storage.ts'
import type { ObjectCodec } from './cached-object.ts'
import { type CacheEvent, type Delivery, toCacheEvent } from './event.ts'
import { type Selection, select } from './selection.ts'

/** Events in one batch of a replay: bounds what is encoded in one turn of the event loop. */
const REPLAY_BATCH = 500

export function* eventsReplay(events: readonly CacheEvent[], selection: Selection): Generator<readonly Delivery[]> {
  for (let start = 0; start < events.length; start += REPLAY_BATCH) {
    yield events.slice(start, start + REPLAY_BATCH).flatMap((event) => select(selection, event) ?? [])
  }
}

export interface ChangesReplayOptions {
  readonly changes: AsyncIterable<readonly Change[]>
  /** The last revision to replay. */
  readonly through: Revision
  readonly prefix: string
  readonly codec: ObjectCodec
  readonly selection: Selection
}

/** Throws 410 Expired when the history is compacted faster than it is read. */
export async function* changesReplay({
  changes,
  through,
  prefix,
  codec,
  selection,
}: ChangesReplayOptions): AsyncGenerator<readonly Delivery[]> {
  try {
    for await (const batch of changes) {
      const own = batch.filter(({ key, revision }) => key.startsWith(prefix) && revision <= through)
      yield own.flatMap((change) => {
        const before = change.previous && codec.decode(change.previous)
        const event = toCacheEvent(change, before, codec)
        return (event && select(selection, event)) ?? []
      })
      if ((batch.at(-1)?.revision ?? 0) >= through) return
    }
  } catch (error) {
    if (error instanceof Compacted) throw expired(error.message)
    throw error
  }
}
