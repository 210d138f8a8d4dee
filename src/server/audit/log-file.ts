/**
 * Events as JSON lines in a file that is rotated by size, as upstream's library does it: the full file gets the time
 * into its name, old ones are removed by number and age. Writing happens beside the requests: lines wait in a bounded
 * buffer, in order; what does not fit and what cannot be written is counted, told to the log, and gone.
 */

import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { messageOf } from '../../base/error-text.ts'
import type { Logger } from '../../base/log.ts'
import type { AuditMetrics } from './auditing.ts'
import type { AuditSink, LoggedEvent } from './event.ts'
import { backupName, expiredBackups } from './log-rotation.ts'

export interface LogFileSettings {
  readonly path: string
  /** Megabytes; a file that a line would make larger is rotated before. */
  readonly maxSize: number
  /** Old files that are kept; 0: all. */
  readonly maxBackups: number
  /** Days after which old files are removed; 0: never. */
  readonly maxAgeDays: number
}

export interface SinkParts {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Pick<AuditMetrics, 'errors'>
}

/** Bytes of lines that wait for the disk: some ten thousand ordinary events, or a few of the largest. */
const BUFFER_BYTES_MAX = 16 * 1024 * 1024
/** Bytes that are written at once. */
const WRITE_BYTES_MAX = 1024 * 1024
const MEGABYTE = 1024 * 1024
/** Failures are told once in so many ms; a full disk would fill the log as well. */
const TELL_AGAIN_MS = 60_000
const PLUGIN = { plugin: 'log' }
const OWNER_ONLY = 0o600

/** Throws what the file system says when the file cannot be opened at all. */
export async function openLogFile(settings: LogFileSettings, parts: SinkParts): Promise<AuditSink> {
  await mkdir(dirname(settings.path), { recursive: true, mode: 0o700 })
  return new LogFile(settings, parts, await opened(settings.path))
}

interface OpenFile {
  readonly handle: FileHandle
  bytes: number
}

async function opened(path: string): Promise<OpenFile> {
  const handle = await open(path, 'a', OWNER_ONLY)
  return { handle, bytes: (await handle.stat()).size }
}

class LogFile implements AuditSink {
  readonly #settings: LogFileSettings
  readonly #parts: SinkParts
  #file: OpenFile | undefined
  #lines: string[] = []
  #bytes = 0
  #writing: Promise<void> | undefined
  #toldMs = Number.NEGATIVE_INFINITY

  constructor(settings: LogFileSettings, parts: SinkParts, file: OpenFile) {
    this.#settings = settings
    this.#parts = parts
    this.#file = file
  }

  accept({ text }: LoggedEvent): true {
    const bytes = Buffer.byteLength(text) + 1
    if (this.#bytes > 0 && this.#bytes + bytes > BUFFER_BYTES_MAX) {
      this.#lost(1, 'the disk is too slow')
      return true
    }
    this.#lines.push(`${text}\n`)
    this.#bytes += bytes
    this.#writing ??= this.#writeAll()
    return true
  }

  /** Everything that was accepted is written first. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing
    await this.#file?.handle.close()
    this.#file = undefined
  }

  async #writeAll(): Promise<void> {
    // What else comes in this turn of the event loop is written together.
    await Promise.resolve()
    while (this.#lines.length > 0) {
      const lines = this.#lines
      this.#lines = []
      this.#bytes = 0
      for (const chunk of chunksOf(lines)) await this.#write(chunk)
    }
    this.#writing = undefined
  }

  async #write(lines: readonly string[]): Promise<void> {
    const bytes = Buffer.from(lines.join(''))
    try {
      const file = await this.#fileFor(bytes.length)
      await file.handle.appendFile(bytes)
      file.bytes += bytes.length
    } catch (error) {
      this.#lost(lines.length, messageOf(error))
    }
  }

  async #fileFor(bytes: number): Promise<OpenFile> {
    const { path, maxSize } = this.#settings
    let file = this.#file
    if (file && file.bytes > 0 && file.bytes + bytes > maxSize * MEGABYTE) {
      this.#file = undefined
      await file.handle.close()
      await rename(path, join(dirname(path), backupName(basename(path), this.#parts.clock.now())))
      await this.#removeOld()
      file = undefined
    }
    this.#file = file ?? (await opened(path))
    return this.#file
  }

  async #removeOld(): Promise<void> {
    const { path, ...limits } = this.#settings
    const folder = dirname(path)
    const names = await readdir(folder)
    for (const name of expiredBackups(names, basename(path), limits, this.#parts.clock.now()))
      await rm(join(folder, name), { force: true })
  }

  #lost(count: number, reason: string): void {
    const { metrics, clock, log } = this.#parts
    metrics.errors(PLUGIN, count)
    if (clock.monotonic() - this.#toldMs < TELL_AGAIN_MS) return
    this.#toldMs = clock.monotonic()
    log.error('audit events are lost', { path: this.#settings.path, reason })
  }
}

function* chunksOf(lines: readonly string[]): Generator<readonly string[]> {
  let chunk: string[] = []
  let length = 0
  for (const line of lines) {
    if (length > 0 && length + line.length > WRITE_BYTES_MAX) {
      yield chunk
      chunk = []
      length = 0
    }
    chunk.push(line)
    length += line.length
  }
  if (chunk.length > 0) yield chunk
}
