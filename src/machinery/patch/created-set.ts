/**
 * What the creator of an object owns follows from the object's shape: which fields, keys and items it has, whatever they
 * hold. Objects of one template have one shape, so their set is made once, in its final form, and found by a text of the
 * shape afterwards.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { isRecord } from '../../base/is-record.ts'
import { fieldsInForm, isShared } from '../schema/canonical.ts'
import type { Schema } from '../schema/schema.ts'
import type { FieldSet } from './field-set.ts'
import { ShapeMemory } from './shape-memory.ts'
import { itemElement, type JsonMap, memberSchema, shapeOf } from './typed-value.ts'

const memory = new ShapeMemory<FieldSet>()

export interface Created {
  readonly object: unknown
  /** What an object of the schema has before anything is set. */
  readonly zero: unknown
  readonly schema: Schema
  /** What the set depends on beside the shape. */
  readonly variant: string
}

/** What `make` answers for an object of this shape. */
export function createdSet({ object, zero, schema, variant }: Created, make: () => FieldSet): FieldSet {
  return memory.of(schema, variant + createdShape(zero, object, schema), () => fieldsInForm(make()))
}

/**
 * Equal for values of which `compareValues(before, value)` finds the same, where `before` is zero or absent. Names are
 * preceded by their length: no key that a client makes up reads as something else.
 */
function createdShape(before: unknown, value: unknown, schema: Schema | undefined): string {
  if (before === value) return '='
  const shape = shapeOf(schema)
  if (shape === 'map' && isRecord(value))
    return isShared(value) ? shapeOfShared(before, value, schema) : shapeOfMap(before, value, schema)
  if (shape === 'list' && schema !== undefined && Array.isArray(value)) return shapeOfList(value, schema)
  if (before === undefined) return '+'
  return deepEqual(before, value) ? '=' : '~'
}

interface SharedShape {
  readonly before: unknown
  readonly schema: Schema | undefined
  readonly text: string
}

/** The shapes of values that many objects have, and of what they are the shapes. */
const sharedShapes = new WeakMap<JsonMap, SharedShape>()

function shapeOfShared(before: unknown, value: JsonMap, schema: Schema | undefined): string {
  const known = sharedShapes.get(value)
  if (known !== undefined && known.before === before && known.schema === schema) return known.text
  const text = shapeOfMap(before, value, schema)
  sharedShapes.set(value, { before, schema, text })
  return text
}

function shapeOfMap(before: unknown, value: JsonMap, schema: Schema | undefined): string {
  const left: JsonMap = isRecord(before) ? before : {}
  let text = '{'
  for (const key of Object.keys(value)) {
    const earlier = Object.hasOwn(left, key) ? left[key] : undefined
    text += `${key.length}:${key}${createdShape(earlier, value[key], memberSchema(schema, key))}`
  }
  return `${text}}`
}

function shapeOfList(list: readonly unknown[], schema: Schema): string {
  let text = '['
  for (const item of list) {
    const element = itemElement(schema, item) ?? ''
    text += `${element.length}:${element}${createdShape(undefined, item, schema.items)}`
  }
  return `${text}]`
}
