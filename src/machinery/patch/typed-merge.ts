/**
 * Merging an applied configuration into an object, and taking fields out of one, by the schema's lists and
 * maps. Nothing is changed in place; parts that stay are shared.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { setOwn } from '../../base/deep-freeze.ts'
import { isRecord } from '../../base/is-record.ts'
import type { Schema } from '../schema/schema.ts'
import { type Descend, type FieldSet, fieldElement, hasPath, isEmptySet, withMembers, withPrefix } from './field-set.ts'
import { itemElement, type JsonMap, memberSchema, namedField, shapeOf } from './typed-value.ts'

/**
 * `applied` over `live`: its leaves win, its items stand in its order, what it does not mention stays. What comes out
 * equal to a part of `live` is that part.
 */
export function mergeValues(live: unknown, applied: unknown, schema: Schema | undefined): unknown {
  if (applied === undefined) return live
  if (live === undefined || live === null || schema === undefined) return applied
  const shape = shapeOf(schema)
  if (shape === 'map' && isRecord(live) && (isRecord(applied) || applied === null)) {
    if (Object.keys(live).length + Object.keys(applied ?? {}).length > 0) return mergeMaps(live, applied ?? {}, schema)
  } else if (shape === 'list' && Array.isArray(live) && (Array.isArray(applied) || applied === null)) {
    if (live.length + (applied?.length ?? 0) > 0) return mergeLists(live, applied ?? [], schema)
  }
  return deepEqual(live, applied) ? live : applied
}

function mergeMaps(live: JsonMap, applied: JsonMap, schema: Schema): JsonMap {
  const result: Record<string, unknown> = {}
  let isSame = true
  for (const [key, value] of Object.entries(live)) {
    const change = Object.hasOwn(applied, key) ? applied[key] : undefined
    const merged = mergeValues(value, change, memberSchema(schema, key))
    if (merged !== value) isSame = false
    setOwn(result, key, merged)
  }
  for (const [key, value] of Object.entries(applied)) {
    if (Object.hasOwn(live, key)) continue
    isSame = false
    setOwn(result, key, value)
  }
  return isSame ? live : result
}

interface Item {
  readonly element: string
  readonly value: unknown
}

/** Shared items in the applied order; the live object's own items stay where they stood among them. */
function mergeLists(live: readonly unknown[], applied: readonly unknown[], schema: Schema): readonly unknown[] {
  const left = elementsOf(live, schema)
  const right = elementsOf(applied, schema)
  const liveItems = uniqueItems(left)
  const appliedElements = new Set(right.map(({ element }) => element))
  const shared = right.filter(({ element }) => liveItems.has(element)).map(({ element }) => element)
  const result: unknown[] = []
  const done = new Set<string>()
  let nextShared = 0
  const takeApplied = ({ element, value }: Item): void => {
    done.add(element)
    result.push(mergeValues(liveItems.get(element), value, schema.items))
    if (shared[nextShared] === element) nextShared++
  }
  let leftIndex = 0
  for (let rightIndex = 0; leftIndex < left.length || rightIndex < right.length; ) {
    const ours = left[leftIndex]
    const theirs = right[rightIndex]
    if (ours !== undefined && !appliedElements.has(ours.element)) {
      result.push(ours.value)
      leftIndex++
    } else if (ours !== undefined && ours.element === theirs?.element) {
      takeApplied(theirs)
      leftIndex++
      rightIndex++
    } else if (ours !== undefined && theirs !== undefined && isLater(ours.element, shared[nextShared])) {
      leftIndex++
    } else {
      if (ours !== undefined && (theirs === undefined || done.has(ours.element))) leftIndex++
      if (theirs === undefined) continue
      takeApplied(theirs)
      rightIndex++
    }
  }
  const isSame = result.length === live.length && result.every((item, index) => item === live[index])
  return isSame ? live : result
}

/** A shared item that is not the next one: it comes when the applied order says so. */
function isLater(element: string, nextShared: string | undefined): boolean {
  return nextShared !== undefined && element !== nextShared
}

function elementsOf(list: readonly unknown[], schema: Schema): Item[] {
  return list.map((value, index) => ({ element: itemElement(schema, value) ?? `i:${index}`, value }))
}

/** Items by element; of several with one element none is merged with. */
function uniqueItems(items: readonly Item[]): Map<string, unknown> {
  const result = new Map<string, unknown>()
  for (const { element, value } of items) result.set(element, result.has(element) ? undefined : value)
  return result
}

/** The value without the set's members. A map or list that loses its content stays, empty. */
export function removeFields(value: unknown, set: FieldSet, schema: Schema | undefined): unknown {
  if (isEmptySet(set) || schema === undefined) return value
  const shape = shapeOf(schema)
  if (shape === 'map' && isRecord(value)) return removeMembers(value, set, schema)
  if (shape === 'list' && Array.isArray(value)) return removeItems(value, set, schema)
  return value
}

function removeMembers(map: JsonMap, set: FieldSet, schema: Schema): JsonMap {
  const result: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(map)) {
    const element = fieldElement(key)
    if (hasPath(set, [element])) continue
    setOwn(result, key, removeFields(value, withPrefix(set, element), memberSchema(schema, key)))
  }
  return result
}

function removeItems(list: readonly unknown[], set: FieldSet, schema: Schema): unknown[] {
  return list.flatMap((item, index) => {
    const element = itemElement(schema, item) ?? `i:${index}`
    return hasPath(set, [element]) ? [] : [removeFields(item, withPrefix(set, element), schema.items)]
  })
}

/** The set with the named fields on the way to its members as members: what removing compares by. */
export function withNamedMembers(set: FieldSet, schema: Schema): FieldSet {
  return withMembers(set, descendInto(schema))
}

function descendInto(schema: Schema | undefined): Descend {
  return (element) => {
    if (!element.startsWith('f:')) return { member: false, below: descendInto(schema?.items) }
    const key = element.slice(2)
    const named = shapeOf(schema) === 'map' && namedField(schema, key) !== undefined
    return { member: named, below: descendInto(memberSchema(schema, key)) }
  }
}
