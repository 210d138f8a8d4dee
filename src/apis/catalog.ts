/**
 * All definitions that are served, by resource and by kind. Built-ins are there from the start; custom
 * resources come and go with `add` and `remove`. One definition serves one group, version and resource.
 */

import type { KubeObject } from '../machinery/meta/object.ts'
import type { ResourceDefinition } from './definition.ts'

export interface Catalog {
  byResource(group: string, version: string, resource: string): ResourceDefinition | undefined
  byKind(group: string, version: string, kind: string): ResourceDefinition | undefined
  /** In the order they were added. */
  all(): readonly ResourceDefinition[]
  /** Replaces the definition of the same group, version and resource. */
  add<T extends KubeObject>(definition: ResourceDefinition<T>): void
  /** Without effect when this very definition is not served (any more). */
  remove<T extends KubeObject>(definition: ResourceDefinition<T>): void
  /** Called after every `add` and `remove`. Returns the unsubscribe. */
  onChange(listener: CatalogListener): () => void
}

export interface CatalogChange {
  readonly added?: ResourceDefinition | undefined
  readonly removed?: ResourceDefinition | undefined
}

export type CatalogListener = (change: CatalogChange) => void

export function createCatalog(definitions: readonly ResourceDefinition[] = []): Catalog {
  const resources = new Map<string, ResourceDefinition>()
  const kinds = new Map<string, ResourceDefinition>()
  const listeners = new Set<CatalogListener>()
  const insert = (definition: ResourceDefinition): ResourceDefinition | undefined => {
    const replaced = resources.get(resourceKey(definition))
    if (replaced) kinds.delete(kindKey(replaced))
    resources.set(resourceKey(definition), definition)
    kinds.set(kindKey(definition), definition)
    return replaced
  }
  const announce = (change: CatalogChange): void => {
    for (const listener of listeners) listener(change)
  }
  for (const definition of definitions) insert(definition)
  return {
    byResource: (group, version, resource) => resources.get(`${group}/${version}/${resource}`),
    byKind: (group, version, kind) => kinds.get(`${group}/${version}/${kind}`),
    all: () => [...resources.values()],
    add: (definition) => announce({ added: definition, removed: insert(definition) }),
    remove(definition) {
      if (resources.get(resourceKey(definition)) !== definition) return
      resources.delete(resourceKey(definition))
      kinds.delete(kindKey(definition))
      announce({ removed: definition })
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

const resourceKey = ({ group, version, resource }: ResourceDefinition): string => `${group}/${version}/${resource}`
const kindKey = ({ group, version, kind }: ResourceDefinition): string => `${group}/${version}/${kind}`
