/**
 * Pure: the engine's log entries as lines. An entry is `<time> <content>`; a line longer than 16 KiB is several entries,
 * of which only the last ends with a newline, and comes out as one line with the time of its first entry.
 */

import type { Frame } from './docker-streams.ts'
import type { LogLine } from './runtime.ts'

/** Where the engine cuts lines, in bytes. */
const ENTRY_BYTES = 16_384

/** A longer line comes out in pieces of about this size, so that no line has to fit into memory. 1 MiB. */
const LINE_BYTES_MAX = 1_048_576

const NEWLINE = 10

/** `2026-01-01T00:00:00.000000000Z ` with a zone of up to six characters. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d) /
const TIMESTAMP_BYTES_MAX = 36

interface Pending {
  timestamp: string
  pieces: Buffer[]
  size: number
}

/** Joins the entries of both streams into lines. */
export async function* linesOfFrames(entries: AsyncIterable<Frame>): AsyncGenerator<LogLine> {
  const pending = new Map<Frame['stream'], Pending>()
  for await (const { stream, bytes } of entries) {
    const { timestamp, content } = splitEntry(bytes)
    const line = pending.get(stream) ?? { timestamp, pieces: [], size: 0 }
    line.pieces.push(content)
    line.size += content.length
    if (content.at(-1) !== NEWLINE && content.length >= ENTRY_BYTES && line.size < LINE_BYTES_MAX) {
      pending.set(stream, line)
      continue
    }
    pending.delete(stream)
    yield lineOf(stream, line)
  }
  for (const [stream, line] of pending) yield lineOf(stream, line)
}

/** The log of a container with a terminal has no frames: entries follow each other, cut at newlines or at 16 KiB. */
export async function* linesOfTerminal(source: AsyncIterable<Buffer>): AsyncGenerator<LogLine> {
  yield* linesOfFrames(entriesOfTerminal(source))
}

async function* entriesOfTerminal(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of source) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    for (let end = entryEnd(rest); end !== undefined; end = entryEnd(rest)) {
      yield { stream: 'stdout', bytes: rest.subarray(0, end) }
      rest = rest.subarray(end)
    }
  }
  if (rest.length > 0) yield { stream: 'stdout', bytes: rest }
}

/** Undefined: the entry is not complete. */
function entryEnd(bytes: Buffer): number | undefined {
  const newline = bytes.indexOf(NEWLINE)
  const longest = timestampBytes(bytes) + ENTRY_BYTES
  if (newline !== -1 && newline < longest) return newline + 1
  if (bytes.length < longest + TIMESTAMP_BYTES_MAX) return newline === -1 ? undefined : longest
  return longest
}

function splitEntry(bytes: Buffer): { timestamp: string; content: Buffer } {
  const length = timestampBytes(bytes)
  return { timestamp: bytes.toString('latin1', 0, Math.max(0, length - 1)), content: bytes.subarray(length) }
}

function timestampBytes(bytes: Buffer): number {
  return TIMESTAMP.exec(bytes.toString('latin1', 0, TIMESTAMP_BYTES_MAX))?.[0].length ?? 0
}

function lineOf(stream: Frame['stream'], { timestamp, pieces }: Pending): LogLine {
  return { timestamp, stream, bytes: pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces) }
}
