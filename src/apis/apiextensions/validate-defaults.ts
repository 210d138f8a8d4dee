/** Defaults in schemas: each must be a valid value of its own schema, without fields that would be dropped. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, type FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { prune } from '../../machinery/schema/prune.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { validateValue } from '../../machinery/schema/validate.ts'
import { itemSchema, someSchema } from './schema-walk.ts'
import { structuralSchema } from './structural-schema.ts'
import type { JSONSchemaProps } from './types.gen.ts'

export function defaultErrors(schema: JSONSchemaProps, path: FieldPath, mustBePruned: boolean): readonly FieldError[] {
  const errors: FieldError[] = []
  if (schema.default !== undefined) errors.push(...valueErrors(schema, path.child('default'), mustBePruned))
  const items = itemSchema(schema)
  if (items !== undefined) errors.push(...defaultErrors(items, path.child('items'), mustBePruned))
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    errors.push(...defaultErrors(property, path.child('properties').key(name), mustBePruned))
  return errors
}

function valueErrors(schema: JSONSchemaProps, path: FieldPath, mustBePruned: boolean): readonly FieldError[] {
  const value = schema.default
  const structure = structuralSchema(schema)
  const errors = validateValue(value, structure, path.text)
  if (!mustBePruned || isPruned(value, structure)) return errors
  return [invalidValue(path, value, 'must not have unknown fields'), ...errors]
}

export function hasUnprunedDefaults(schema: JSONSchemaProps): boolean {
  return someSchema(schema, (one) => one.default !== undefined && !isPruned(one.default, structuralSchema(one)))
}

function isPruned(value: unknown, schema: Schema): boolean {
  return deepEqual(prune(value, schema), value)
}
