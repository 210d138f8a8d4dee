/** What identifies an item of a list that is a map: the values of its keys. */

import { isRecord } from '../../base/is-record.ts'
import type { Schema } from './schema.ts'

/** The keys of an item with their values; what is no object is its own key. */
export function keysOf(item: unknown, schema: Schema): unknown {
  if (!isRecord(item)) return item
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort()
  return Object.fromEntries(keys.filter((key) => Object.hasOwn(item, key)).map((key) => [key, item[key]]))
}

/** Equal for equal keys. */
export function keysText(item: unknown, schema: Schema): string {
  return canonicalText(keysOf(item, schema))
}

/** JSON with sorted keys: equal for equal values. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isRecord(part) ? Object.fromEntries(Object.entries(part).sort(([left], [right]) => (left < right ? -1 : 1))) : part,
  )
}
