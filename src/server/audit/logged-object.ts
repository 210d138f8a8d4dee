/** Objects as events show them: on request without the notes of who set which field. */

import { isRecord } from '../../base/is-record.ts'

/** The object, or the items of a list and the rows of a table, without `metadata.managedFields`. */
export function withoutManagedFields(value: unknown): unknown {
  if (!isRecord(value)) return value
  const own = withoutOwn(value)
  if (Array.isArray(own.items))
    return { ...own, items: own.items.map((item) => (isRecord(item) ? withoutOwn(item) : item)) }
  if (own.kind !== 'Table' || !Array.isArray(own.rows)) return own
  return { ...own, rows: own.rows.map(withoutObjects) }
}

type Fields = Readonly<Record<string, unknown>>

function withoutOwn(object: Fields): Fields {
  if (!isRecord(object.metadata) || object.metadata.managedFields === undefined) return object
  const { managedFields: _managedFields, ...metadata } = object.metadata
  return { ...object, metadata }
}

function withoutObjects(row: unknown): unknown {
  return isRecord(row) && isRecord(row.object) ? { ...row, object: withoutOwn(row.object) } : row
}
