/** The three moves that filling in defaults is made of. Each returns the same object when nothing changes. */

/** Sets the fields that are absent. */
export function withAbsent<T extends object>(object: T, defaults: Partial<T>): T {
  let result = object
  for (const field in defaults) {
    if (object[field] === undefined || object[field] === null) result = { ...result, [field]: defaults[field] }
  }
  return result
}

/** Sets the fields that are absent or hold the zero value of their type: the API does not tell the two apart. */
export function withZero<T extends object>(object: T, defaults: Partial<T>): T {
  let result = object
  for (const field in defaults) {
    if (isZero(object[field])) result = { ...result, [field]: defaults[field] }
  }
  return result
}

/** Replaces a field by what `change` makes of it, where it is present. */
export function mapField<T extends object, K extends keyof T>(
  object: T,
  field: K,
  change: (value: NonNullable<T[K]>) => T[K],
): T {
  const value = object[field]
  if (value === undefined || value === null) return object
  const changed = change(value)
  return changed === value ? object : { ...object, [field]: changed }
}

/** Maps every item of a list; the same list when no item changes. */
export function mapItems<T>(items: readonly T[], change: (item: T) => T): readonly T[] {
  const changed = items.map(change)
  return changed.every((item, index) => item === items[index]) ? items : changed
}

function isZero(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0
}
