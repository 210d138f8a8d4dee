/** Of several classes that are marked as the default the newest counts, and among equals the first by name. */

import { byCodeUnit } from '../base/group-by.ts'
import type { KubeObject } from '../machinery/meta/object.ts'

export function newestClass<T extends KubeObject>(classes: readonly T[]): T | undefined {
  const [newest] = classes.toSorted(
    ({ metadata: left }, { metadata: right }) =>
      byCodeUnit(right.creationTimestamp ?? '', left.creationTimestamp ?? '') ||
      byCodeUnit(left.name ?? '', right.name ?? ''),
  )
  return newest
}
