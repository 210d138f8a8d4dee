/**
 * Questions about a storage that nobody has open: is it whole, and what is in it. They read through the same code as
 * the storage itself and write no record; LevelDB may tidy its own files when it opens.
 */

import { messageOf } from '../base/error-text.ts'
import { type Database, openExistingDatabase } from './level-database.ts'
import {
  checksumOfValue,
  decodeIndexEntry,
  decodeValue,
  INDEX_RANGE,
  keyOfIndex,
  type LogRecord,
  type Place,
  placeOfValue,
  VALUE_HEADER_BYTES,
  VALUE_RANGE,
  valueKey,
} from './level-records.ts'
import { readAnchor, readLog, recover } from './recovery.ts'
import type { Revision } from './storage.ts'

export interface StorageReport {
  readonly head: Revision
  /** Where the kept history begins. */
  readonly compacted: Revision
  readonly keys: number
  readonly transactions: number
  readonly valueBytes: number
  /** One sentence per finding; empty: everything verifies. At most `PROBLEMS_MAX`. */
  readonly problems: readonly string[]
}

/** Findings that a report lists: a broken disk would fill it otherwise. */
const PROBLEMS_MAX = 1_000

/** Verifies every record: the log's chain, the index against the log, every value and that each is still needed. */
export async function checkStorage(directory: string): Promise<StorageReport> {
  const database = await openExistingDatabase(directory)
  try {
    return await checkDatabase(database)
  } finally {
    await database.close()
  }
}

async function checkDatabase(database: Database): Promise<StorageReport> {
  const problems: string[] = []
  const report = (problem: string) => void (problems.length < PROBLEMS_MAX && problems.push(problem))
  const { anchor, head } = await recover(database).catch((error: unknown) => {
    report(messageOf(error))
    return { anchor: undefined, head: undefined }
  })
  const needed = new Map<string, string>()
  const keys = await collectIndexed(database, needed, report)
  const transactions = await checkLog(database, needed, report)
  const valueBytes = await checkValues(database, needed, report)
  for (const key of needed.values()) report(`a value of ${key} is missing`)
  return { head: head?.revision ?? 0, compacted: anchor?.revision ?? 0, keys, transactions, valueBytes, problems }
}

const nameOf = (place: Place): string => valueKey(place).toString('latin1')

async function collectIndexed(
  database: Database,
  needed: Map<string, string>,
  report: (problem: string) => void,
): Promise<number> {
  let keys = 0
  for await (const [text, value] of database.iterator<string, Buffer>(INDEX_RANGE)) {
    keys++
    const key = keyOfIndex(text)
    try {
      needed.set(nameOf(decodeIndexEntry(key, value)), key)
    } catch (error) {
      report(messageOf(error))
    }
  }
  return keys
}

/** Up to the first one that does not verify, which throws. */
async function* recordsOf(database: Database): AsyncGenerator<LogRecord> {
  for await (const page of readLog(database, await readAnchor(database))) for (const { record } of page) yield record
}

async function checkLog(
  database: Database,
  needed: Map<string, string>,
  report: (problem: string) => void,
): Promise<number> {
  let transactions = 0
  try {
    for await (const record of recordsOf(database)) {
      transactions++
      for (const [position, { type, key, previous, valueChecksum }] of record.writes.entries()) {
        if (previous) needed.set(nameOf(previous), key)
        if (type === 'delete') continue
        const place = { revision: record.revision, position }
        needed.set(nameOf(place), key)
        const bytes = await database.get(valueKey(place))
        const matches = bytes && checksumOfValue(bytes.subarray(VALUE_HEADER_BYTES)) === valueChecksum
        if (bytes && !matches) report(`the value of ${key} at revision ${record.revision} is not the one in the log`)
      }
    }
  } catch (error) {
    // `recover` has reported it; what follows in the log cannot be trusted.
    if (transactions === 0) report(messageOf(error))
  }
  return transactions
}

/** Takes every value it meets out of `needed`. */
async function checkValues(
  database: Database,
  needed: Map<string, string>,
  report: (problem: string) => void,
): Promise<number> {
  let valueBytes = 0
  for await (const [place, bytes] of database.iterator(VALUE_RANGE)) {
    const { revision } = placeOfValue(place)
    const key = needed.get(place.toString('latin1'))
    needed.delete(place.toString('latin1'))
    valueBytes += bytes.length
    if (key === undefined) {
      report(`a value of revision ${revision} belongs to no key`)
      continue
    }
    try {
      decodeValue(key, revision, bytes)
    } catch (error) {
      report(messageOf(error))
    }
  }
  return valueBytes
}

export interface DumpedWrite {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly created: Revision
  /** Absent: deleted, or not readable. */
  readonly value: Uint8Array | undefined
}

export interface DumpedTransaction extends Pick<LogRecord, 'revision' | 'timeMs' | 'fence' | 'cause'> {
  readonly writes: readonly DumpedWrite[]
}

/** The kept transactions, oldest first. Throws `Corrupt` at the first one that does not verify. */
export async function* dumpStorage(directory: string): AsyncGenerator<DumpedTransaction> {
  const database = await openExistingDatabase(directory)
  try {
    for await (const record of recordsOf(database)) {
      const { revision, timeMs, fence, cause } = record
      const places = record.writes.map((_, position) => valueKey({ revision, position }))
      const values = await database.getMany(places)
      const writes = record.writes.map(({ type, key, created }, position) => {
        const bytes = values[position]
        return { type, key, created, value: bytes && decodeValue(key, revision, bytes) }
      })
      yield { revision, timeMs, fence, cause, writes }
    }
  } finally {
    await database.close()
  }
}
