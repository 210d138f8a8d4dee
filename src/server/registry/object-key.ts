/**
 * Where objects are stored: `/registry/<group>/<resource>/<namespace>/<name>`, without the namespace for
 * cluster-scoped resources; the core group is called `core`. One resource is one prefix, one namespace is one
 * prefix below it.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { oncePer } from '../../base/lru.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'

/** Prefixes end with a slash. */
export const REGISTRY_PREFIX = '/registry/'

export function groupPrefix(group: string): string {
  return `${REGISTRY_PREFIX}${group === '' ? 'core' : group}/`
}

export function resourcePrefix({ group, resource }: { readonly group: string; readonly resource: string }): string {
  return `${groupPrefix(group)}${resource}/`
}

export function storagePrefix<T extends KubeObject>(definition: ResourceDefinition<T>): string {
  return prefixOf(definition)
}

const prefixOf = oncePer((definition: ResourceDefinition) => resourcePrefix(definition.storedAs ?? definition))

export function storageKey<T extends KubeObject>(definition: ResourceDefinition<T>, key: ObjectKey): string {
  const prefix = storagePrefix(definition)
  return definition.scope === 'Namespaced' ? `${prefix}${key.namespace ?? ''}/${key.name}` : `${prefix}${key.name}`
}
