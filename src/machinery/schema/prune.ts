/** Drops the fields a schema does not know, as the API server does before it stores a custom object. */

import { setOwn } from '../../base/deep-freeze.ts'
import type { Schema } from './schema.ts'

/** Returns `value` itself when there is nothing to drop; never changes it. */
export function prune<T>(value: T, schema: Schema): T {
  return pruned(value, schema) as T
}

function pruned(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return prunedList(value, schema.items)
  if (typeof value !== 'object' || value === null) return value
  return prunedObject(value as Readonly<Record<string, unknown>>, schema)
}

function prunedList(list: readonly unknown[], items: Schema | undefined): readonly unknown[] {
  if (items === undefined) return list
  let changed = false
  const result = list.map((item) => {
    const kept = pruned(item, items)
    changed ||= kept !== item
    return kept
  })
  return changed ? result : list
}

function prunedObject(object: Readonly<Record<string, unknown>>, schema: Schema): Readonly<Record<string, unknown>> {
  const result: Record<string, unknown> = {}
  let changed = false
  for (const [name, value] of Object.entries(object)) {
    const field = schemaOfField(schema, name)
    if (field === undefined) {
      changed = true
      continue
    }
    const kept = field === true ? value : pruned(value, field)
    changed ||= kept !== value
    setOwn(result, name, kept)
  }
  return changed ? result : object
}

/** The schema of a field; `true` when any value is kept whole, undefined when the field is unknown. */
export function schemaOfField(schema: Schema, name: string): Schema | true | undefined {
  const { properties, additionalProperties } = schema
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name]
  if (typeof additionalProperties === 'object') return additionalProperties
  if (additionalProperties === true || schema['x-kubernetes-preserve-unknown-fields']) return true
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  return embedded && (name === 'apiVersion' || name === 'kind' || name === 'metadata') ? true : undefined
}
