/**
 * The engine's multiplexed streams. Output of a process without a terminal comes in frames: one byte that names the
 * stream (1 output, 2 errors), three zeros, four bytes of length (big-endian), then the content.
 */

import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

export interface Frame {
  readonly stream: 'stdout' | 'stderr'
  readonly bytes: Buffer
}

const HEADER_BYTES = 8
const STDERR = 2

/** The frames of a multiplexed stream. A frame that is cut off by the end is dropped. */
export async function* frames(source: AsyncIterable<Buffer>): AsyncGenerator<Frame> {
  let pieces: Buffer[] = []
  let size = 0
  let wanted = HEADER_BYTES
  for await (const chunk of source) {
    pieces.push(chunk)
    size += chunk.length
    if (size < wanted) continue
    let rest = pieces.length === 1 ? chunk : Buffer.concat(pieces)
    for (wanted = frameBytes(rest); rest.length >= wanted; wanted = frameBytes(rest)) {
      yield { stream: rest[0] === STDERR ? 'stderr' : 'stdout', bytes: rest.subarray(HEADER_BYTES, wanted) }
      rest = rest.subarray(wanted)
    }
    pieces = [rest]
    size = rest.length
  }
}

/** Of the frame that starts here, as far as is known. */
function frameBytes(bytes: Buffer): number {
  return bytes.length < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + bytes.readUInt32BE(4)
}

export interface Outputs {
  readonly stdout?: Writable | undefined
  readonly stderr?: Writable | undefined
}

/** Copies a process's output until it ends, no faster than it is taken. With a terminal all of it is `stdout`. */
export async function copyOutput(source: Readable, { stdout, stderr }: Outputs, tty: boolean): Promise<void> {
  if (tty) {
    for await (const bytes of source) await write(stdout, bytes)
    return
  }
  for await (const { stream, bytes } of frames(source)) await write(stream === 'stdout' ? stdout : stderr, bytes)
}

/** Nobody may be listening, or no longer: the process goes on all the same. */
async function write(target: Writable | undefined, bytes: Buffer): Promise<void> {
  if (target === undefined || target.destroyed || target.writableEnded) return
  if (target.write(bytes)) return
  await Promise.race([once(target, 'drain'), once(target, 'close')])
}
