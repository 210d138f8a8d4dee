/**
 * Strategic merge patch: a merge patch that knows from the schema which lists merge by key. Directives:
 * `$patch` (replace, merge, delete), `$retainKeys`, `$deleteFromPrimitiveList/<list>` and
 * `$setElementOrder/<list>`. Lists come out in the order of the patch, with the server's own items kept
 * where they stood. Errors read as in apimachinery; where upstream has no class for one and answers 500, it is a 400.
 */

import { deepClone, setOwn, shallowCopy } from '../../base/deep-freeze.ts'
import { isRecord } from '../../base/is-record.ts'
import { badRequest, unprocessable } from '../meta/api-error.ts'
import type { Schema } from '../schema/schema.ts'
import {
  checkOrderedPatch,
  goText,
  inElementOrder,
  type JsonMap,
  noMergeKey,
  ownValue,
  placesAfter,
} from './strategic-lists.ts'

const DIRECTIVE = '$patch'
const RETAIN_KEYS = '$retainKeys'
const DELETE_FROM_LIST = '$deleteFromPrimitiveList'
const ELEMENT_ORDER = '$setElementOrder'

/** Levels of nesting that the stack certainly holds; no object of the API comes near. */
const PATCH_DEPTH_MAX = 500

/** The patched document, which shares what is not changed; neither argument changes. Throws 400 or 422. */
export function applyStrategicMergePatch(document: unknown, patch: unknown, schema: Schema): unknown {
  if (!isRecord(patch)) throw badRequest('invalid JSON document')
  checkDepth(patch, 0)
  return mergeMap(isRecord(document) ? document : {}, deepClone(patch), schema)
}

function checkDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > PATCH_DEPTH_MAX) throw badRequest('error decoding patch: exceeded max depth')
  for (const item of Object.values(value)) checkDepth(item, depth + 1)
}

/** A new map. The patch is this call's own copy. */
function mergeMap(current: JsonMap, patch: JsonMap, schema: Schema | undefined): JsonMap {
  if (Object.hasOwn(patch, DIRECTIVE)) return replacedMap(patch)
  const original = shallowCopy(current)
  retainKeys(original, patch)
  mergeOrderedLists(original, patch, schema)
  for (const key of Object.keys(patch)) {
    if (key.startsWith(DELETE_FROM_LIST)) deleteFromList(original, listName(key, DELETE_FROM_LIST), patch[key])
    else mergeField(original, key, patch[key], schema)
  }
  return original
}

function replacedMap(patch: JsonMap): JsonMap {
  const directive = patch[DIRECTIVE]
  if (directive === 'delete') return {}
  if (directive !== 'replace') throw badRequest(`unknown patch type: ${goText(directive)} in map: ${goText(patch)}`)
  delete patch[DIRECTIVE]
  return cleaned(patch)
}

function mergeField(original: JsonMap, key: string, patch: unknown, schema: Schema | undefined): void {
  if (patch === null || patch === undefined) {
    delete original[key]
    return
  }
  const current = ownValue(original, key)
  const field = fieldSchema(schema, key)
  const strategy = mergeStrategy(field)
  if (isRecord(current) && isRecord(patch))
    setOwn(original, key, strategy === 'replace' ? patch : mergeMap(current, patch, field))
  else if (Array.isArray(current) && Array.isArray(patch))
    setOwn(original, key, strategy === 'merge' ? mergeList(current, patch, field) : patch)
  else takeOver(original, key, patch)
}

/** What the server does not have: the patch's value, without directives and without nulls. */
function takeOver(original: JsonMap, key: string, patch: unknown): void {
  const value = withoutDirectives(withoutNulls(patch))
  if (value === undefined) delete original[key]
  else setOwn(original, key, value)
}

/** A map without the directives inside it. */
function cleaned(map: JsonMap): JsonMap {
  const value = withoutDirectives(map)
  return isRecord(value) ? value : {}
}

/** Nulls in maps have nothing to remove here, so they go. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) for (const item of value) withoutNulls(item)
  if (!isRecord(value)) return value
  for (const [key, item] of Object.entries(value)) {
    if (item === null) delete value[key]
    else withoutNulls(item)
  }
  return value
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives).filter((item) => item !== undefined)
  if (!isRecord(value)) return value
  if (Object.hasOwn(value, DIRECTIVE)) return undefined
  for (const [key, item] of Object.entries(value)) {
    const kept = isListDirective(key) ? undefined : withoutDirectives(item)
    if (kept === undefined) delete value[key]
    else setOwn(value, key, kept)
  }
  return value
}

function isListDirective(key: string): boolean {
  return key === RETAIN_KEYS || key.startsWith(`${DELETE_FROM_LIST}/`) || key.startsWith(`${ELEMENT_ORDER}/`)
}

function retainKeys(original: JsonMap, patch: JsonMap): void {
  if (!Object.hasOwn(patch, RETAIN_KEYS)) return
  const list = patch[RETAIN_KEYS]
  delete patch[RETAIN_KEYS]
  const invalid = 'invalid patch format of retainKeys'
  if (!Array.isArray(list)) throw badRequest(invalid)
  const retained = new Set<unknown>(list)
  for (const [key, value] of Object.entries(patch)) {
    if (value !== null && !isListDirective(key) && !retained.has(key)) throw badRequest(invalid)
  }
  for (const key of Object.keys(original)) if (!retained.has(key)) delete original[key]
}

/** Lists with a `$setElementOrder`: merged and ordered here, and taken out of the patch. */
function mergeOrderedLists(original: JsonMap, patch: JsonMap, schema: Schema | undefined): void {
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(ELEMENT_ORDER)) continue
    const order = patch[directive]
    delete patch[directive]
    const key = listName(directive, ELEMENT_ORDER)
    if (!Array.isArray(order)) throw badRequest(`expected a []interface {}, but received a ${goKind(order)}`)
    const field = fieldSchema(schema, key)
    const mergeKey = mergeKeyOf(field)
    const current = listOrAbsent(original, key)
    const change = listOrAbsent(patch, key)
    checkOrderedPatch(change ?? [], order, mergeKey)
    delete patch[key]
    if (current === undefined && change === undefined) continue
    const server = placesAfter(current ?? [], change ?? [], mergeKey)
    const merged = mergedForOrder(current, change, field)
    setOwn(original, key, inElementOrder(merged, order, server, mergeKey))
  }
}

