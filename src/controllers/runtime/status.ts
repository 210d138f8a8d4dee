/** Statuses that controllers write: conditions that change for a reason, and no write when nothing changed. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { isApiError, isConflict } from '../../machinery/meta/api-error.ts'
import { type Condition, findCondition, removeCondition } from '../../machinery/meta/conditions.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { type Action, type PlannedEvent, updateStatusAction } from './action.ts'

/** The update of the status, or nothing when it is what the object has. */
export function statusActions<T extends KubeObject & { readonly status?: object | undefined }>(
  definition: ResourceDefinition<T>,
  object: T,
  status: NonNullable<T['status']>,
): readonly Action[] {
  return deepEqual(object.status ?? {}, status) ? [] : [updateStatusAction(definition, { ...object, status })]
}

/**
 * The list with `next` as its last condition. The same list when status and reason stay: a new message alone is no
 * news. A transition is a change of the status.
 */
export function withCondition<T extends Condition>(conditions: readonly T[] | undefined, next: T): readonly T[] {
  const list = conditions ?? []
  const previous = findCondition(list, next.type)
  if (previous?.status === next.status && previous.reason === next.reason) return list
  const kept = previous?.status === next.status ? { ...next, lastTransitionTime: previous.lastTransitionTime } : next
  return [...removeCondition(list, next.type), kept]
}

/** The namespace is being deleted: nothing can be created in it, and nothing needs to be. */
export function isNamespaceTerminating(error: unknown): boolean {
  if (!isApiError(error, 'Forbidden')) return false
  return (error.status.details?.causes ?? []).some(({ reason }) => reason === 'NamespaceTerminating')
}

/** A failure that says something about the world: a conflict only says that the cache was old. */
export function isTellingFailure(failure: Error | undefined): failure is Error {
  return failure !== undefined && !isConflict(failure) && !isNamespaceTerminating(failure)
}

/** An event about an object that may come from a list, where objects need not name their kind. */
export function plannedEvent(
  definition: ResourceDefinition,
  object: KubeObject,
  { type, reason, message }: Omit<PlannedEvent, 'regarding'>,
): PlannedEvent {
  const regarding = { ...object, apiVersion: apiVersionOf(definition), kind: definition.kind }
  return { regarding, type, reason, message }
}
