/**
 * Structural defaults of custom resources: a missing field gets its default, also inside a default; a null
 * that the schema does not allow counts as missing. Built-in resources have their own `default`.
 */

import { deepClone, setOwn } from '../../base/deep-freeze.ts'
import { schemaOfField } from './prune.ts'
import type { Schema } from './schema.ts'

/** Returns `value` itself when there is nothing to fill in; never changes it. */
export function applyDefaults<T>(value: T, schema: Schema): T {
  return defaulted(value, schema) as T
}

function defaulted(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return defaultedList(value, schema.items)
  if (typeof value !== 'object' || value === null) return value
  return defaultedObject(value as Readonly<Record<string, unknown>>, schema)
}

function defaultedList(list: readonly unknown[], items: Schema | undefined): readonly unknown[] {
  if (items === undefined) return list
  let changed = false
  const result = list.map((item) => {
    const filled = defaulted(countsAsMissing(item, items) ? defaultOf(items, item) : item, items)
    changed ||= filled !== item
    return filled
  })
  return changed ? result : list
}

function defaultedObject(object: Readonly<Record<string, unknown>>, schema: Schema): Readonly<Record<string, unknown>> {
  const result: Record<string, unknown> = {}
  let changed = false
  for (const [name, value] of Object.entries(object)) {
    const field = schemaOfField(schema, name)
    if (field === undefined || field === true) {
      setOwn(result, name, value)
      continue
    }
    const missing = countsAsMissing(value, field)
    if (missing && field.default === undefined) {
      changed = true
      continue
    }
    const filled = defaulted(missing ? defaultOf(field, value) : value, field)
    changed ||= filled !== value
    setOwn(result, name, filled)
  }
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    if (field.default === undefined || Object.hasOwn(object, name)) continue
    changed = true
    setOwn(result, name, defaulted(defaultOf(field, undefined), field))
  }
  return changed ? result : object
}

function countsAsMissing(value: unknown, schema: Schema): boolean {
  return value === null && schema.nullable !== true && schema.type !== undefined
}

function defaultOf(schema: Schema, otherwise: unknown): unknown {
  return schema.default === undefined ? otherwise : deepClone(schema.default)
}
