/** Defaults in schemas: each must be a valid value of its own schema, without fields that would be dropped. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, type FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { prune } from '../../machinery/schema/prune.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { validateValue } from '../../machinery/schema/validate.ts'
import { validateRules } from '../../machinery/schema/validate-rules.ts'
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
  const form = validateValue(value, structure, path.text)
  const errors = form.length > 0 ? form : ruleErrors(value, structure, path)
  if (!mustBePruned || isPruned(value, structure)) return errors
  return [invalidValue(path, value, 'must not have unknown fields'), ...errors]
}

/** A default is there before and after, or comes anew: it has to satisfy its rules either way. */
function ruleErrors(value: unknown, schema: Schema, path: FieldPath): readonly FieldError[] {
  const kept = validateRules(value, schema, { previous: value, path }).errors
  return kept.length > 0 ? kept : validateRules(value, schema, { path }).errors
}

export function hasUnprunedDefaults(schema: JSONSchemaProps): boolean {
  return someSchema(schema, (one) => one.default !== undefined && !isPruned(one.default, structuralSchema(one)))
}

function isPruned(value: unknown, schema: Schema): boolean {
  return deepEqual(prune(value, schema), value)
}
