/**
 * Who set which field, for writes that are no apply: a write owns what it changed, everybody else loses it.
 * One entry per manager, operation, version and subresource; its time moves only when its set changes.
 * A write that changes nothing hands back the entries it found.
 */

import { byCodeUnit } from '../../base/group-by.ts'
import type { KubeObject, ManagedFieldsEntry } from '../meta/object.ts'
import type { Schema } from '../schema/schema.ts'
import { createdSet } from './created-set.ts'
import {
  difference,
  emptyFieldSet,
  type FieldSet,
  FieldSetBuilder,
  fieldElement,
  isEmptySet,
  parseFieldSet,
  recursiveDifference,
  union,
} from './field-set.ts'
import { managedSchema } from './managed-schema.ts'
import { type Comparison, compareValues, emptyObjectOf } from './typed-value.ts'

/** Managers by updates on one object; older ones are merged. Entries grow with every client otherwise. */
const UPDATE_MANAGERS_MAX = 10
/** Who owns the fields of merged managers. */
const ANCIENT_MANAGER = 'ancient-changes'

/** Paths of field names that an endpoint ignores. */
export type ResetFields = readonly (readonly string[])[]

/** One manager's fields. */
export interface ManagedSet {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
  readonly set: FieldSet
  readonly time: string | undefined
}

/** By `managerKey`. */
export type ManagedSets = ReadonlyMap<string, ManagedSet>

export interface TrackedUpdate<T extends KubeObject> {
  /** The object before; undefined, or without a UID, for a create. */
  readonly live: T | undefined
  readonly updated: T
  /** The field manager; empty when the client has no name. */
  readonly manager: string
  readonly operation: 'Update'
  readonly apiVersion: string
  readonly subresource: string
  /** RFC 3339, whole seconds. */
  readonly nowText: string
  readonly schema: Schema
  readonly resetFields: ResetFields
}

/** The updated object with the entries that follow from the update. */
export function trackUpdate<T extends KubeObject>(update: TrackedUpdate<T>): T {
  return withManagedFields(update.updated, managedFieldsAfter(update))
}

/** `undefined`: the object has no managed fields. The live object's own array when nothing changes. */
function managedFieldsAfter<T extends KubeObject>(update: TrackedUpdate<T>): readonly ManagedFieldsEntry[] | undefined {
  const { live, updated, subresource, resetFields } = update
  const liveEntries = live?.metadata.managedFields
  const sent = subresource === '' ? updated.metadata.managedFields : liveEntries
  const found = foundSets(sent, liveEntries)
  if (found.sets.size === 0 && live?.metadata.uid !== undefined) return undefined
  const schema = managedSchema(update.schema)
  if (live === undefined && found.sets.size === 0) return entriesOfCreator(update, schema)
  const comparison = filtered(compareValues(live ?? emptyObjectOf(update.schema), updated, schema), resetFields)
  if (live !== undefined && isUnchanged(comparison)) return found.entries ?? encodeManaged(found.sets)
  return encodeManaged(capped(afterUpdate(found.sets, comparison, update)))
}

/** The creator owns everything, as if it had changed it. */
function entriesOfCreator<T extends KubeObject>(
  update: TrackedUpdate<T>,
  schema: Schema,
): readonly ManagedFieldsEntry[] | undefined {
  const { updated, resetFields } = update
  const variant = resetFields.length === 0 ? '' : resetOf(resetFields).text
  const zero = emptyObjectOf(update.schema)
  const set = createdSet({ object: updated, zero, schema, variant }, () => {
    const { changed } = compareValues(zero, updated, schema)
    return stripped(withoutReset(changed, resetFields))
  })
  return isEmptySet(set) ? undefined : [entryOf(ownSet(update, set))]
}

function ownSet<T extends KubeObject>(
  { manager, apiVersion, subresource, nowText }: TrackedUpdate<T>,
  set: FieldSet,
): ManagedSet {
  return {
    manager: manager === '' ? 'unknown' : manager,
    operation: 'Update',
    apiVersion,
    subresource,
    set,
    time: nowText,
  }
}

