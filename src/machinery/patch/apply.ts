/**
 * Server-side apply: merges what a manager wants into the live object. The manager owns what it applied;
 * what it applied before and no longer does goes, unless somebody else owns it. Changing a field that
 * another manager owns is a conflict, unless forced. kubectl takes over its own client-side applies.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { applyConflict, badRequest } from '../meta/api-error.ts'
import type { KubeObject } from '../meta/object.ts'
import type { Schema } from '../schema/schema.ts'
import { type AppliedSet, appliedSet } from './applied-set.ts'
import {
  difference,
  emptyFieldSet,
  type FieldPathElements,
  type FieldSet,
  hasPath,
  intersection,
  isEmptySet,
  membersOf,
  pathText,
  union,
} from './field-set.ts'
import { lastAppliedFields, withLastApplied } from './last-applied.ts'
import {
  decodeManaged,
  encodeManaged,
  filtered,
  type ManagedSet,
  type ManagedSets,
  managerKey,
  type ResetFields,
  stripped,
  withManagedFields,
  withoutLost,
} from './managed-fields.ts'
import { managedSchema } from './managed-schema.ts'
import { mergeValues, removeFields, withNamedMembers } from './typed-merge.ts'
import { type Comparison, compareValues, emptyObjectOf, fieldSetOf } from './typed-value.ts'

export interface ServerSideApply<T extends KubeObject> {
  /** The object before; undefined for a create. */
  readonly live: T | undefined
  /** What the manager wants, as it was sent: not defaulted. */
  readonly applied: T
  readonly manager: string
  readonly force: boolean
  readonly apiVersion: string
  readonly subresource: string
  /** RFC 3339, whole seconds. */
  readonly nowText: string
  readonly schema: Schema
  readonly resetFields: ResetFields
}

/** The manager whose client-side applies server-side apply carries on. */
const KUBECTL = 'kubectl'
/** Who owns what an object had before its fields were tracked. */
const BEFORE_FIRST_APPLY = 'before-first-apply'

/** The merged object, not yet defaulted, with its new managed fields. Throws 409 on conflicts, 400 otherwise. */
export function serverSideApply<T extends KubeObject>(request: ServerSideApply<T>): T {
  const { applied, manager, apiVersion } = request
  if (applied.apiVersion !== apiVersion) {
    const versions = `Specified patch version: ${applied.apiVersion ?? ''}, expected: ${apiVersion}`
    throw badRequest(`Incorrect version specified in apply patch. ${versions}`)
  }
  if (applied.metadata.managedFields !== undefined && applied.metadata.managedFields !== null)
    throw badRequest('metadata.managedFields must be nil')
  const schema = managedSchema(request.schema)
  const own = appliedSet(applied, schema, request.resetFields)
  const outcome = request.live === undefined ? created(request, own) : appliedTo(request.live, request, { own, schema })
  const object = withManagedFields(outcome.object, encodeManaged(outcome.sets))
  return manager === KUBECTL ? withLastApplied(object, applied) : object
}

interface Outcome<T> {
  readonly object: T
  readonly sets: ManagedSets
}

interface Conflict {
  readonly owner: ManagedSet
  readonly path: FieldPathElements
}

/** Where nothing is yet, what is applied is the object, and its applier's alone. */
function created<T extends KubeObject>(request: ServerSideApply<T>, { owned }: AppliedSet): Outcome<T> {
  const managed: ManagedSet = { ...applierOf(request), set: owned, time: request.nowText }
  return { object: request.applied, sets: new Map(isEmptySet(owned) ? [] : [[managerKey(managed), managed]]) }
}

function appliedTo<T extends KubeObject>(
  live: T,
  request: ServerSideApply<T>,
  { own, schema }: { readonly own: AppliedSet; readonly schema: Schema },
): Outcome<T> {
  const { applied, nowText, resetFields } = request
  const before = ownersBefore(request, live, schema)
  const applier = applierOf(request)
  const key = managerKey(applier)
  const last = before.get(key)
  const sets = new Map(before).set(key, { ...applier, set: own.all, time: last?.time })
  // Merging and removing keep the schema's type.
  const object = prune(mergeValues(live, applied, schema), { sets, own, last: last?.set }, schema) as T
  const comparison = filtered(compareValues(live, object, schema), resetFields)
  checkConflicts(request, live, conflictsOf(sets, comparison, key), schema)
  const rest = new Map(withoutLost(sets, comparison, key))
  const time = deepEqual(live, object) ? last?.time : nowText
  // The very same set, if it owned that before: what is applied again is found to be no change at once.
  const set = last !== undefined && deepEqual(last.set, own.owned) ? last.set : own.owned
  if (!isEmptySet(set)) rest.set(key, { ...applier, set, time })
  return { object, sets: rest }
}

