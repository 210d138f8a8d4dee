/** Owner references that say the same thing twice are dropped, with a warning, as upstream does since 1.20. */

import { deepEqual } from '../../base/deep-equal.ts'
import type { KubeObject, OwnerReference } from '../../machinery/meta/object.ts'

/** A list longer than this is left to validation: comparing all pairs of it would be the caller's attack. */
const COMPARED_MAX = 1_000

export function uniqueOwners<T extends KubeObject>(object: T, warn: (text: string) => void): T {
  const references = object.metadata.ownerReferences
  if (!references || references.length < 2 || references.length > COMPARED_MAX) return object
  const unique: OwnerReference[] = []
  const repeated = new Set<string>()
  for (const reference of references) {
    if (!unique.some((other) => deepEqual(other, reference))) unique.push(reference)
    else repeated.add(reference.uid)
  }
  if (repeated.size === 0) return object
  warn(
    '.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may ' +
      `reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...repeated].join(', ')}`,
  )
  return { ...object, metadata: { ...object.metadata, ownerReferences: unique } }
}
