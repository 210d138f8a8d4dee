/** Lists of metadata: what stands between braces in the bytes of each object, never parsed. */

import { assert } from '../../../base/assert.ts'
import type { ListMeta, ObjectMeta } from '../../../machinery/meta/object.ts'
import { partialMetadataList } from '../partial-metadata.ts'
import type { Shown } from '../view.ts'
import { type EncodedBody, type ListForm, listBody } from './list-body.ts'

interface Slice {
  readonly bytes: Uint8Array
  readonly end: number
}

/** `offset`: where `"metadata"` stands in the bytes of each item. */
export function metadataList(
  items: readonly Shown[],
  metadata: ListMeta,
  { metaVersion, offset }: { readonly metaVersion: string; readonly offset: number },
): EncodedBody {
  const start = offset + METADATA_NAME.length
  const open = metadataOpening(metaVersion)
  const list = JSON.stringify(partialMetadataList([], metadata, metaVersion))
  const form: ListForm<Slice> = {
    head: Buffer.from(list.slice(0, -']}'.length)),
    separator: Buffer.from(','),
    tail: Buffer.from(']}'),
    lengthOf: ({ end }) => open.length + end - start + 1,
    write({ bytes, end }, target, at) {
      target.set(open, at)
      target.set(bytes.subarray(start, end), at + open.length)
      target[at + open.length + end - start] = CLOSING_BRACE
    },
  }
  return listBody(
    items.map(({ bytes }) => ({ bytes, end: objectEnd(bytes, start) })),
    form,
  )
}

/** The metadata of an item, parsed without the rest. */
export function metadataOf({ bytes }: Shown, offset: number): ObjectMeta {
  const start = offset + METADATA_NAME.length
  const json = Buffer.from(bytes.buffer, bytes.byteOffset + start, objectEnd(bytes, start) - start)
  // The bytes were written by the codec from an object of this shape.
  return JSON.parse(json.toString()) as ObjectMeta
}

export const METADATA_NAME = '"metadata":'

/** What precedes an object's metadata that stands alone. */
export function metadataOpening(metaVersion: string): Buffer {
  return Buffer.from(`{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/${metaVersion}",${METADATA_NAME}`)
}

const QUOTE = '"'.charCodeAt(0)
const BACKSLASH = '\\'.charCodeAt(0)
const OPENING_BRACE = '{'.charCodeAt(0)
export const CLOSING_BRACE = '}'.charCodeAt(0)

/** Behind the brace that closes the object whose first brace is at `start`. */
export function objectEnd(json: Uint8Array, start: number): number {
  let depth = 0
  for (let at = start; at < json.length; at++) {
    const code = json[at]
    if (code === QUOTE) at = closingQuote(json, at + 1)
    else if (code === OPENING_BRACE) depth++
    else if (code === CLOSING_BRACE && --depth === 0) return at + 1
  }
  assert(false, 'a stored object has no end')
}

function closingQuote(json: Uint8Array, start: number): number {
  let at = start
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at
}
