/** Owners that are known to be gone, so that each of many dependents need not ask. A uid never comes back. */

import { LruMap } from '../../base/lru.ts'
import type { OwnerReference } from '../../machinery/meta/object.ts'

/** Owners remembered; upstream's. */
const ENTRIES_MAX = 500

export interface AbsentOwnerCache {
  /** `namespace` is that of the owner; undefined when it has none. */
  has(reference: OwnerReference, namespace: string | undefined): boolean
  add(reference: OwnerReference, namespace: string | undefined): void
}

export function createAbsentOwnerCache(): AbsentOwnerCache {
  const entries = new LruMap<string, true>(ENTRIES_MAX)
  return {
    has: (reference, namespace) => entries.get(keyOf(reference, namespace)) === true,
    add: (reference, namespace) => entries.set(keyOf(reference, namespace), true),
  }
}

/** The same uid under another kind or name is another claim, and may be true. */
function keyOf({ apiVersion, kind, name, uid }: OwnerReference, namespace: string | undefined): string {
  return JSON.stringify([apiVersion, kind, namespace ?? '', name, uid])
}
