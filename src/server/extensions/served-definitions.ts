/**
 * The definitions that CustomResourceDefinitions have brought into the catalog. A version whose behaviour did not
 * change keeps its definition, and with it everybody who watches its objects.
 */

import { definitionFromCrd, fingerprint, versionSchema } from '../../apis/apiextensions/definition-from-crd.ts'
import { isTerminating } from '../../apis/apiextensions/definition-status.ts'
import type { CustomResourceDefinition } from '../../apis/apiextensions/types.gen.ts'
import type { Catalog } from '../../apis/catalog.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Schema } from '../../machinery/schema/schema.ts'

export interface ServedDefinitions {
  /** Brings the catalog to what the definition says today. */
  serve(crd: CustomResourceDefinition): void
  withdraw(name: string): void
  /** The CustomResourceDefinition that a definition comes from; undefined for built-in ones. */
  originOf(definition: ResourceDefinition): CustomResourceDefinition | undefined
  /** The definition in the version that objects are stored in, served or not; undefined while nothing is served. */
  stored(name: string): ResourceDefinition | undefined
}

interface Version {
  readonly fingerprint: string
  readonly schema: Schema
  readonly definition: ResourceDefinition
}

interface Resource {
  crd: CustomResourceDefinition
  readonly versions: Map<string, Version>
}

export function createServedDefinitions(catalog: Catalog): ServedDefinitions {
  const resources = new Map<string, Resource>()
  const origins = new WeakMap<ResourceDefinition, Resource>()
  const update = (resource: Resource): void => {
    const { versions, crd } = resource
    const current = new Set(crd.spec.versions.map(({ name }) => name))
    const changed = crd.spec.versions.filter((one) => versions.get(one.name)?.fingerprint !== fingerprint(crd, one))
    const replaced = [...versions].filter(([name]) => !current.has(name) || changed.some((one) => one.name === name))
    const schemas = new Map(changed.map((version) => [version.name, versionSchema(crd, version)]))
    const siblings = { schemaOf: (name: string) => versions.get(name)?.schema ?? schemas.get(name) }
    for (const [name] of replaced) versions.delete(name)
    for (const version of changed) {
      const definition = definitionFromCrd(crd, version, siblings)
      origins.set(definition, resource)
      const schema = schemas.get(version.name) ?? {}
      versions.set(version.name, { fingerprint: fingerprint(crd, version), schema, definition })
    }
    for (const { name, served } of crd.spec.versions) {
      const definition = versions.get(name)?.definition
      if (definition === undefined) continue
      const present = catalog.byResource(definition.group, name, definition.resource)
      // Built-in resources of the same name are not replaced.
      if (present !== undefined && !origins.has(present)) continue
      if (served && present !== definition) catalog.add(definition)
      if (!served && present !== undefined) catalog.remove(present)
    }
    for (const [name, { definition }] of replaced) if (!current.has(name)) catalog.remove(definition)
  }
  return {
    serve(crd) {
      const name = crd.metadata.name ?? ''
      const known = resources.get(name)
      const resource = known ?? { crd, versions: new Map() }
      resources.set(name, resource)
      resource.crd = crd
      update(resource)
    },
    withdraw(name) {
      for (const { definition } of resources.get(name)?.versions.values() ?? []) catalog.remove(definition)
      resources.delete(name)
    },
    originOf: (definition) => origins.get(definition)?.crd,
    stored(name) {
      const versions = [...(resources.get(name)?.versions.values() ?? [])]
      return versions.find(({ definition }) => definition.version === definition.storageVersion)?.definition
    },
  }
}

/** Whether objects of a definition must not be created any more. */
export function isClosing(served: ServedDefinitions, definition: ResourceDefinition): boolean {
  const origin = served.originOf(definition)
  return origin !== undefined && isTerminating(origin)
}
