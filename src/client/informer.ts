/**
 * A local, indexed view of one resource that follows the server. Objects are frozen and shared: never change
 * one, build a new one. `informers.ts` makes them; a reflector fills them.
 */

import { assert } from '../base/assert.ts'
import { orAborted } from '../base/deadline.ts'
import { stackOf } from '../base/error-text.ts'
import { byCodeUnit } from '../base/group-by.ts'
import { type Logger, silentLogger } from '../base/log.ts'
import { type KubeObject, keyOf, keyText, type ObjectKey } from '../machinery/meta/object.ts'
import type { WatchEvent } from '../machinery/wire/message.ts'
import type { ReflectorSink } from './reflector.ts'

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
  /** All objects, in no order: for who looks at thousands of them. */
  each(): Iterable<T>
  /** Objects whose index value is `value`; see `addIndex`. */
  byIndex(index: string, value: string): readonly T[]
  /** Whether `byIndex` finds any. */
  hasIndexed(index: string, value: string): boolean
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
  /** Resolves when the view has synced and `condition` holds; it is asked again after every change. */
  until(condition: () => boolean, signal?: AbortSignal): Promise<void>
  /**
   * Calls `added` for what is there already. Handlers must be quick; what they throw is logged and changes nothing
   * for the others. Returns the unsubscribe.
   */
  subscribe(handler: InformerHandler<T>): () => void
}

/** The owner's uid, under which `controlledBy` finds an object. */
const CONTROLLER_INDEX = 'metadata.ownerReferences.controller'

interface Index<T> {
  readonly valuesOf: (object: T) => readonly string[]
  /** Index value → key text → object. */
  readonly entries: Map<string, Map<string, T>>
}

/** An informer and the sink through which a reflector fills it. */
export class InformerStore<T extends KubeObject> implements Informer<T>, ReflectorSink<T> {
  readonly #objects = new Map<string, T>()
  readonly #namespaces: Index<T> = { valuesOf: (object) => [object.metadata.namespace ?? ''], entries: new Map() }
  readonly #indexes = new Map<string, Index<T>>()
  /** All of them. */
  readonly #placed: Index<T>[] = [this.#namespaces]
  /** Another list after each change: whoever is told of an object goes on with the one it has. */
  #handlers: readonly InformerHandler<T>[] = []
  readonly #waiting = new Set<{ readonly holds: () => boolean; readonly resolve: () => void }>()
  readonly #log: Logger
  #revision = 0
  #synced = false

  constructor(log: Logger = silentLogger) {
    this.#log = log
    this.addIndex(CONTROLLER_INDEX, controllerUids)
  }

  get revision(): number {
    return this.#revision
  }

  get synced(): boolean {
    return this.#synced
  }

  get(key: ObjectKey): T | undefined {
    return this.#objects.get(keyText(key))
  }

  list(namespace?: string): readonly T[] {
    const objects = namespace === undefined ? this.#objects : this.#namespaces.entries.get(namespace)
    if (!objects) return []
    return [...objects].sort(([left], [right]) => byCodeUnit(left, right)).map(([, object]) => object)
  }

  each(): Iterable<T> {
    return this.#objects.values()
  }

