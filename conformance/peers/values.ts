/** JSON values side by side: where they differ, and paths in them. */

export type JsonRecord = Readonly<Record<string, unknown>>

export interface Difference {
  /** `status`, `header warning`, `body.spec.containers[0].image`. */
  readonly where: string
  readonly upstream: unknown
  readonly t8s: unknown
}

export function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Differences of one answer that are named; a wholly different list would only say the same again and again. */
const DIFFERENCES_MAX = 50

export function differencesOf(where: string, upstream: unknown, t8s: unknown): readonly Difference[] {
  const found: Difference[] = []
  compare(where, upstream, t8s, found)
  return found
}

function compare(where: string, upstream: unknown, t8s: unknown, found: Difference[]): void {
  if (found.length >= DIFFERENCES_MAX || upstream === t8s) return
  if (isRecord(upstream) && isRecord(t8s)) {
    for (const key of new Set([...Object.keys(upstream), ...Object.keys(t8s)]))
      compare(`${where}.${key}`, own(upstream, key), own(t8s, key), found)
  } else if (Array.isArray(upstream) && Array.isArray(t8s) && upstream.length === t8s.length) {
    for (const [index, item] of upstream.entries()) compare(`${where}[${index}]`, item, t8s[index], found)
  } else {
    found.push({ where, upstream, t8s })
  }
}

function own(value: JsonRecord, key: string): unknown {
  return Object.hasOwn(value, key) ? value[key] : undefined
}

/** The value at `metadata.labels.app` or `items.0.metadata.name`; undefined where there is none. */
export function valueAt(value: unknown, path: string): unknown {
  let place = value
  for (const key of path.split('.')) {
    if (Array.isArray(place)) place = place[Number(key)]
    else if (isRecord(place)) place = own(place, key)
    else return undefined
  }
  return place
}
