/**
 * What an update of a definition may leave as it was, although a new definition could not say it: rules that came
 * after the object do not stand in the way of changing something else.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { itemSchema, someSchemaOf } from './schema-walk.ts'
import { isStructural } from './structural.ts'
import type { CustomResourceDefinitionSpec, JSONSchemaProps } from './types.gen.ts'
import { hasUnprunedDefaults } from './validate-defaults.ts'
import { keyedListErrors } from './validate-list-type.ts'
import { SELECTABLE_FIELDS_MAX } from './validate-version-parts.ts'

export interface SchemaTolerances {
  /** Versions without a schema. */
  readonly withoutSchemas: boolean
  /** Types that OpenAPI does not have. */
  readonly otherTypes: boolean
  /** Schemas that are not structural. */
  readonly nonStructural: boolean
  /** Defaults with fields that the schema does not know. */
  readonly unprunedDefaults: boolean
  /** Sets of items that are merged. */
  readonly granularSets: boolean
  /** Keys of lists that may be absent or null. */
  readonly looseKeys: boolean
  /** Names of versions whose schemas did not change: the price of their rules is what it was. */
  readonly unchangedSchemas: ReadonlySet<string>
  /** Names of versions that keep more selectable fields than allowed. */
  readonly manySelectableFields: ReadonlySet<string>
}

export const NO_TOLERANCES: SchemaTolerances = {
  withoutSchemas: false,
  otherTypes: false,
  nonStructural: false,
  unprunedDefaults: false,
  granularSets: false,
  looseKeys: false,
  unchangedSchemas: new Set(),
  manySelectableFields: new Set(),
}

export const SCHEMA_TYPES: readonly string[] = ['array', 'boolean', 'integer', 'number', 'object', 'string']

export function tolerancesOf(
  spec: CustomResourceDefinitionSpec,
  previous: CustomResourceDefinitionSpec,
): SchemaTolerances {
  const before = new Map((previous.versions ?? []).map((version) => [version.name, version]))
  const schemas = (previous.versions ?? []).map(({ schema }) => schema?.openAPIV3Schema)
  const same = (spec.versions ?? []).filter(({ name, schema }) => {
    const old = before.get(name)
    return old !== undefined && deepEqual(schema?.openAPIV3Schema, old.schema?.openAPIV3Schema)
  })
  const selecting = (spec.versions ?? []).filter(({ name, selectableFields }) => {
    const old = before.get(name)?.selectableFields ?? []
    return old.length > SELECTABLE_FIELDS_MAX && deepEqual(selectableFields, old)
  })
  const found = schemas.flatMap((schema) => schema ?? [])
  return {
    withoutSchemas: schemas.includes(undefined),
    otherTypes: someSchemaOf(previous, ({ type = '' }) => type !== '' && !SCHEMA_TYPES.includes(type)),
    nonStructural: found.some((schema) => !isStructural(schema)),
    unprunedDefaults: found.some(hasUnprunedDefaults),
    granularSets: someSchemaOf(previous, isGranularSet),
    looseKeys: someSchemaOf(previous, (schema) => keyedListErrors(schema).length > 0),
    unchangedSchemas: new Set(same.map(({ name }) => name)),
    manySelectableFields: new Set(selecting.map(({ name }) => name)),
  }
}

function isGranularSet(schema: JSONSchemaProps): boolean {
  if (schema['x-kubernetes-list-type'] !== 'set') return false
  const items = itemSchema(schema)
  if (items?.type === 'array') return (items['x-kubernetes-list-type'] ?? 'atomic') !== 'atomic'
  return items?.type === 'object' && items['x-kubernetes-map-type'] !== 'atomic'
}