  byIndex(name: string, value: string): readonly T[] {
    return [...(this.#index(name).entries.get(value)?.values() ?? [])]
  }

  hasIndexed(name: string, value: string): boolean {
    return this.#index(name).entries.has(value)
  }

  #index(name: string): Index<T> {
    const index = this.#indexes.get(name)
    assert(index, `the informer has no index "${name}"`)
    return index
  }

  controlledBy(uid: string): readonly T[] {
    return this.byIndex(CONTROLLER_INDEX, uid)
  }

  addIndex(name: string, valuesOf: (object: T) => readonly string[]): void {
    if (this.#indexes.has(name)) return
    const index: Index<T> = { valuesOf, entries: new Map() }
    for (const [key, object] of this.#objects) place(index, key, undefined, object)
    this.#indexes.set(name, index)
    this.#placed.push(index)
  }

  whenSynced(signal?: AbortSignal): Promise<void> {
    return this.until(() => true, signal)
  }

  caughtUpTo(revision: number, signal?: AbortSignal): Promise<void> {
    return this.until(() => this.#revision >= revision, signal)
  }

  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    const holds = () => this.#synced && condition()
    if (holds()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const waiter = { holds, resolve }
    this.#waiting.add(waiter)
    if (!signal) return promise
    return orAborted(promise, signal).finally(() => this.#waiting.delete(waiter))
  }

  subscribe(handler: InformerHandler<T>): () => void {
    this.#handlers = [...this.#handlers, handler]
    for (const object of [...this.#objects.values()]) this.#notify(handler, undefined, object)
    return () => {
      this.#handlers = this.#handlers.filter((one) => one !== handler)
    }
  }

  replace(objects: readonly T[], revision: number): void {
    const kept = new Set(objects.map((object) => keyText(keyOf(object))))
    for (const [key, object] of [...this.#objects]) if (!kept.has(key)) this.#put(key, object, undefined)
    for (const object of objects) this.#store(object)
    this.#synced = true
    this.#advance(revision)
  }

  apply({ type, object }: WatchEvent<T>): void {
    if (type === 'DELETED') {
      const key = keyText(keyOf(object))
      const previous = this.#objects.get(key)
      if (previous) this.#put(key, object, undefined)
    } else if (type !== 'BOOKMARK') this.#store(object)
    this.#advance(Number(object.metadata.resourceVersion ?? 0))
  }

  #store(object: T): void {
    const key = keyText(keyOf(object))
    const previous = this.#objects.get(key)
    if (
      previous?.metadata.resourceVersion === object.metadata.resourceVersion &&
      previous?.metadata.uid === object.metadata.uid
    )
      return
    this.#put(key, previous, object)
  }

  /** `next` undefined: the object is gone and `previous` is its last state. */
  #put(key: string, previous: T | undefined, next: T | undefined): void {
    const stored = this.#objects.get(key)
    for (const index of this.#placed) place(index, key, stored, next)
    if (next) this.#objects.set(key, next)
    else this.#objects.delete(key)
    for (const handler of this.#handlers) this.#notify(handler, previous, next)
  }

  #notify(handler: InformerHandler<T>, previous: T | undefined, next: T | undefined): void {
    try {
      notify(handler, previous, next)
    } catch (error) {
      this.#log.error('a handler of changes failed', { error: stackOf(error) })
    }
  }

  #advance(revision: number): void {
    this.#revision = Math.max(this.#revision, revision)
    for (const waiter of this.#waiting) {
      if (!waiter.holds()) continue
      this.#waiting.delete(waiter)
      waiter.resolve()
    }
  }
}

function controllerUids({ metadata }: KubeObject): readonly string[] {
  const controller = metadata.ownerReferences?.find((reference) => reference.controller === true)
  return controller ? [controller.uid] : []
}

function place<T>(index: Index<T>, key: string, previous: T | undefined, next: T | undefined): void {
  const values = next === undefined ? [] : index.valuesOf(next)
  for (const value of previous === undefined ? [] : index.valuesOf(previous)) {
    if (values.includes(value)) continue
    const group = index.entries.get(value)
    group?.delete(key)
    if (group?.size === 0) index.entries.delete(value)
  }
  if (next === undefined) return
  for (const value of values) {
    const group = index.entries.get(value)
    if (group) group.set(key, next)
    else index.entries.set(value, new Map([[key, next]]))
  }
}

function notify<T extends KubeObject>(handler: InformerHandler<T>, previous: T | undefined, next: T | undefined): void {
  if (!next) {
    if (previous) handler.deleted?.(previous)
  } else if (!previous) handler.added?.(next)
  else if (previous.metadata.uid === next.metadata.uid) handler.updated?.(next, previous)
  else {
    handler.deleted?.(previous)
    handler.added?.(next)
  }
}
