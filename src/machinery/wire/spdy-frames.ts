/**
 * The frames of SPDY/3.1, as far as kubectl and kubelets speak it: many streams in one connection.
 *
 *   control: 80 03 | type (2 bytes) | flags | length (3 bytes) | payload
 *   data:    stream id (4 bytes, top bit 0) | flags | length (3 bytes) | payload
 *
 * Header blocks are read through one inflate stream per connection, so frames are handled strictly in order.
 * They are written as stored blocks: a dozen short names is not worth compressing, and order needs no care then.
 */

import { constants, createInflate } from 'node:zlib'
import { SPDY_DICTIONARY } from './spdy-dictionary.ts'

export const FRAME_HEAD_BYTES = 8
export const FLAG_FIN = 1

export const FRAME = {
  synStream: 1,
  synReply: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
}

/** Names as sent, in lower case; values of one name stand apart by NUL. */
export type SpdyHeaders = ReadonlyMap<string, string>

/** Bytes of a control frame, and of a header block once inflated. Honest ones have under 1 KB. */
export const CONTROL_BYTES_MAX = 64 * 1024
const PAIRS_MAX = 256

export class SpdyError extends Error {
  override readonly name = 'SpdyError'
}

export function controlFrame(type: number, flags: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + payload.length)
  frame.writeUInt32BE((0x80030000 | type) >>> 0, 0)
  frame.writeUInt32BE(((flags << 24) | payload.length) >>> 0, 4)
  frame.set(payload, FRAME_HEAD_BYTES)
  return frame
}

export function dataFrameHead(streamId: number, flags: number, length: number): Buffer {
  return words(streamId, ((flags << 24) | length) >>> 0)
}

/** Big-endian 32-bit numbers. */
export function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt32BE(value >>> 0, 4 * index)
  return bytes
}

/** Bytes that one stored block of deflate can hold. */
const STORED_BLOCK_BYTES_MAX = 0xffff
const ZLIB_HEAD = Buffer.from([0x78, 0x01])
/** An empty block, as a sync flush leaves it: Go's reader gives out what it has only when it meets one. */
const FLUSH_BLOCK = Buffer.from([0, 0, 0, 0xff, 0xff])

/** Writes header blocks; one per connection. */
export function createHeaderWriter(): (headers: SpdyHeaders) => Buffer {
  let first = true
  return (headers) => {
    const parts = [words(headers.size)]
    for (const text of [...headers].flat()) parts.push(words(Buffer.byteLength(text)), Buffer.from(text))
    const plain = Buffer.concat(parts)
    if (plain.length > STORED_BLOCK_BYTES_MAX) throw new SpdyError('the headers of a stream are too large')
    const blockHead = Buffer.alloc(5)
    blockHead.writeUInt16LE(plain.length, 1)
    blockHead.writeUInt16LE(plain.length ^ 0xffff, 3)
    const block = Buffer.concat([...(first ? [ZLIB_HEAD] : []), blockHead, plain, FLUSH_BLOCK])
    first = false
    return block
  }
}

export interface HeaderReader {
  /** Blocks must be read in the order they arrived, each after the one before has been. Rejects with `SpdyError`. */
  read(block: Uint8Array): Promise<SpdyHeaders>
  close(): void
}

export function createHeaderReader(): HeaderReader {
  const inflate = createInflate({ dictionary: SPDY_DICTIONARY, flush: constants.Z_SYNC_FLUSH })
  let chunks: Buffer[] = []
  let bytes = 0
  let fail: (error: SpdyError) => void = () => {}
  let failure: SpdyError | undefined
  const onFailure = (text: string) => {
    failure ??= new SpdyError(text)
    fail(failure)
    inflate.close()
  }
  /** What one block inflates to may come in several parts, before and after its write is called back. */
  const collect = () => {
    for (let chunk: Buffer | null = inflate.read(); chunk !== null && !failure; chunk = inflate.read()) {
      bytes += chunk.length
      if (bytes > CONTROL_BYTES_MAX) onFailure('a header block is too large')
      chunks.push(chunk)
    }
  }
  inflate.on('readable', collect)
  inflate.on('error', () => onFailure('a header block cannot be inflated'))
  return {
    close: () => inflate.close(),
    read: (block) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        chunks = []
        bytes = 0
        fail = reject
        inflate.write(block, () => {
          if (failure) return
          collect()
          try {
            resolve(parseHeaders(Buffer.concat(chunks)))
          } catch (error) {
            reject(error)
          }
        })
      }),
  }
}

/** Worked example, with 4-byte numbers: `1 | 10 "streamtype" | 5 "error"`. */
export function parseHeaders(block: Buffer): SpdyHeaders {
  const headers = new Map<string, string>()
  let position = 0
  const take = (length: number): Buffer => {
    if (position + length > block.length) throw new SpdyError('a header block is cut short')
    position += length
    return block.subarray(position - length, position)
  }
  const text = () => take(take(4).readUInt32BE()).toString('utf8')
  const pairs = take(4).readUInt32BE()
  if (pairs > PAIRS_MAX) throw new SpdyError('a header block has too many names')
  for (let pair = 0; pair < pairs; pair++) {
    const name = text().toLowerCase()
    headers.set(name, text())
  }
  return headers
}
