/**
 * A local, indexed, always growing-up-to-date view of one resource. Contract only; made by `informers.ts`.
 * Objects are frozen and shared: never change one, build a new one.
 */

import type { KubeObject, ObjectKey } from '../machinery/meta/object.ts'

export interface InformerHandler<T extends KubeObject> {
  added?(object: T): void
  /** Also called when a relist finds a changed object. */
  updated?(object: T, previous: T): void
  deleted?(object: T): void
}

export interface Informer<T extends KubeObject> {
  get(key: ObjectKey): T | undefined
  /** All objects, or those of a namespace, in order of their keys. */
  list(namespace?: string): readonly T[]
  /** Objects whose index value is `value`; see `addIndex`. */
  byIndex(index: string, value: string): readonly T[]
  /** Objects whose controller owner reference has this uid. */
  controlledBy(uid: string): readonly T[]
  /** Idempotent by name: the same name must always come with the same function. */
  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void
  /** The newest revision this view includes; 0 before the first list. */
  readonly revision: number
  readonly synced: boolean
  /** Resolves when the first list is in. */
  whenSynced(signal?: AbortSignal): Promise<void>
  /** Resolves when the view includes `revision`: the read-your-writes barrier. */
  caughtUpTo(revision: number, signal?: AbortSignal): Promise<void>
  /** Calls `added` for what is there already. Handlers must be quick and must not throw. Returns the unsubscribe. */
  subscribe(handler: InformerHandler<T>): () => void
}
