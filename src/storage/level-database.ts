/**
 * The directory of a durable storage and the LevelDB inside it:
 *
 *   superblock.json   what this is, and its format: read before anything is opened
 *   data/             the database
 *
 * While a storage is made, the superblock is `superblock.json.new`: with that and without the other, `data/` is half-made
 * and holds nothing yet.
 */

import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Level } from 'level'
import { messageOf } from '../base/error-text.ts'
import { ANCHOR_KEY, encodeAnchor } from './level-records.ts'
import { Corrupt } from './storage.ts'

export type Database = Level<Buffer, Buffer>

/** The layout that this code writes. Older ones it can read; newer ones it refuses. */
const STORAGE_FORMAT = 1
const STORAGE_KIND = 't8s storage'
const SUPERBLOCK = 'superblock.json'
const UNFINISHED = 'superblock.json.new'

/** Bytes that LevelDB collects in memory before it writes a table: fewer, larger tables. */
const WRITE_BUFFER_BYTES = 16 * 1024 * 1024

export class StorageInUse extends Error {
  override readonly name = 'StorageInUse'
}

/** Makes the storage if the directory has none, and opens it. Throws `StorageInUse` when another process has it. */
export async function openDatabase(directory: string): Promise<Database> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const names = await readdir(directory)
  const isHalfMade = names.includes(UNFINISHED) && !names.includes(SUPERBLOCK)
  return names.includes('data') && !isHalfMade ? openExistingDatabase(directory) : createDatabase(directory, names)
}

/** Opens what is there; never creates. */
export async function openExistingDatabase(directory: string): Promise<Database> {
  await checkSuperblock(directory)
  return openLevel(directory, join(directory, 'data'))
}

async function openLevel(directory: string, path: string): Promise<Database> {
  const options = { keyEncoding: 'buffer', valueEncoding: 'buffer', writeBufferSize: WRITE_BUFFER_BYTES } as const
  const database: Database = new Level<Buffer, Buffer>(path, options)
  try {
    await database.open()
    return database
  } catch (error) {
    const cause = error instanceof Error ? error.cause : undefined
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    if (code === 'LEVEL_LOCKED') throw new StorageInUse(`${directory} is in use by another process`)
    throw new Error(`the database in ${directory} does not open: ${messageOf(cause ?? error)}`, { cause: error })
  }
}

async function createDatabase(directory: string, names: readonly string[]): Promise<Database> {
  const foreign = names.filter((name) => !OWN_NAMES.has(name))
  if (foreign.length > 0) throw new Error(`${directory} is not empty and not a storage: it has ${foreign[0]}`)
  const path = join(directory, 'data')
  const superblock = join(directory, SUPERBLOCK)
  const unfinished = join(directory, UNFINISHED)
  // An earlier version renamed it before the database.
  if (names.includes(SUPERBLOCK)) await rm(superblock)
  await writeFile(unfinished, `${JSON.stringify({ kind: STORAGE_KIND, format: STORAGE_FORMAT })}\n`)
  await Promise.all([unfinished, directory].map(syncPath))
  const database = await openLevel(directory, path)
  try {
    // Somebody else may have made it a moment ago: what is there stays.
    const anchored = (await database.get(ANCHOR_KEY)) !== undefined
    if (!anchored) await database.put(ANCHOR_KEY, encodeAnchor({ revision: 0, checksum: 0, fence: 0 }), { sync: true })
    await syncPath(path)
    await rename(unfinished, superblock)
    await Promise.all([directory, join(directory, '..')].map(syncPath))
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

const PROBE_NAME = 'probe'
/** `data.new` is what an earlier version left half-made. */
const OWN_NAMES: ReadonlySet<string> = new Set([SUPERBLOCK, UNFINISHED, 'data', 'data.new', PROBE_NAME])

async function checkSuperblock(directory: string): Promise<void> {
  const text = await readFile(join(directory, SUPERBLOCK), 'utf8').catch((error: unknown) => {
    throw new Corrupt(`${directory} has no superblock: ${messageOf(error)}`)
  })
  const { kind, format } = parseSuperblock(directory, text)
  if (kind !== STORAGE_KIND || typeof format !== 'number') throw new Corrupt(`${directory} is not a storage`)
  if (format <= STORAGE_FORMAT) return
  throw new Error(
    `${directory} has format ${format}, which a newer version wrote; this one reads up to format ${STORAGE_FORMAT}`,
  )
}

function parseSuperblock(directory: string, text: string): { readonly kind?: unknown; readonly format?: unknown } {
  try {
    const parsed: unknown = JSON.parse(text)
    return typeof parsed === 'object' && parsed !== null ? parsed : {}
  } catch {
    throw new Corrupt(`the superblock of ${directory} is not JSON`)
  }
}

/** Bytes that must fit on the disk before a failed storage is opened again: more than opening itself writes. */
const PROBE_BYTES = 2 * WRITE_BUFFER_BYTES

/** Whether the disk takes writes again: writes some, syncs them, removes them. Throws what the disk answers. */
export async function probeDisk(directory: string): Promise<void> {
  const path = join(directory, PROBE_NAME)
  try {
    const file = await open(path, 'w')
    try {
      await file.write(Buffer.alloc(PROBE_BYTES))
      await file.sync()
    } finally {
      await file.close()
    }
  } finally {
    await rm(path, { force: true })
  }
}

async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