function isUnchanged({ changed, removed }: Comparison): boolean {
  return isEmptySet(changed) && isEmptySet(removed)
}

interface FoundSets {
  readonly sets: ManagedSets
  /** The entries, where they may stand as they are. */
  readonly entries: readonly ManagedFieldsEntry[] | undefined
}

const NOTHING_FOUND: FoundSets = { sets: new Map(), entries: undefined }

/** A client may edit the entries, or reset them with an empty list; missing or broken ones are the live ones. */
function foundSets(
  sent: readonly ManagedFieldsEntry[] | null | undefined,
  live: readonly ManagedFieldsEntry[] | undefined,
): FoundSets {
  if ((!sent && !live) || isReset(sent)) return NOTHING_FOUND
  const decoded = decodeManaged(sent ?? [])
  if (decoded !== undefined && decoded.size > 0) return { sets: decoded, entries: sent === live ? live : undefined }
  const sets = decodeManaged(live ?? [])
  return sets === undefined ? { sets: new Map(), entries: undefined } : { sets, entries: live }
}

function isReset(sent: readonly ManagedFieldsEntry[] | null | undefined): boolean {
  if (sent === undefined || sent === null) return false
  const [only] = sent
  return only === undefined || (sent.length === 1 && Object.values(only).every((value) => value === undefined))
}

/** The sets after an update: the changed fields pass from everyone to its manager. */
function afterUpdate<T extends KubeObject>(
  before: ManagedSets,
  comparison: Comparison,
  update: TrackedUpdate<T>,
): ManagedSets {
  const set = stripped(comparison.changed)
  if (isEmptySet(set)) return withoutLost(before, comparison)
  const own = ownSet(update, set)
  const key = managerKey(own)
  const sets = new Map(withoutLost(before, comparison, key))
  // Who changes again what is its own has the very same set afterwards.
  const kept = difference(sets.get(key)?.set ?? emptyFieldSet, comparison.removed)
  return sets.set(key, { ...own, set: union(kept, set) })
}

/**
 * Without the fields that were changed or removed, and without managers that have none left. `keep`: who loses none, as
 * it is the one who changes.
 */
export function withoutLost(sets: ManagedSets, { changed, removed }: Comparison, keep?: string): ManagedSets {
  const result = new Map<string, ManagedSet>()
  for (const [key, managed] of sets) {
    const set = key === keep ? managed.set : difference(difference(managed.set, changed), removed)
    const rest = stripped(set)
    if (!isEmptySet(rest)) result.set(key, rest === managed.set ? managed : { ...managed, set: rest })
  }
  return result
}

/** Without what the endpoint ignores, everything below it included. */
export function withoutReset(set: FieldSet, resetFields: ResetFields): FieldSet {
  return resetFields.length === 0 ? set : recursiveDifference(set, resetOf(resetFields).set)
}

export function filtered({ changed, removed }: Comparison, resetFields: ResetFields): Comparison {
  return { changed: withoutReset(changed, resetFields), removed: withoutReset(removed, resetFields) }
}

interface Reset {
  readonly set: FieldSet
  /** Equal for equal sets. */
  readonly text: string
}

const resets = new WeakMap<ResetFields, Reset>()

function resetOf(resetFields: ResetFields): Reset {
  const known = resets.get(resetFields)
  if (known !== undefined) return known
  const reset = { set: setOfPaths(resetFields), text: JSON.stringify(resetFields) }
  resets.set(resetFields, reset)
  return reset
}

function setOfPaths(paths: readonly (readonly string[])[]): FieldSet {
  const builder = new FieldSetBuilder()
  for (const path of paths) builder.insert(path.map(fieldElement))
  return builder.build()
}

/** Fields of the system: nobody owns them. */
const unownedFields = setOfPaths([
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...['name', 'namespace', 'creationTimestamp', 'selfLink', 'uid', 'clusterName', 'generation'].map((name) => [
    'metadata',
    name,
  ]),
  ['metadata', 'managedFields'],
  ['metadata', 'resourceVersion'],
])