function applierOf<T extends KubeObject>({ manager, apiVersion, subresource }: ServerSideApply<T>) {
  return { manager, operation: 'Apply', apiVersion, subresource } as const
}

/** The owners so far. An object nobody tracked gets one owner for all it has. */
function ownersBefore<T extends KubeObject>(
  { apiVersion, subresource, nowText, resetFields, schema: ownSchema }: ServerSideApply<T>,
  live: T,
  schema: Schema,
): ManagedSets {
  const sets = decodeManaged(live.metadata.managedFields ?? []) ?? new Map<string, ManagedSet>()
  if (sets.size > 0) return sets
  const all = filtered(compareValues(emptyObjectOf(ownSchema), live, schema), resetFields)
  const owner: ManagedSet = {
    manager: BEFORE_FIRST_APPLY,
    operation: 'Update',
    apiVersion,
    subresource,
    set: stripped(all.changed),
    time: nowText,
  }
  return isEmptySet(owner.set) ? sets : new Map([[managerKey(owner), owner]])
}

interface Owners {
  /** Of everybody. */
  readonly sets: ManagedSets
  readonly own: AppliedSet
  readonly last: FieldSet | undefined
}

/**
 * Takes out what the manager applied last and nobody owns now. What was not in its last set stays, however
 * it came to stand below something that goes. Where all of the last set is applied again there is nothing such, but for
 * lists that are applied as null: those go when what is left in them is nobody's.
 */
function prune(merged: unknown, { sets, own, last }: Owners, schema: Schema): unknown {
  if (last === undefined || (!own.hasNull && isEmptySet(difference(last, own.all)))) return merged
  const named = (set: FieldSet): FieldSet => withNamedMembers(set, schema)
  const lastNamed = named(last)
  const everything = named(fieldSetOf(merged, schema))
  const owned = [...sets.values()].reduce((all, { set }) => union(all, set), emptyFieldSet)
  const withoutLast = named(fieldSetOf(removeFields(merged, lastNamed, schema), schema))
  const unowned = difference(everything, union(withoutLast, named(owned)))
  const pruned = named(fieldSetOf(removeFields(merged, unowned, schema), schema))
  return removeFields(merged, intersection(difference(everything, pruned), lastNamed), schema)
}

function conflictsOf(sets: ManagedSets, { changed }: Comparison, own: string): Conflict[] {
  const conflicts: Conflict[] = []
  for (const [key, owner] of sets) {
    if (key === own) continue
    for (const path of membersOf(intersection(owner.set, changed))) conflicts.push({ owner, path })
  }
  return conflicts
}

/** kubectl's conflicts with what its own client-side apply set are none. */
function checkConflicts<T extends KubeObject>(
  { manager, force, apiVersion }: ServerSideApply<T>,
  live: T,
  conflicts: readonly Conflict[],
  schema: Schema,
): void {
  if (force || conflicts.length === 0) return
  const allowed = manager === KUBECTL ? lastAppliedFields(live, apiVersion, schema) : emptyFieldSet
  const real = conflicts.filter(({ path }) => !hasPath(allowed, path))
  if (real.length > 0) throw conflictError(real)
}

function conflictError(conflicts: readonly Conflict[]): Error {
  const causes = conflicts.map(({ owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${ownerText(owner)}`,
    field: pathText(path),
  }))
  const [first] = causes
  if (causes.length === 1 && first !== undefined)
    return applyConflict(`Apply failed with 1 conflict: ${first.message}: ${first.field}`, causes)
  const owners = [...new Set(causes.map(({ message }) => message))].sort()
  const lines = owners.flatMap((message) => [
    `${message.replace('conflict', 'conflicts')}:`,
    ...causes.filter((cause) => cause.message === message).map(({ field }) => `- ${field}`),
  ])
  return applyConflict(`Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`, causes)
}

/** `"kubectl-client-side-apply" using apps/v1`; appliers have no version. */
function ownerText({ manager, operation, apiVersion, subresource }: ManagedSet): string {
  const name = JSON.stringify(manager) + (subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`)
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}
