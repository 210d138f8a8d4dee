/**
 * Values and their schema, walked together: which parts of an object are fields of their own. Lists of type
 * `map` and `set` have items of their own, other lists are one field; maps have keys of their own unless
 * they are atomic. Values that do not have the shape of their schema count as one field.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { isRecord } from '../../base/is-record.ts'
import type { Schema } from '../schema/schema.ts'
import { emptyFieldSet, type FieldSet, FieldSetBuilder, fieldElement } from './field-set.ts'

export type JsonMap = Readonly<Record<string, unknown>>

/** How a schema node's values divide into fields. */
export type Shape = 'leaf' | 'list' | 'map'

/** Any JSON value: maps divide, lists do not. */
const deducedSchema: Schema = { 'x-kubernetes-preserve-unknown-fields': true }

export function shapeOf(schema: Schema | undefined): Shape {
  if (schema === undefined || schema['x-kubernetes-int-or-string'] === true) return 'leaf'
  if (schema['x-kubernetes-map-type'] === 'atomic') return 'leaf'
  if (schema.type === 'array') {
    const listType = schema['x-kubernetes-list-type']
    return listType === 'map' || listType === 'set' ? 'list' : 'leaf'
  }
  if (schema.type !== 'object' && schema.type !== undefined) return 'leaf'
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return 'map'
  return schema.properties !== undefined || typeof schema.additionalProperties === 'object' ? 'map' : 'leaf'
}

/** A field that the schema names, as opposed to a key of a map. */
export function namedField(schema: Schema | undefined, key: string): Schema | undefined {
  const properties = schema?.properties
  return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined
}

/** The schema of a map's member; undefined where the schema has none. */
export function memberSchema(schema: Schema | undefined, key: string): Schema | undefined {
  const named = namedField(schema, key)
  if (named !== undefined) return named
  const additional = schema?.additionalProperties
  if (typeof additional === 'object') return additional
  return schema?.['x-kubernetes-preserve-unknown-fields'] === true ? deducedSchema : undefined
}

