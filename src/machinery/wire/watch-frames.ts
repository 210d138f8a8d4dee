/**
 * The events of a watch as frames. In JSON a frame is a line, `{"type":"ADDED","object":{…}}`; in protobuf a
 * WatchEvent behind its length. Encoding takes the object's bytes as they are; decoding (JSON, which is what our own
 * clients ask for) yields every event that one chunk completes as one batch.
 */

import { joinKept } from '../../base/kept-bytes.ts'
import { DecodeError, decodeJson } from './json.ts'
import type { WatchEvent, WatchEventType } from './message.ts'
import { BackwardsWriter } from './protobuf-writer.ts'

/** Bytes of one frame that a reader collects: several times the largest object the server takes. */
const WATCH_FRAME_BYTES_MAX = 32 * 1024 * 1024

const NEWLINE = 0x0a
const TAIL = Buffer.from('}\n')
const HEADS: Readonly<Record<WatchEventType, Buffer>> = {
  ADDED: Buffer.from('{"type":"ADDED","object":'),
  MODIFIED: Buffer.from('{"type":"MODIFIED","object":'),
  DELETED: Buffer.from('{"type":"DELETED","object":'),
  BOOKMARK: Buffer.from('{"type":"BOOKMARK","object":'),
  ERROR: Buffer.from('{"type":"ERROR","object":'),
}

/** One frame around an object that is JSON already. */
export function encodeWatchFrame(type: WatchEventType, object: Uint8Array): Uint8Array {
  return joinKept(watchFrameParts(type, object))
}

/** What stands one behind the other in such a frame. */
export function watchFrameParts(type: WatchEventType, object: Uint8Array): readonly Uint8Array[] {
  return [HEADS[type], object, TAIL]
}

/** Of the event that follows, in four bytes. */
const length = Buffer.alloc(4)
const writer = new BackwardsWriter()

/** One frame around an object with its protobuf envelope, which `write` writes but for its last `unwritten` bytes. */
export function encodeProtobufFrame(
  type: WatchEventType,
  write: (writer: BackwardsWriter) => void,
  unwritten = 0,
): Uint8Array {
  return writer.write(() => {
    write(writer)
    writer.headOf(1, writer.position + unwritten)
    writer.headOf(2, writer.position + unwritten)
    writer.text(1, type)
    length.writeUInt32BE(writer.position + unwritten)
    writer.raw(length)
  })
}

/** Ends when the chunks do; a last line without its newline is dropped. Throws `DecodeError` on what is no frame. */
export async function* decodeWatchFrames(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<readonly WatchEvent<unknown>[], void> {
  let kept: Uint8Array[] = []
  let keptBytes = 0
  for await (const chunk of chunks) {
    const events: WatchEvent<unknown>[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const piece = chunk.subarray(start, end)
      const line = kept.length === 0 ? piece : Buffer.concat([...kept, piece])
      kept = []
      keptBytes = 0
      start = end + 1
      if (line.length > 0) events.push(decodeFrame(line))
    }
    if (start < chunk.length) {
      kept.push(chunk.subarray(start))
      keptBytes += chunk.length - start
      if (keptBytes > WATCH_FRAME_BYTES_MAX) throw new DecodeError('a watch event exceeds the limit')
    }
    if (events.length > 0) yield events
  }
}

function decodeFrame(line: Uint8Array): WatchEvent<unknown> {
  const frame = decodeJson(line)
  if (typeof frame !== 'object' || frame === null || !('type' in frame) || !('object' in frame))
    throw new DecodeError('a watch event has neither type nor object')
  const type = frame.type
  if (typeof type !== 'string' || !isWatchEventType(type)) throw new DecodeError('a watch event has an unknown type')
  return { type, object: frame.object }
}

function isWatchEventType(type: string): type is WatchEventType {
  return Object.hasOwn(HEADS, type)
}
