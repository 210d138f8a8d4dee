/**
 * A storage that speaks one version of a custom resource whose versions a webhook converts: what is read is in that
 * version, what is written goes into the version that objects are stored in. Registries and watch caches work on it as
 * on any other; only they come to know a change once it is converted.
 *
 *   stored  v1⏎{"kind":"Noxu","apiVersion":"example.com/v1",…}
 *   read    v2⏎{"kind":"Noxu","apiVersion":"example.com/v2",…}
 */

import type { Logger } from '../../base/log.ts'
import type { Change, Entry, Revision, Storage, Write } from '../../storage/storage.ts'
import type { ChangeDispatcher, ChangeSubscriber } from '../../watch/change-dispatcher.ts'

/** Between stored values and values of one version. Both keep the order and the number of values. */
export interface ValueConversion {
  /** Values that are of the version already come back as they are. */
  read(values: readonly Uint8Array[]): Promise<readonly Uint8Array[]>
  write(value: Uint8Array): Promise<Uint8Array>
}

export function versionStorage(storage: Storage, conversion: ValueConversion): Storage {
  const entriesRead = async (entries: readonly Entry[]): Promise<readonly Entry[]> => {
    const values = await conversion.read(entries.map(({ value }) => value))
    return entries.map((entry, index) => ({ ...entry, value: values[index] ?? entry.value }))
  }
  const entryRead = async (entry: Entry | undefined): Promise<Entry | undefined> =>
    entry && (await entriesRead([entry]))[0]
  // What a write replaces is known in another version than it is stored in.
  const written = async ({ replaces: _converted, ...write }: Write): Promise<Write> =>
    write.type === 'put' ? { ...write, value: await conversion.write(write.value) } : write
  return {
    get head() {
      return storage.head
    },
    get compacted() {
      return storage.compacted
    },
    get mode() {
      return storage.mode
    },
    get: async (key, revision) => entryRead(await storage.get(key, revision)),
    async list(prefix, options) {
      const page = await storage.list(prefix, options)
      return { ...page, entries: await entriesRead(page.entries) }
    },
    async transact(expect, writes, options) {
      const outcome = await storage.transact(expect, await Promise.all(writes.map(written)), options)
      return outcome.result === 'rejected' ? { ...outcome, current: await entryRead(outcome.current) } : outcome
    },
    async *changes(from, signal) {
      for await (const batch of storage.changes(from, signal)) yield await changesRead(conversion, batch)
    },
    cause: (revision) => storage.cause(revision),
    compact: (revision) => storage.compact(revision),
    // The storage belongs to whoever opened it.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

async function changesRead(conversion: ValueConversion, batch: readonly Change[]): Promise<readonly Change[]> {
  const values = batch.flatMap(({ value, previous }) => [
    ...(value ? [value] : []),
    ...(previous ? [previous.value] : []),
  ])
  const converted = (await conversion.read(values)).values()
  return batch.map((change) => ({
    ...change,
    value: change.value && (converted.next().value ?? change.value),
    previous: change.previous && { ...change.previous, value: converted.next().value ?? change.previous.value },
  }))
}

/**
 * The changes of `dispatcher`, converted. A subscriber gets them in order, a little later than others: `revision` says
 * how far they are. What cannot be converted is lost to it, and read anew when somebody asks.
 */
export function versionDispatcher(
  dispatcher: ChangeDispatcher,
  conversion: ValueConversion,
  log: Logger,
): ChangeDispatcher {
  const lines = new Set<Line>()
  return {
    get revision() {
      return Math.min(dispatcher.revision, ...[...lines].map((line) => line.revision(dispatcher.revision)))
    },
    async caughtUpTo(revision, signal) {
      await dispatcher.caughtUpTo(revision, signal)
      for (const line of lines) await line.empty
    },
    subscribe(subscriber) {
      const line = new Line(subscriber, conversion, dispatcher, log)
      lines.add(line)
      const unsubscribe = dispatcher.subscribe(line)
      return () => {
        lines.delete(line)
        unsubscribe()
      }
    },
    // The dispatcher is shared.
    [Symbol.dispose]() {},
  }
}

/** Changes on their way to one subscriber, batch after batch. */
class Line implements ChangeSubscriber {
  readonly prefix: string
  readonly #subscriber: ChangeSubscriber
  readonly #conversion: ValueConversion
  readonly #dispatcher: ChangeDispatcher
  readonly #log: Logger
  /** Batches that were not handed on yet; the first is being converted. */
  #waiting: (readonly Change[])[] = []
  /** How far the subscriber is while something waits. */
  #reached: Revision = 0
  #emptied: Promise<void> = Promise.resolve()

  constructor(subscriber: ChangeSubscriber, conversion: ValueConversion, dispatcher: ChangeDispatcher, log: Logger) {
    this.prefix = subscriber.prefix
    this.#subscriber = subscriber
    this.#conversion = conversion
    this.#dispatcher = dispatcher
    this.#log = log
  }

  /** Resolves when nothing waits any more of what waits now. */
  get empty(): Promise<void> {
    return this.#emptied
  }

  revision(dispatched: Revision): Revision {
    return this.#waiting.length > 0 ? this.#reached : dispatched
  }

  changed(changes: readonly Change[]): void {
    this.#waiting.push(changes)
    if (this.#waiting.length > 1) return
    this.#reached = this.#dispatcher.revision
    this.#emptied = this.#drain()
  }

  lost(revision: Revision): void {
    this.#waiting = []
    this.#subscriber.lost(revision)
  }

  async #drain(): Promise<void> {
    for (let batch = this.#waiting[0]; batch !== undefined; batch = this.#waiting[0]) {
      try {
        const converted = await changesRead(this.#conversion, batch)
        // Everything was lost meanwhile.
        if (this.#waiting[0] !== batch) continue
        this.#subscriber.changed(converted)
        this.#reached = batch.at(-1)?.revision ?? this.#reached
        this.#waiting.shift()
      } catch (error) {
        this.#log.warn('changes of custom objects could not be converted', { prefix: this.prefix, error })
        this.lost(this.#dispatcher.revision)
      }
    }
  }
}