/** The path element of a list's item; undefined when it lacks every key of its list. */
export function itemElement(schema: Schema, item: unknown): string | undefined {
  if (schema['x-kubernetes-list-type'] !== 'map') return `v:${JSON.stringify(item)}`
  if (!isRecord(item)) return undefined
  const keys: string[] = []
  for (const name of sortedKeys(schema)) {
    const value = Object.hasOwn(item, name) ? item[name] : namedField(schema.items, name)?.default
    if (value !== undefined) keys.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`)
  }
  return keys.length === 0 ? undefined : `k:{${keys.join(',')}}`
}

const sortedKeysCache = new WeakMap<Schema, readonly string[]>()

function sortedKeys(schema: Schema): readonly string[] {
  const known = sortedKeysCache.get(schema)
  if (known !== undefined) return known
  const keys = [...(schema['x-kubernetes-list-map-keys'] ?? [])].sort()
  sortedKeysCache.set(schema, keys)
  return keys
}

/** A list's items by path element, in order. Items without an element are left out. */
function itemsOf(schema: Schema, list: readonly unknown[]): Map<string, unknown[]> {
  const items = new Map<string, unknown[]>()
  for (const item of list) {
    const element = itemElement(schema, item)
    if (element === undefined) continue
    const same = items.get(element)
    if (same === undefined) items.set(element, [item])
    else same.push(item)
  }
  return items
}

/** The fields that an object sets: what its applier owns. */
export function fieldSetOf(object: unknown, schema: Schema): FieldSet {
  const builder = new FieldSetBuilder()
  collect(object, schema, [], builder)
  return builder.build()
}

function collect(value: unknown, schema: Schema | undefined, path: readonly string[], into: FieldSetBuilder): void {
  const shape = shapeOf(schema)
  if (schema !== undefined && shape === 'map' && isRecord(value)) collectMembers(value, schema, path, into)
  else if (schema !== undefined && shape === 'list' && Array.isArray(value)) collectItems(value, schema, path, into)
  else if (shape === 'leaf' || (value !== null && value !== undefined)) into.insert(path)
}

function collectMembers(map: JsonMap, schema: Schema, path: readonly string[], into: FieldSetBuilder): void {
  for (const [key, value] of Object.entries(map)) {
    if (value === undefined) continue
    const here = [...path, fieldElement(key)]
    collect(value, memberSchema(schema, key), here, into)
    const isBare = value === null || (isRecord(value) && Object.keys(value).length === 0)
    if (isBare || namedField(schema, key) === undefined) into.insert(here)
  }
}

function collectItems(list: readonly unknown[], schema: Schema, path: readonly string[], into: FieldSetBuilder): void {
  for (const [element, items] of itemsOf(schema, list)) {
    const here = [...path, element]
    if (items.length === 1) collect(items[0], schema.items, here, into)
    into.insert(here)
  }
}

export interface Comparison {
  /** Added or modified. */
  readonly changed: FieldSet
  readonly removed: FieldSet
}

const NO_CHANGE: Comparison = { changed: emptyFieldSet, removed: emptyFieldSet }

/** What changed from one object to another. Costs nothing where both share their parts. */
export function compareValues(before: unknown, after: unknown, schema: Schema): Comparison {
  if (before === after) return NO_CHANGE
  const walk = new ComparisonWalk()
  walk.compare(before, after, schema)
  return walk.result()
}

class ComparisonWalk {
  readonly #changed = new FieldSetBuilder()
  readonly #removed = new FieldSetBuilder()
  readonly #path: string[] = []

  result(): Comparison {
    return { changed: this.#changed.build(), removed: this.#removed.build() }
  }

  /** `undefined` is absent; null is a value, though an empty one for lists and maps. */
  compare(before: unknown, after: unknown, schema: Schema | undefined): void {
    if (before === after) return
    const shape = schema === undefined ? 'leaf' : shapeOf(schema)
    const isMaps = shape === 'map' && bothAre(isRecord, before, after)
    const isLists = shape === 'list' && bothAre(Array.isArray, before, after)
    if (schema === undefined || (!isMaps && !isLists)) {
      this.#leaf(before, after)
      return
    }
    if (isMaps) this.#maps(before, after, schema)
    else this.#lists(before, after, schema)
    if (before === undefined) this.#changed.insert(this.#path)
    else if (after === undefined) this.#removed.insert(this.#path)
  }

  #leaf(before: unknown, after: unknown): void {
    if (before === undefined) this.#changed.insert(this.#path)
    else if (after === undefined) this.#removed.insert(this.#path)
    else if (!deepEqual(before, after)) this.#changed.insert(this.#path)
  }

  #maps(before: unknown, after: unknown, schema: Schema): void {
    const left = isRecord(before) ? before : {}
    const right = isRecord(after) ? after : {}
    for (const key in left) {
      const other = Object.hasOwn(right, key) ? right[key] : undefined
      if (left[key] !== other) this.#at(fieldElement(key), left[key], other, memberSchema(schema, key))
    }
    for (const key in right) {
      if (Object.hasOwn(left, key) && left[key] !== undefined) continue
      this.#at(fieldElement(key), undefined, right[key], memberSchema(schema, key))
    }
  }

  #lists(before: unknown, after: unknown, schema: Schema): void {
    const left = itemsOf(schema, Array.isArray(before) ? before : [])
    const right = itemsOf(schema, Array.isArray(after) ? after : [])
    for (const [element, items] of left) this.#items(element, items, right.get(element) ?? [], schema)
    for (const [element, items] of right) if (!left.has(element)) this.#items(element, [], items, schema)
  }

  /** Items that share their key are one field as a whole. */
  #items(element: string, before: readonly unknown[], after: readonly unknown[], schema: Schema): void {
    if (before.length <= 1 && after.length <= 1) this.#at(element, before[0], after[0], schema.items)
    else if (before.length > 1 && after.length > 1) this.#at(element, before, after, undefined)
    else if (before.length > 1) {
      if (after.length > 0) this.#at(element, undefined, after[0], schema.items)
      this.#at(element, before, undefined, undefined)
    } else {
      if (before.length > 0) this.#at(element, before[0], undefined, schema.items)
      this.#at(element, undefined, after, undefined)
    }
  }

  #at(element: string, before: unknown, after: unknown, schema: Schema | undefined): void {
    this.#path.push(element)
    this.compare(before, after, schema)
    this.#path.pop()
  }
}

/** At least one has items, and neither is anything else than that kind, null or absent. */
function bothAre(is: (value: unknown) => boolean, before: unknown, after: unknown): boolean {
  const [left, right] = [is(before), is(after)]
  if (!(left || before === undefined || before === null) || !(right || after === undefined || after === null))
    return false
  return (left && isFilled(before)) || (right && isFilled(after))
}

function isFilled<T>(value: T): boolean {
  for (const _key in value) return true
  return false
}

const emptyObjects = new WeakMap<Schema, JsonMap>()

/** What an object of a built-in type has before anything is set: its structs, zero scalars and null lists. */
export function emptyObjectOf(schema: Schema): JsonMap {
  const known = emptyObjects.get(schema)
  if (known !== undefined) return known
  const object: Record<string, unknown> = {}
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    if (property.presence === 'setOrNull') object[key] = null
    else if (property.presence === 'always') object[key] = zeroOf(property)
  }
  emptyObjects.set(schema, object)
  return object
}

function zeroOf(schema: Schema): unknown {
  if (schema.type === 'string') return schema.format === 'date-time' ? null : ''
  if (schema.type === 'integer' || schema.type === 'number') return 0
  if (schema.type === 'boolean') return false
  return schema.type === 'object' && schema.properties !== undefined ? emptyObjectOf(schema) : null
}
