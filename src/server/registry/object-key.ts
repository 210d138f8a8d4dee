/**
 * Where objects are stored: `/registry/<group>/<resource>/<namespace>/<name>`, without the namespace for
 * cluster-scoped resources; the core group is called `core`. One resource is one prefix, one namespace is one
 * prefix below it.
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'

const REGISTRY_PREFIX = '/registry/'

/** Ends with a slash. */
export function storagePrefix<T extends KubeObject>(definition: ResourceDefinition<T>): string {
  const { group, resource } = definition.storedAs ?? definition
  return `${REGISTRY_PREFIX}${group === '' ? 'core' : group}/${resource}/`
}

export function storageKey<T extends KubeObject>(definition: ResourceDefinition<T>, key: ObjectKey): string {
  const prefix = storagePrefix(definition)
  return definition.scope === 'Namespaced' ? `${prefix}${key.namespace ?? ''}/${key.name}` : `${prefix}${key.name}`
}
