/**
 * Opening: reads the index and the kept log, verifies both against each other, and rebuilds what the storage keeps in
 * memory. Nothing is repaired here: what does not verify is `Corrupt`, with the revision or key it is about.
 */

import { HistoryWindow, type Moment } from './history-window.ts'
import type { Database } from './level-database.ts'
import {
  ANCHOR_KEY,
  type Anchor,
  checksumOf,
  decodeAnchor,
  decodeIndexEntry,
  decodeLogRecord,
  INDEX_RANGE,
  type IndexEntry,
  keyOfIndex,
  LOG_RANGE,
  type LogRecord,
} from './level-records.ts'
import { Corrupt } from './storage.ts'
import { type Version, VersionIndex, type VersionLink } from './version-index.ts'

/** A moment of the durable log: with what the anchor needs when the log is cut here. */
export interface LoggedMoment extends Moment {
  readonly checksum: number
  readonly fence: number
}

export interface Recovered {
  /** Where the kept log begins. */
  readonly anchor: Anchor
  /** Where it ends. */
  readonly head: Anchor
  /** A version's slot is its position in its transaction. */
  readonly index: VersionIndex<number>
  readonly window: HistoryWindow<LoggedMoment>
}

/** What is asked of the database at once: each entry by itself would cost as much as all that is made of it. */
const READ_ENTRIES = 1_000
const READ_BYTES = 1024 * 1024

export async function recover(database: Database): Promise<Recovered> {
  const anchor = await readAnchor(database)
  const chains = new Map<string, Chain>()
  const window = new HistoryWindow<LoggedMoment>()
  let head = anchor
  for await (const page of readLog(database, anchor)) {
    for (const { record, checksum } of page) {
      for (const [position, write] of record.writes.entries()) addVersion(chains, record, position, write)
      const { revision, timeMs, fence } = record
      window.append({ revision, timeMs, fence, checksum, keys: record.writes.map(({ key }) => key) })
      head = { revision, checksum, fence }
    }
  }
  return { anchor, head, index: await buildIndex(database, chains, anchor), window }
}

export async function readAnchor(database: Database): Promise<Anchor> {
  const bytes = await database.get(ANCHOR_KEY)
  if (!bytes) throw new Corrupt('the log has no anchor')
  return decodeAnchor(bytes)
}

interface Logged {
  readonly record: LogRecord
  readonly checksum: number
}

/** The records after the anchor, page by page, each verified against the one before. */
export async function* readLog(database: Database, anchor: Anchor): AsyncGenerator<Iterable<Logged>> {
  let last = anchor
  const verified = (bytes: Buffer): Logged => {
    const record = decodeLogRecord(bytes)
    if (record.revision !== last.revision + 1) {
      throw new Corrupt(`the log has revision ${record.revision} after ${last.revision}`)
    }
    if (record.previousChecksum !== last.checksum) {
      throw new Corrupt(`revision ${record.revision} of the log does not follow the revision before it`)
    }
    last = { revision: record.revision, checksum: checksumOf(bytes), fence: record.fence }
    return { record, checksum: last.checksum }
  }
  const records = database.values({ ...LOG_RANGE, highWaterMarkBytes: READ_BYTES })
  for await (const page of pagesOf(records)) yield page.values().map(verified)
}

interface Pages<Item> {
  nextv(size: number): Promise<Item[]>
  close(): Promise<void>
}

/** While one page is looked at, the next is read. */
async function* pagesOf<Item>(iterator: Pages<Item>): AsyncGenerator<readonly Item[]> {
  const read = (): Promise<Item[]> => {
    const reading = iterator.nextv(READ_ENTRIES)
    // Who has found something wrong in a page does not ask for the next.
    reading.catch(() => {})
    return reading
  }
  try {
    let next = read()
    for (let page = await next; page.length > 0; page = await next) {
      next = read()
      yield page
    }
  } finally {
    await iterator.close()
  }
}

/** The versions of a key that the log tells of, and the text of it that all keep. */
interface Chain {
  readonly key: string
  newest: VersionLink<number>
}

function addVersion(
  chains: Map<string, Chain>,
  { revision }: LogRecord,
  position: number,
  { type, key, created, previous }: LogRecord['writes'][number],
): void {
  const chain = chains.get(key)
  const slot = type === 'put' ? position : undefined
  if (!chain) {
    const before = previous && { revision: previous.revision, created, slot: previous.position, before: undefined }
    chains.set(key, { key, newest: { revision, created, slot, before } })
    return
  }
  const last = chain.newest
  const known = last.slot === undefined ? undefined : last
  if ((known?.revision ?? 0) !== (previous?.revision ?? 0)) {
    throw new Corrupt(`revision ${revision} of the log names a wrong version before it for ${key}`)
  }
  chain.newest = { revision, created, slot, before: last }
}

/** Every key's versions: from the log where it was written since the anchor, else from the index alone. */
async function buildIndex(
  database: Database,
  chains: ReadonlyMap<string, Chain>,
  anchor: Anchor,
): Promise<VersionIndex<number>> {
  const index = new VersionIndex<number>()
  let live = 0
  const iterator = database.iterator<string, Buffer>({
    ...INDEX_RANGE,
    highWaterMarkBytes: READ_BYTES,
  })
  for await (const entries of pagesOf(iterator)) {
    for (const [text, value] of entries) {
      const key = keyOfIndex(text)
      const entry = decodeIndexEntry(key, value)
      const chain = chains.get(key)
      verifyEntry(key, entry, chain?.newest, anchor)
      if (chain) live++
      const { revision, created, position: slot } = entry
      index.adopt(chain?.key ?? key, chain?.newest ?? { revision, created, slot, before: undefined })
    }
  }
  for (const { key, newest } of chains.values()) {
    if (newest.slot !== undefined) live--
    else index.adopt(key, newest)
  }
  if (live !== 0) throw new Corrupt('the index lacks keys that the log has written')
  return index
}

function verifyEntry(key: string, entry: IndexEntry, last: Version<number> | undefined, anchor: Anchor): void {
  const { revision, created, position } = entry
  const agrees = last
    ? last.revision === revision && last.created === created && last.slot === position
    : revision <= anchor.revision
  if (!agrees) throw new Corrupt(`the index has ${key} at revision ${revision}, the log has another`)
}
