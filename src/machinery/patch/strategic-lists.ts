/**
 * Order of lists in strategic merge patches. Items that the patch names come in the patch's order; items only
 * the server has keep their order among themselves and stand before those that followed them on the server.
 */

import { isRecord } from '../../base/is-record.ts'
import { type ApiError, badRequest } from '../meta/api-error.ts'

export type JsonMap = Record<string, unknown>

export function ownValue(map: JsonMap, key: string): unknown {
  return Object.hasOwn(map, key) ? map[key] : undefined
}

export function noMergeKey(map: JsonMap, mergeKey: string): ApiError {
  return badRequest(`map: ${goText(map)} does not contain declared merge key: ${mergeKey}`)
}

/** As Go's `%v` prints JSON values: what upstream's messages contain. */
export function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (!isRecord(value)) return String(value)
  const fields = Object.keys(value).sort()
  return `map[${fields.map((key) => `${key}:${goText(value[key])}`).join(' ')}]`
}

/** An item's identity in a list: its merge key's value, or itself in a list of scalars. */
function identity(item: unknown, mergeKey: string): unknown {
  if (mergeKey === '') return item
  if (!isRecord(item)) throw badRequest(`expected a map[string]interface {}, but received a ${typeof item}`)
  if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey)
  return item[mergeKey]
}

function positions(list: readonly unknown[], mergeKey: string): Map<unknown, number> {
  const result = new Map<unknown, number>()
  for (const [index, item] of list.entries()) {
    const id = identity(item, mergeKey)
    if (!result.has(id)) result.set(id, index)
  }
  return result
}

/** `merged` in the order of `order` (the patch, or its `$setElementOrder`) and of `server`, the list before. */
export function inElementOrder(
  merged: readonly unknown[],
  order: readonly unknown[],
  server: readonly unknown[],
  mergeKey: string,
): unknown[] {
  const wanted = positions(order, mergeKey)
  const before = positions(server, mergeKey)
  const items = merged.map((item) => ({ item, id: identity(item, mergeKey) }))
  const byPosition = (places: ReadonlyMap<unknown, number>) => (left: { id: unknown }, right: { id: unknown }) =>
    (places.get(left.id) ?? 0) - (places.get(right.id) ?? 0)
  const named = items.filter(({ id }) => wanted.has(id)).sort(byPosition(wanted))
  const own = items.filter(({ id }) => !wanted.has(id)).sort(byPosition(before))
  const result: unknown[] = []
  let next = 0
  for (const { item, id } of named) {
    const place = before.get(id)
    for (; next < own.length && place !== undefined; next++) {
      const candidate = own[next]
      const candidatePlace = before.get(candidate?.id)
      if (candidatePlace === undefined || candidatePlace >= place) break
      result.push(candidate?.item)
    }
    result.push(item)
  }
  return [...result, ...own.slice(next).map(({ item }) => item)]
}

/**
 * The server's list, for the order after a patch that deletes some of its items: what the patch adds has their places, at
 * the end of those that stay. So upstream has it, and items of the server stand before added ones where others go.
 */
export function placesAfter(
  current: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
): readonly unknown[] {
  const changes = mergeKey === '' ? [] : patch.filter(isRecord)
  const gone = new Set(changes.filter(({ $patch }) => $patch === 'delete').map((item) => ownValue(item, mergeKey)))
  if (gone.size === 0) return current
  const stays = current.filter((item) => !gone.has(identity(item, mergeKey)))
  const known = new Set(stays.map((item) => identity(item, mergeKey)))
  const added = changes.filter((item) => !Object.hasOwn(item, '$patch') && !known.has(ownValue(item, mergeKey)))
  return [...stays, ...added].slice(0, current.length)
}

/** The patch's items must stand in its `$setElementOrder` list, in the same order. Deletions need not. */
export function checkOrderedPatch(patch: readonly unknown[], order: readonly unknown[], mergeKey: string): void {
  if (patch.length === 0 || order.length === 0) return
  const kept = patch.filter((item) => !(mergeKey !== '' && isRecord(item) && Object.hasOwn(item, '$patch')))
  let position = 0
  for (const item of order) {
    if (position < kept.length && identity(kept[position], mergeKey) === identity(item, mergeKey)) position++
  }
  if (position === kept.length) return
  throw badRequest(
    `The order in patch list:\n${goText(patch)}\n doesn't match $setElementOrder list:\n${goText(order)}\n`,
  )
}
