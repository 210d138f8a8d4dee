/** Items by key, in order of first appearance. */
export function groupBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}

/** Code-unit order: the one order used for names and keys, whatever the locale. */
export function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

/** The keys of an object in code-unit order. Sorting takes memory even where nothing moves, and most are in order. */
export function sortedKeys(object: object): readonly string[] {
  const keys = Object.keys(object)
  let before = ''
  for (const key of keys) {
    if (key < before) return keys.sort(byCodeUnit)
    before = key
  }
  return keys
}
