/** The registries of everything that is served, each made when somebody first asks for it. */

import type { Catalog } from '../../apis/catalog.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { Reservations } from './admission-hooks.ts'
import { createRegistry, type Registry, type RegistryParts } from './registry.ts'

export interface Registries extends Disposable {
  of<T extends KubeObject>(definition: ResourceDefinition<T>): Registry<T>
  /** Undefined when nothing of that name is served. */
  named(group: string, version: string, resource: string): Registry | undefined
}

export interface RegistriesParts extends RegistryParts {
  readonly catalog: Catalog
  /** By `group/resource`. */
  readonly reservations: ReadonlyMap<string, Reservations>
  /** Where the objects of a definition are, if not in the shared storage as they are served. */
  storageOf?(definition: ResourceDefinition): StorageParts | undefined
}

export type StorageParts = Pick<RegistryParts, 'storage' | 'dispatcher'>

export function createRegistries(parts: RegistriesParts): Registries {
  const { catalog, reservations } = parts
  const made = new Map<ResourceDefinition, Registry>()
  const of = (definition: ResourceDefinition): Registry => {
    const known = made.get(definition)
    if (known) return known
    const own = { ...parts, ...parts.storageOf?.(definition) }
    const registry = createRegistry(definition, own, reservations.get(`${definition.group}/${definition.resource}`))
    made.set(definition, registry)
    return registry
  }
  const forget = (definition: ResourceDefinition): void => {
    made.get(definition)?.[Symbol.dispose]()
    made.delete(definition)
  }
  const unsubscribe = catalog.onChange(({ removed }) => removed && forget(removed))
  return {
    // Keyed by the definition value, whose type is the registry's.
    of: <T extends KubeObject>(definition: ResourceDefinition<T>) => of(definition) as Registry<T>,
    named: (group, version, resource) => {
      const definition = catalog.byResource(group, version, resource)
      return definition && of(definition)
    },
    [Symbol.dispose]() {
      unsubscribe()
      for (const definition of [...made.keys()]) forget(definition)
    },
  }
}
