/**
 * A CustomResourceDefinition as the `ResourceDefinition`s of its versions: pure, and all that tells custom resources
 * from built-in ones. Definitions of one resource know each other by name only (`Siblings`), so that one may stay
 * while another changes.
 */

import { sha256Hex } from '../../base/hash.ts'
import { apiVersionOf, parseApiVersion } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { compareVersions } from '../../machinery/meta/version-order.ts'
import { applyDefaults } from '../../machinery/schema/default.ts'
import { prune } from '../../machinery/schema/prune.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { defineResource } from '../define-resource.ts'
import type { Conversion, ResourceDefinition, Scope } from '../definition.ts'
import { customColumns } from './custom-columns.ts'
import { storageVersionOf } from './custom-resource-definition.ts'
import { customScale } from './custom-scale.ts'
import { customStrategy } from './custom-strategy.ts'
import { findByPath, parseJsonPath } from './json-path.ts'
import { rootSchema, validationSchema } from './structural-schema.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionNames,
  CustomResourceDefinitionVersion,
  SelectableField,
} from './types.gen.ts'

/** What the versions of one resource know of each other: asked whenever an object of another version is met. */
export interface Siblings {
  /** Undefined: there is no such version any more. */
  schemaOf(version: string): Schema | undefined
}

/** Everything that decides about a version's behaviour: the same text, the same behaviour. */
export function fingerprint(
  { spec, status }: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
): string {
  const { group, scope, conversion, preserveUnknownFields } = spec
  const deciding = {
    names: status?.acceptedNames,
    group,
    scope,
    conversion: conversion?.strategy,
    preserveUnknownFields,
    version,
    warning: deprecationWarning(spec, version),
    storage: storageVersionOf(spec),
  }
  return sha256Hex(JSON.stringify(deciding)).slice(0, 16)
}

export function versionSchema({ spec }: CustomResourceDefinition, version: CustomResourceDefinitionVersion): Schema {
  return rootSchema(version, spec.preserveUnknownFields === true)
}

/** The definition of one version under the names that were accepted. */
export function definitionFromCrd(
  crd: CustomResourceDefinition,
  version: CustomResourceDefinitionVersion,
  siblings: Siblings,
): ResourceDefinition {
  const { group, scope, conversion } = crd.spec
  const names: CustomResourceDefinitionNames = crd.status?.acceptedNames ?? crd.spec.names
  const schema = siblings.schemaOf(version.name) ?? versionSchema(crd, version)
  const apiVersion = apiVersionOf({ group, version: version.name })
  const storageVersion = storageVersionOf(crd.spec)
  const { subresources, selectableFields = [] } = version
  const fields = selectableFields.map(selectableField)
  const metadataLabels = scope === 'Namespaced' ? ['metadata.name', 'metadata.namespace'] : ['metadata.name']
  return defineResource({
    group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind ?? `${names.kind}List`,
    resource: names.plural,
    singular: names.singular ?? names.kind.toLowerCase(),
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    scope: scopeOf(scope),
    schema,
    schemaStamp: `${version.name}:${fingerprint(crd, version)}`,
    storageVersion,
    conversion:
      conversion?.strategy === 'Webhook'
        ? { fromStored: (object) => inForm(object, siblings) }
        : customConversion({ apiVersion, schema, siblings }, storageVersion),
    default: (object) => applyDefaults(prune(object, schema), schema),
    ...customStrategy({ version, apiVersion, kind: names.kind, schema: validationSchema(version) }),
    scale: customScale(subresources?.scale),
    deprecationWarning: deprecationWarning(crd.spec, version),
    ratchets: true,
    unconditionalUpdate: false,
    columns: customColumns(version.additionalPrinterColumns),
    fields: (object) => Object.fromEntries(fields.map(({ label, textOf }) => [label, textOf(object)])),
    fieldLabels: [...metadataLabels, ...fields.map(({ label }) => label)],
  })
}

function scopeOf(text: string): Scope {
  return text === 'Namespaced' ? 'Namespaced' : 'Cluster'
}

/** Who asks for a deprecated version is told, and where to go. */
function deprecationWarning(
  { group, names, versions }: CustomResourceDefinition['spec'],
  { name, deprecated, deprecationWarning: text }: CustomResourceDefinitionVersion,
): string | undefined {
  if (!deprecated) return undefined
  if (text !== undefined) return text
  const better = versions
    .filter((version) => version.served && !version.deprecated && compareVersions(version.name, name) < 0)
    .map((version) => version.name)
    .sort(compareVersions)
  const warning = `${group}/${name} ${names.kind} is deprecated`
  return better[0] === undefined ? warning : `${warning}; use ${group}/${better[0]} ${names.kind}`
}

interface Form {
  readonly apiVersion: string
  readonly schema: Schema
  readonly siblings: Siblings
}

/** What was written under an older schema, as its own version is today. */
function inForm(object: KubeObject, siblings: Siblings): KubeObject {
  const { version = '' } = parseApiVersion(object.apiVersion ?? '') ?? {}
  const own = siblings.schemaOf(version)
  return own === undefined ? object : applyDefaults(prune(object, own), own)
}

/**
 * What is stored in another version gets the defaults of its own version, and then only what this version knows: they
 * differ in their apiVersion alone. Where a webhook converts, that is the storage's (`server/extensions`).
 */
function customConversion({ apiVersion, schema, siblings }: Form, storedIn: string): Conversion {
  const fromStored = (object: KubeObject): KubeObject => {
    const current = inForm(object, siblings)
    return current.apiVersion === apiVersion ? current : prune({ ...current, apiVersion }, schema)
  }
  const { group = '', version = '' } = parseApiVersion(apiVersion) ?? {}
  if (storedIn === version) return { fromStored }
  const stored = apiVersionOf({ group, version: storedIn })
  return {
    fromStored,
    toStored(object) {
      const target = siblings.schemaOf(storedIn)
      const moved = { ...object, apiVersion: stored }
      return target === undefined ? moved : prune(moved, target)
    },
  }
}

function selectableField({ jsonPath }: SelectableField) {
  const path = parseJsonPath(jsonPath) ?? []
  return {
    label: jsonPath.replace(/^\./, ''),
    textOf(object: KubeObject): string {
      const [value] = findByPath(object, path)
      return value === undefined || value === null ? '' : String(value)
    },
  }
}
