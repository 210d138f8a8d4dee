/** Finalizers: who must act before a deleted object goes. All functions return the same object when nothing changes. */

import type { KubeObject } from './object.ts'

/** Dependents lose their owner reference before the object goes. */
export const ORPHAN_FINALIZER = 'orphan'
/** Dependents that block go before the object does. */
export const FOREGROUND_FINALIZER = 'foregroundDeletion'
/** A namespace's content goes first; it stands in `spec.finalizers`. */
export const NAMESPACE_FINALIZER = 'kubernetes'

/** Those that the system itself knows; all others name whose they are: `example.com/name`. */
export const STANDARD_FINALIZERS: readonly string[] = [NAMESPACE_FINALIZER, FOREGROUND_FINALIZER, ORPHAN_FINALIZER]

export function hasFinalizer(object: KubeObject, finalizer: string): boolean {
  return object.metadata.finalizers?.includes(finalizer) ?? false
}

export function withFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
  if (hasFinalizer(object, finalizer)) return object
  const finalizers = [...(object.metadata.finalizers ?? []), finalizer]
  return { ...object, metadata: { ...object.metadata, finalizers } }
}

/** Without it; the list goes away with its last entry. */
export function withoutFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
  if (!hasFinalizer(object, finalizer)) return object
  const { finalizers = [], ...metadata } = object.metadata
  const rest = finalizers.filter((name) => name !== finalizer)
  return { ...object, metadata: rest.length === 0 ? metadata : { ...metadata, finalizers: rest } }
}

export function isBeingDeleted(object: KubeObject): boolean {
  return typeof object.metadata.deletionTimestamp === 'string'
}
