/** Lists of bounded length: what is too long is not looked at any further. */

import { duplicate, type FieldError, type FieldPath, tooMany } from '../../machinery/meta/field-error.ts'

type ItemRule<T> = (path: FieldPath, item: T) => readonly FieldError[]

export function boundedList<T>(
  path: FieldPath,
  items: readonly T[] | undefined | null,
  max: number,
  rule: ItemRule<T>,
): readonly FieldError[] {
  const list = items ?? []
  if (list.length > max) return [tooMany(path, list.length, max)]
  return list.flatMap((item, index) => rule(path.index(index), item))
}

/** A bounded list in which every item is another one by its key. */
export function boundedSet<T>(
  path: FieldPath,
  items: readonly T[] | undefined | null,
  max: number,
  rule: ItemRule<T>,
  keyOf: (item: T) => string,
): readonly FieldError[] {
  const errors = boundedList(path, items, max, rule)
  return (items ?? []).length > max ? errors : [...errors, ...repeatedErrors(path, items ?? [], keyOf)]
}

/** `shown` is how a key is said where that is not the key itself. */
export function repeatedErrors<T>(
  path: FieldPath,
  items: readonly T[],
  keyOf: (item: T) => string,
  shown: (item: T) => unknown = keyOf,
): readonly FieldError[] {
  const seen = new Set<string>()
  return items.flatMap((item, index) => {
    const key = keyOf(item)
    if (seen.has(key)) return [duplicate(path.index(index), shown(item))]
    seen.add(key)
    return []
  })
}
