/**
 * The bodies of lists. Items have their bytes already, each in its own place; a body copies them one after the other
 * into one buffer, which is written and filled again. So a list of a hundred megabytes needs a quarter of one.
 */

import type { ResponseBody } from '../../../machinery/wire/message.ts'

/** Bytes that items are gathered into per write. */
const PIECE_BYTES = 256 * 1024

/** Bytes up to which a body is written at once. */
const SMALL_BYTES_MAX = 64 * 1024

/** Buffers that wait for the next list: fresh ones would be zeroed page by page and make the collector run. */
const SPARE_BUFFERS_MAX = 16

const spare: Buffer[] = []

/** How a list of items looks in one encoding. */
export interface ListForm<Item> {
  readonly head: Uint8Array
  /** Between two items. */
  readonly separator: Uint8Array
  readonly tail: Uint8Array
  /** In bytes. */
  lengthOf(item: Item): number
  /** Writes as many bytes. */
  write(item: Item, target: Buffer, at: number): void
}

export type EncodedBody =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | Extract<ResponseBody, { readonly type: 'pieces' }>

export function listBody<Item>(items: readonly Item[], form: ListForm<Item>): EncodedBody {
  const { head, separator, tail } = form
  let length = head.length + tail.length + separator.length * Math.max(0, items.length - 1)
  for (const item of items) length += form.lengthOf(item)
  if (length <= SMALL_BYTES_MAX) return { type: 'bytes', bytes: whole(items, form, length) }
  return { type: 'pieces', length, pieces: { [Symbol.iterator]: () => gathered(items, form) } }
}

function whole<Item>(items: readonly Item[], form: ListForm<Item>, length: number): Uint8Array {
  const { head, separator, tail } = form
  const buffer = Buffer.allocUnsafe(length)
  buffer.set(head)
  let end = head.length
  let between = 0
  for (const item of items) {
    if (between > 0) buffer.set(separator, end)
    form.write(item, buffer, end + between)
    end += between + form.lengthOf(item)
    between = separator.length
  }
  buffer.set(tail, end)
  return buffer
}

/** Every piece but the last has about `PIECE_BYTES`; all of them are the same memory. */
function* gathered<Item>(items: readonly Item[], form: ListForm<Item>): Generator<Uint8Array> {
  const { head, separator, tail } = form
  let buffer = spare.pop() ?? Buffer.allocUnsafeSlow(PIECE_BYTES)
  buffer.set(head)
  let end = head.length
  for (const [index, item] of items.entries()) {
    const between = index === 0 ? 0 : separator.length
    const needed = between + form.lengthOf(item)
    if (end + needed > buffer.length) {
      yield buffer.subarray(0, end)
      end = 0
      if (needed > buffer.length) buffer = Buffer.allocUnsafeSlow(needed)
    }
    if (between > 0) buffer.set(separator, end)
    form.write(item, buffer, end + between)
    end += needed
  }
  if (end + tail.length > buffer.length) {
    yield buffer.subarray(0, end)
    end = 0
  }
  buffer.set(tail, end)
  yield buffer.subarray(0, end + tail.length)
  // Nobody has broken off, so the last piece has been written.
  if (buffer.length === PIECE_BYTES && spare.length < SPARE_BUFFERS_MAX) spare.push(buffer)
}
