/** From the kind that an owner reference names to the resource that serves it. */

import type { ServedResource } from '../../client/discovery.ts'
import { parseApiVersion } from '../../machinery/meta/group-version.ts'
import type { OwnerReference } from '../../machinery/meta/object.ts'

export interface Kinds {
  /** Undefined: no such kind is served, or not yet. */
  resourceOf(reference: OwnerReference): ServedResource | undefined
}

/** A version that is served no more is read in another one of its group. */
export function indexKinds(served: readonly ServedResource[]): Kinds {
  const exact = new Map<string, ServedResource>()
  const anyVersion = new Map<string, ServedResource>()
  for (const resource of served) {
    const { group, version, kind } = resource
    if (!exact.has(`${group}/${version}/${kind}`)) exact.set(`${group}/${version}/${kind}`, resource)
    if (!anyVersion.has(`${group}/${kind}`)) anyVersion.set(`${group}/${kind}`, resource)
  }
  return {
    resourceOf({ apiVersion, kind }) {
      const parsed = parseApiVersion(apiVersion)
      if (!parsed) return undefined
      return exact.get(`${parsed.group}/${parsed.version}/${kind}`) ?? anyVersion.get(`${parsed.group}/${kind}`)
    },
  }
}
