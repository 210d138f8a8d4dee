/**
 * The read path of the durable storage: values by their place, from the cache or the disk, verified. The database may
 * be exchanged under it while the storage reopens; reads wait for that, and fail with `Unavailable` when it fails.
 */

import type { Database } from './level-database.ts'
import { decodeLogRecord, decodeValue, type LoggedWrite, logKey, type Place, valueKey } from './level-records.ts'
import { type Change, Corrupt, type Entry, type Revision, Unavailable, type Unreadable } from './storage.ts'
import { ValueCache } from './value-cache.ts'
import type { LiveVersion } from './version-index.ts'

export interface KeyedPlace extends Place {
  readonly key: string
}

/** Values asked of the disk at once: bounds the memory of one read. */
const READ_VALUES_MAX = 500

export class LevelValues {
  readonly #cache = new ValueCache()
  #database: Database | undefined
  #exchange: Promise<unknown> = Promise.resolve()

  constructor(database: Database) {
    this.#database = database
  }

  remember(place: Place, value: Uint8Array): void {
    this.#cache.set(place, value)
  }

  /** Reads wait until `next` settles; they read from what it resolves to. */
  exchange(next: Promise<Database>): void {
    this.#database = undefined
    this.#exchange = next.then(
      (database) => {
        this.#database = database
      },
      () => {},
    )
  }

  close(): void {
    this.#database = undefined
  }

  /** One per place; undefined where the value has been compacted. Throws `Corrupt` and `Unavailable`. */
  async read(places: readonly KeyedPlace[]): Promise<readonly (Uint8Array | undefined)[]> {
    return (await this.#readEach(places)).map(orThrow)
  }

  async #readEach(places: readonly KeyedPlace[]): Promise<readonly Read[]> {
    const values: Read[] = places.map((place) => this.#cache.get(place))
    const missing = places.flatMap((place, index) => (values[index] ? [] : [{ place, index }]))
    for (let start = 0; start < missing.length; start += READ_VALUES_MAX) {
      const some = missing.slice(start, start + READ_VALUES_MAX)
      const found = await (await this.#open()).getMany(some.map(({ place }) => valueKey(place)))
      for (const [offset, { place, index }] of some.entries()) {
        const bytes = found[offset]
        if (bytes) values[index] = decodedOrCorrupt(place, bytes)
      }
    }
    return values
  }

  /** Undefined where the value has been compacted. Throws `Corrupt` and `Unavailable`. */
  async entry(key: string, { revision, created, slot }: LiveVersion<number>): Promise<Entry | undefined> {
    const [value] = await this.read([{ key, revision, position: slot }])
    return value && { key, value, created, modified: revision }
  }

  /** One per version; undefined where the value has been compacted. */
  async entries(
    versions: readonly (readonly [key: string, version: LiveVersion<number>])[],
  ): Promise<readonly (Entry | Unreadable | undefined)[]> {
    const places = versions.map(([key, { revision, slot }]) => ({ key, revision, position: slot }))
    const values = await this.#readEach(places)
    return versions.map(([key, { revision, created }], index) => {
      const value = values[index]
      if (value instanceof Corrupt) return { key, error: value, created, modified: revision }
      return value && { key, value, created, modified: revision }
    })
  }

  /** The changes from `first` to `last`; stops before the first transaction that has been compacted. */
  async changes(first: Revision, last: Revision): Promise<readonly Change[]> {
    const revisions = Array.from({ length: last - first + 1 }, (_, index) => first + index)
    const records = await (await this.#open()).getMany(revisions.map(logKey))
    const writes = records.flatMap((bytes) => {
      if (!bytes) return []
      const record = decodeLogRecord(bytes)
      return record.writes.map((write, position) => ({ ...write, revision: record.revision, position }))
    })
    const values = await this.read(writes.flatMap(placesOf))
    const changes: Change[] = []
    let next = 0
    for (const write of writes) {
      const { revision, key, created, previous } = write
      const value = write.type === 'put' ? values[next++] : undefined
      const before = previous && values[next++]
      const compacted = (write.type === 'put' && !value) || (previous && !before)
      if (compacted) return changes.filter((change) => change.revision < revision)
      changes.push({
        revision,
        key,
        value,
        created,
        previous: previous && before && entryBefore(write, previous, before),
      })
    }
    return changes
  }

  /** Why a transaction happened: in the log alone, as it is asked for so seldom. Undefined where it was compacted. */
  async cause(revision: Revision): Promise<string | undefined> {
    const bytes = await (await this.#open()).get(logKey(revision))
    return bytes && decodeLogRecord(bytes).cause
  }

  async #open(): Promise<Database> {
    if (!this.#database) await this.#exchange
    if (!this.#database) throw new Unavailable('the storage has not been opened again yet')
    return this.#database
  }
}

/** Undefined: compacted. */
type Read = Uint8Array | Corrupt | undefined

function orThrow(read: Read): Uint8Array | undefined {
  if (read instanceof Corrupt) throw read
  return read
}

function decodedOrCorrupt({ key, revision }: KeyedPlace, bytes: Buffer): Uint8Array | Corrupt {
  try {
    return decodeValue(key, revision, bytes)
  } catch (error) {
    if (error instanceof Corrupt) return error
    throw error
  }
}

type PlacedWrite = LoggedWrite & Place

function placesOf({ type, key, revision, position, previous }: PlacedWrite): readonly KeyedPlace[] {
  return [...(type === 'put' ? [{ key, revision, position }] : []), ...(previous ? [{ key, ...previous }] : [])]
}

function entryBefore({ key, created }: PlacedWrite, { revision }: Place, value: Uint8Array): Entry {
  return { key, value, created, modified: revision }
}