export function stripped(set: FieldSet): FieldSet {
  return difference(set, unownedFields)
}

/** What makes an entry one: an applier is the same in every version. */
export function managerKey({
  manager,
  operation,
  apiVersion,
  subresource,
}: Pick<ManagedSet, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return JSON.stringify([manager, operation, operation === 'Apply' ? '' : apiVersion, subresource])
}

/** Undefined when any entry is malformed. */
export function decodeManaged(entries: readonly ManagedFieldsEntry[]): ManagedSets | undefined {
  const sets = new Map<string, ManagedSet>()
  for (const entry of entries) {
    const { manager = '', operation, apiVersion = '', subresource = '', fieldsType, time } = entry
    const set = parseFieldSet(entry.fieldsV1 ?? {})
    if (set === undefined || apiVersion === '' || fieldsType !== 'FieldsV1') return undefined
    if (operation !== 'Apply' && operation !== 'Update') return undefined
    const managed: ManagedSet = { manager, operation, apiVersion, subresource, set, time: time ?? undefined }
    sets.set(managerKey(managed), managed)
  }
  return sets
}

/** Entries in the API's order: appliers first, then by time. Undefined when there are none. */
export function encodeManaged(sets: ManagedSets): readonly ManagedFieldsEntry[] | undefined {
  return sets.size === 0 ? undefined : [...sets.values()].sort(compareManaged).map(entryOf)
}

function entryOf({ manager, operation, apiVersion, subresource, set, time }: ManagedSet): ManagedFieldsEntry {
  return {
    ...(manager === '' ? {} : { manager }),
    operation,
    apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: set,
    ...(subresource === '' ? {} : { subresource }),
  }
}

function compareManaged(left: ManagedSet, right: ManagedSet): number {
  return (
    byCodeUnit(left.operation, right.operation) ||
    byCodeUnit(left.time ?? '', right.time ?? '') ||
    byCodeUnit(left.manager, right.manager) ||
    byCodeUnit(left.apiVersion, right.apiVersion) ||
    byCodeUnit(left.subresource, right.subresource)
  )
}

/** The oldest update managers of a version merge into one until there are few enough. */
function capped(sets: ManagedSets): ManagedSets {
  if (sets.size <= UPDATE_MANAGERS_MAX) return sets
  const updaters = [...sets].filter(([, { operation }]) => operation === 'Update')
  if (updaters.length <= UPDATE_MANAGERS_MAX) return sets
  updaters.sort(
    ([leftKey, left], [rightKey, right]) =>
      byCodeUnit(left.time ?? '', right.time ?? '') || byCodeUnit(leftKey, rightKey),
  )
  const result = new Map(sets)
  const firstOfVersion = new Map<string, string>()
  let count = updaters.length
  for (const [key, managed] of updaters) {
    if (count <= UPDATE_MANAGERS_MAX) break
    const firstKey = firstOfVersion.get(managed.apiVersion)
    if (firstKey === undefined) {
      firstOfVersion.set(managed.apiVersion, key)
      continue
    }
    const bucket: ManagedSet = { ...managed, manager: ANCIENT_MANAGER, subresource: '' }
    const bucketKey = managerKey(bucket)
    const merged = result.get(bucketKey) ?? result.get(firstKey)
    result.delete(firstKey)
    result.delete(key)
    result.set(bucketKey, { ...bucket, set: union(managed.set, merged?.set ?? emptyFieldSet) })
    count--
  }
  return result
}

export function withManagedFields<T extends KubeObject>(
  object: T,
  managedFields: readonly ManagedFieldsEntry[] | undefined,
): T {
  if (object.metadata.managedFields === managedFields) return object
  if (managedFields !== undefined) return { ...object, metadata: { ...object.metadata, managedFields } }
  const { managedFields: _replaced, ...metadata } = object.metadata
  return { ...object, metadata }
}
