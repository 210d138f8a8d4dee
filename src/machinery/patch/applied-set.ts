/**
 * What an applier owns follows from the shape of what it applies: which fields, keys and items there are and of which
 * types, whatever they hold. So does whether it fits its schema. Configurations of one template have one shape: it is
 * checked and its set is made once, and both are found by a text of the shape afterwards.
 */

import { isRecord } from '../../base/is-record.ts'
import type { KubeObject } from '../meta/object.ts'
import { fieldsInForm } from '../schema/canonical.ts'
import type { Schema } from '../schema/schema.ts'
import { checkTyped } from './check-typed.ts'
import type { FieldSet } from './field-set.ts'
import { type ResetFields, stripped, withoutReset } from './managed-fields.ts'
import { ShapeMemory } from './shape-memory.ts'
import { fieldSetOf, itemElement, type JsonMap, memberSchema, shapeOf } from './typed-value.ts'

const memory = new ShapeMemory<AppliedSet>()

export interface AppliedSet {
  /** Every field that is applied and that the endpoint does not ignore. */
  readonly all: FieldSet
  /** Those that somebody can own, in their final form. */
  readonly owned: FieldSet
  /** Whether something is applied as null. */
  readonly hasNull: boolean
}

/** Throws 400 for what does not fit the schema. */
export function appliedSet(applied: KubeObject, schema: Schema, resetFields: ResetFields): AppliedSet {
  const variant = resetFields.length === 0 ? '' : JSON.stringify(resetFields)
  return memory.of(schema, variant + shapeText(applied, schema), () => checkedSet(applied, schema, resetFields))
}

function checkedSet(applied: KubeObject, schema: Schema, resetFields: ResetFields): AppliedSet {
  checkTyped(applied, schema)
  const all = withoutReset(fieldSetOf(applied, schema), resetFields)
  return { all, owned: fieldsInForm(stripped(all)), hasNull: hasNull(applied) }
}

function hasNull(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === null
  return Object.values(value).some(hasNull)
}

/**
 * Equal for values in which `checkTyped` finds the same and of which `fieldSetOf` makes the same. Names are preceded by
 * their length: no key that a client makes up reads as something else.
 */
function shapeText(value: unknown, schema: Schema | undefined): string {
  if (Array.isArray(value)) return shapeOfList(value, schema)
  if (isRecord(value)) return shapeOfMap(value, schema)
  return value === null ? '0' : typeof value
}

function shapeOfMap(map: JsonMap, schema: Schema | undefined): string {
  let text = '{'
  for (const key of Object.keys(map)) text += `${key.length}:${key}${shapeText(map[key], memberSchema(schema, key))}`
  return `${text}}`
}

function shapeOfList(list: readonly unknown[], schema: Schema | undefined): string {
  const isDivided = schema !== undefined && shapeOf(schema) === 'list'
  let text = '['
  for (const item of list) {
    const element = isDivided ? itemElement(schema, item) : undefined
    text += element === undefined ? '-' : `${element.length}:${element}`
    text += shapeText(item, schema?.items)
  }
  return `${text}]`
}
