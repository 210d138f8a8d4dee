/** The current objects of one resource, in order of their keys, with indexes for selectors. */

import { byCodeUnit } from '../base/group-by.ts'
import { internalError } from '../machinery/meta/api-error.ts'
import { SortedMap } from '../storage/sorted-map.ts'
import type { Unreadable } from '../storage/storage.ts'
import type { CachedObject } from './cached-object.ts'
import { fieldEqualities, isFiltered, labelEqualities, type Selection, selects } from './selection.ts'
import { ValueIndex } from './value-index.ts'

export interface PageOptions {
  /** Keys strictly after this one. */
  readonly after?: string | undefined
  readonly limit?: number | undefined
}

export interface ObjectPage {
  /** In code-unit order of their keys. */
  readonly objects: readonly CachedObject[]
  /** Whether the limit left objects out. */
  readonly more: boolean
  /** How many it left out; known only where no selector was given. */
  readonly remaining: number | undefined
}

export class CacheContents {
  readonly #prefix: string
  readonly #objects = new SortedMap<CachedObject>()
  /** Keys whose values cannot be read, until they are written anew or deleted. */
  readonly #unreadable = new Map<string, Unreadable>()
  readonly #labels = new ValueIndex(({ labels }) => labels)
  readonly #fields = new ValueIndex(({ fields }) => fields)

  /** Keys are `prefix` + `namespace/name`, or `prefix` + `name` for cluster-scoped resources. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  get size(): number {
    return this.#objects.size
  }

  /** What is there, readable: an unreadable object counts as none. */
  known(key: string): CachedObject | undefined {
    return this.#objects.get(key)
  }

  /** Throws 500 for an object that is there and cannot be read. */
  get(key: string): CachedObject | undefined {
    const unreadable = this.#unreadable.get(key)
    if (unreadable) throw internalError(unreadable.error.message)
    return this.#objects.get(key)
  }

  set(object: CachedObject): void {
    this.#unreadable.delete(object.key)
    const before = this.#objects.get(object.key)
    if (before) this.#unindex(before)
    this.#objects.set(object.key, object)
    this.#labels.add(object)
    this.#fields.add(object)
  }

  delete(key: string): void {
    this.#unreadable.delete(key)
    const object = this.#objects.get(key)
    if (!object) return
    this.#unindex(object)
    this.#objects.delete(key)
  }

  #unindex(object: CachedObject): void {
    this.#labels.remove(object)
    this.#fields.remove(object)
  }

  replace(objects: readonly CachedObject[], unreadable: readonly Unreadable[]): void {
    this.#objects.clear()
    this.#unreadable.clear()
    this.#labels.clear()
    this.#fields.clear()
    for (const object of objects) this.#objects.set(object.key, object)
    for (const one of unreadable) this.#unreadable.set(one.key, one)
  }

  /** Throws 500 where an object that cannot be read could be among them: a list that lacks one says it is gone. */
  list(selection: Selection, { after, limit = Infinity }: PageOptions = {}): ObjectPage {
    if (this.#unreadable.size > 0) this.#assertReadable(selection)
    if (!isFiltered(selection)) return this.#page(this.#prefixOf(selection), after, limit)
    const objects: CachedObject[] = []
    for (const object of this.#candidates(selection, after)) {
      if (!selects(selection, object)) continue
      if (objects.length === limit) return { objects, more: true, remaining: undefined }
      objects.push(object)
    }
    return { objects, more: false, remaining: undefined }
  }

  #page(prefix: string, after: string | undefined, limit: number): ObjectPage {
    const objects = this.#objects.values(prefix, after, limit)
    const remaining = limit === Infinity ? 0 : this.#objects.count(prefix, after) - objects.length
    return { objects, more: remaining > 0, remaining }
  }

  /** A superset of the selected objects after `after`, in order, as small as the indexes make it. */
  *#candidates(selection: Selection, after: string | undefined): Generator<CachedObject> {
    const prefix = this.#prefixOf(selection)
    const keys = this.#smallestIndexed(selection)
    if (!keys) {
      for (const [, object] of this.#objects.entries(prefix, after)) yield object
      return
    }
    if (keys.size === 0) return
    const within = [...keys].filter((key) => key.startsWith(prefix) && (after === undefined || key > after))
    for (const key of within.sort(byCodeUnit)) {
      const object = this.#objects.get(key)
      if (object) yield object
    }
  }

  #assertReadable(selection: Selection): void {
    const only = this.#onlyKey(selection)
    const named = only === undefined ? undefined : this.#unreadable.get(only)
    if (only === undefined) assertReadable(this.#unreadable.values(), this.#prefixOf(selection))
    else if (named) assertReadable([named], only)
  }

  #prefixOf({ namespace }: Selection): string {
    return namespace ? `${this.#prefix}${namespace}/` : this.#prefix
  }

  /** A name and a namespace are the key itself: an index over names would be as large as the resource. */
  #onlyKey(selection: Selection): string | undefined {
    const fields = fieldEqualities(selection)
    const name = fields.find(([field]) => field === 'metadata.name')?.[1]
    const namespace = selection.namespace ?? fields.find(([field]) => field === 'metadata.namespace')?.[1]
    return name !== undefined && namespace ? `${this.#prefix}${namespace}/${name}` : undefined
  }

  #smallestIndexed(selection: Selection): ReadonlySet<string> | undefined {
    const all = () => this.#objects.values('', undefined, Infinity)
    const only = this.#onlyKey(selection)
    if (only !== undefined) return new Set([only])
    const sets = [
      ...fieldEqualities(selection).map(([field, value]) => this.#fields.keys(field, value, all)),
      ...labelEqualities(selection).map(([label, value]) => this.#labels.keys(label, value, all)),
    ]
    return sets.reduce<ReadonlySet<string> | undefined>(
      (best, set) => (best && best.size <= set.size ? best : set),
      undefined,
    )
  }
}

/** Throws 500 when one of these has a key with the prefix. */
export function assertReadable(unreadable: Iterable<Unreadable>, prefix: string): void {
  for (const { key, error } of unreadable) {
    if (key.startsWith(prefix)) throw internalError(`unable to transform key ${JSON.stringify(key)}: ${error.message}`)
  }
}
