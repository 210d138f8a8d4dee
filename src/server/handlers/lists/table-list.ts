/**
 * Tables of many objects. The cells of an object are kept as text, but for those that change with time, and what stands
 * beside them is cut out of the object's bytes: a table that has been made before parses nothing.
 */

import type { Column, TimedCell } from '../../../apis/definition.ts'
import type { KubeObject, ListMeta } from '../../../machinery/meta/object.ts'
import type { Stored } from '../../registry/codec.ts'
import { columnsOf, type Printed, type TableOptions, tableOf } from '../table.ts'
import { glance } from './glance.ts'
import { KeptForms } from './kept-forms.ts'
import { type EncodedBody, type ListForm, listBody } from './list-body.ts'
import { CLOSING_BRACE, METADATA_NAME, metadataOpening, objectEnd } from './metadata-lists.ts'

/** Bytes of all kept cells together: enough for some fifty thousand objects. */
const KEPT_BYTES_MAX = 16 * 1024 * 1024
/** What a kept row takes beside its texts. */
const KEPT_ROW_BYTES = 200

/** The cells of one object. */
interface Cells {
  /** What they were made by: the columns of a custom resource may change. */
  readonly columns: readonly Column[]
  /** JSON, interrupted by what changes with time. */
  readonly parts: readonly (string | TimedCell)[]
  /** Where the object's metadata ends in its bytes. */
  readonly metadataEnd: number
}

interface Row {
  readonly bytes: Uint8Array
  readonly metadataEnd: number
  /** Up to the object beside the cells. */
  readonly text: string
  /** Bytes of the text. */
  readonly length: number
}

const kept = new KeptForms<Cells>(KEPT_BYTES_MAX)

/** `offset`: where `"metadata"` stands in the bytes of each item. */
export function tableList<T extends KubeObject>(
  printed: Printed<T>,
  items: readonly Stored<T>[],
  metadata: ListMeta,
  { offset, ...options }: TableOptions & { readonly offset: number },
): EncodedBody {
  const start = offset + METADATA_NAME.length
  const columns = columnsOf(printed)
  const rows = ordered(printed, items).map((item) => {
    const { parts, metadataEnd } = cellsOf(columns, item, start)
    const text = `{"cells":[${textOf(parts, options.nowMs)}],"object":`
    return { bytes: item.bytes, metadataEnd, text, length: Buffer.byteLength(text) }
  })
  const table = JSON.stringify(tableOf(printed, [], metadata, options))
  return listBody(rows, {
    head: Buffer.from(table.slice(0, -']}'.length)),
    separator: Buffer.from(','),
    tail: Buffer.from(']}'),
    ...rowForm(options, start),
  })
}

function ordered<T extends KubeObject>({ tableOrder }: Printed<T>, items: readonly Stored<T>[]): readonly Stored<T>[] {
  if (!tableOrder) return items
  const objects = items.map((item) => ({ item, object: item.object() }))
  return objects.sort((left, right) => tableOrder(left.object, right.object)).map(({ item }) => item)
}

function rowForm({ include, metaVersion }: TableOptions, start: number): Pick<ListForm<Row>, 'lengthOf' | 'write'> {
  const open = include === 'Metadata' ? metadataOpening(metaVersion) : Buffer.alloc(0)
  const object = ({ bytes, metadataEnd }: Row): Uint8Array => {
    if (include === 'None') return NULL
    return include === 'Object' ? bytes : bytes.subarray(start, metadataEnd)
  }
  const close = Buffer.alloc(include === 'Metadata' ? 2 : 1, CLOSING_BRACE)
  return {
    lengthOf: (row) => row.length + open.length + object(row).length + close.length,
    write(row, target, at) {
      const beside = object(row)
      target.write(row.text, at)
      target.set(open, at + row.length)
      target.set(beside, at + row.length + open.length)
      target.set(close, at + row.length + open.length + beside.length)
    },
  }
}

const NULL = Buffer.from('null')

function cellsOf<T extends KubeObject>(columns: readonly Column<T>[], item: Stored<T>, start: number): Cells {
  const { bytes } = item
  const known = kept.get(bytes)
  if (known?.columns === columns) return known
  const parts = partsOf(columns, item.parsed?.() ?? glance<T>(bytes))
  const cells = { columns, parts, metadataEnd: objectEnd(bytes, start) }
  kept.keep(
    bytes,
    cells,
    parts.reduce((sum, part) => sum + part.length, KEPT_ROW_BYTES),
  )
  return cells
}

function partsOf<T extends KubeObject>(columns: readonly Column<T>[], object: T): (string | TimedCell)[] {
  const parts: (string | TimedCell)[] = []
  let text = ''
  for (const [index, column] of columns.entries()) {
    if (index > 0) text += ','
    const cell = column.value(object)
    if (typeof cell !== 'function') {
      text += JSON.stringify(cell)
      continue
    }
    parts.push(text, cell)
    text = ''
  }
  parts.push(text)
  return parts
}

function textOf(parts: Cells['parts'], nowMs: number): string {
  let text = ''
  for (const part of parts) text += typeof part === 'string' ? part : JSON.stringify(part(nowMs))
  return text
}