function mergedForOrder(
  current: unknown[] | undefined,
  change: unknown[] | undefined,
  field: Schema | undefined,
): unknown[] {
  if (change === undefined) return current ?? []
  if (current === undefined) return change.map(withoutDirectives).filter((item) => item !== undefined)
  return mergeStrategy(field) === 'merge' ? mergeList([...current], change, field) : change
}

function listOrAbsent(map: JsonMap, key: string): unknown[] | undefined {
  const value = ownValue(map, key)
  if (value === undefined || value === null || Array.isArray(value)) return value ?? undefined
  throw badRequest(`expected a []interface {}, but received a ${goKind(value)}`)
}

function deleteFromList(original: JsonMap, key: string, values: unknown): void {
  if (!Array.isArray(values)) throw badRequest('invalid patch format of primitive list')
  const current = ownValue(original, key)
  if (!Array.isArray(current)) return
  const gone = new Set<unknown>(values)
  setOwn(
    original,
    key,
    current.filter((item) => !gone.has(item)),
  )
}

function listName(directive: string, prefix: string): string {
  const slash = directive.indexOf('/')
  if (slash === prefix.length) return directive.slice(slash + 1)
  const what = prefix === DELETE_FROM_LIST ? 'primitive list' : 'setElementOrder list'
  throw badRequest(`invalid patch format of ${what}`)
}

/** A list with the merge strategy: scalars as a set, maps by their merge key. */
function mergeList(current: unknown[], patch: unknown[], field: Schema | undefined): unknown[] {
  if (current.length === 0 && patch.length === 0) return current
  if (elementKind(current, patch) !== 'map')
    return inElementOrder([...new Set([...current, ...patch])], patch, current, '')
  const mergeKey = mergeKeyOf(field)
  if (mergeKey === '')
    throw badRequest(`cannot merge lists without merge key for ${field?.items?.definition ?? 'list'}`)
  const { kept, changes } = specialItems(current.filter(isRecord), patch.filter(isRecord), mergeKey)
  const merged = [...kept]
  for (const change of changes) mergeItem(merged, change, mergeKey, field?.items)
  return inElementOrder(merged, changes, kept, mergeKey)
}

function mergeItem(items: JsonMap[], change: JsonMap, mergeKey: string, schema: Schema | undefined): void {
  if (!Object.hasOwn(change, mergeKey)) throw noMergeKey(change, mergeKey)
  const index = items.findIndex((item) => ownValue(item, mergeKey) === change[mergeKey])
  const existing = items[index]
  if (existing === undefined) items.push(cleaned(change))
  else items[index] = mergeMap(existing, change, schema)
}

/** Carries out the items that are directives; what is left merges item by item. */
function specialItems(
  current: JsonMap[],
  patch: JsonMap[],
  mergeKey: string,
): { readonly kept: JsonMap[]; readonly changes: readonly JsonMap[] } {
  let kept = current
  let replace = false
  const changes: JsonMap[] = []
  for (const item of patch) {
    const directive = ownValue(item, DIRECTIVE)
    if (directive === undefined) changes.push(item)
    else if (directive === 'replace') replace = true
    else if (directive === 'merge') throw badRequest('merging lists cannot yet be specified in the patch')
    else if (directive !== 'delete')
      throw badRequest(`unknown patch type: ${goText(directive)} in map: ${goText(item)}`)
    else if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey)
    else kept = kept.filter((existing) => ownValue(existing, mergeKey) !== item[mergeKey])
  }
  return replace ? { kept: changes.map(cleaned), changes: [] } : { kept, changes }
}

/** All items of both lists must be of one type, and none a list. */
function elementKind(...lists: readonly (readonly unknown[])[]): string {
  const kinds = new Set(lists.flat().map(goKind))
  if (kinds.has('[]interface {}')) throw unprocessable()
  if (kinds.size > 1) throw badRequest(`list element types are not identical: ${goText(lists)}`)
  return kinds.has('map[string]interface {}') ? 'map' : 'scalar'
}

function goKind(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}'
  if (isRecord(value)) return 'map[string]interface {}'
  if (value === null || value === undefined) return '%!s(<nil>)'
  if (typeof value === 'number') return Number.isInteger(value) ? 'int64' : 'float64'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function fieldSchema(schema: Schema | undefined, key: string): Schema | undefined {
  const properties = schema?.properties
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key]
  const additional = schema?.additionalProperties
  return typeof additional === 'object' ? additional : undefined
}

/** `merge`, `replace` or nothing; `retainKeys` beside it is the patch writer's matter. */
function mergeStrategy(schema: Schema | undefined): string {
  const strategies = (schema?.['x-kubernetes-patch-strategy'] ?? '').split(',')
  return strategies.find((strategy) => strategy !== 'retainKeys') ?? ''
}

function mergeKeyOf(schema: Schema | undefined): string {
  return schema?.['x-kubernetes-patch-merge-key'] ?? ''
}
