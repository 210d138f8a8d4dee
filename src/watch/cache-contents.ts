/** The current objects of one resource, in order of their keys, with indexes for selectors. */

import { byCodeUnit } from '../base/group-by.ts'
import { SortedMap } from '../storage/sorted-map.ts'
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
  readonly #labels = new ValueIndex(({ labels }) => labels)
  readonly #fields = new ValueIndex(({ fields }) => fields)

  /** Keys are `prefix` + `namespace/name`, or `prefix` + `name` for cluster-scoped resources. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  get size(): number {
    return this.#objects.size
  }

  get(key: string): CachedObject | undefined {
    return this.#objects.get(key)
  }

  set(object: CachedObject): void {
    this.delete(object.key)
    this.#objects.set(object.key, object)
    this.#labels.add(object)
    this.#fields.add(object)
  }

  delete(key: string): void {
    const object = this.#objects.get(key)
    if (!object) return
    this.#labels.remove(object)
    this.#fields.remove(object)
    this.#objects.delete(key)
  }

  replace(objects: readonly CachedObject[]): void {
    this.#objects.clear()
    this.#labels.clear()
    this.#fields.clear()
    for (const object of objects) this.#objects.set(object.key, object)
  }

  list(selection: Selection, { after, limit = Infinity }: PageOptions = {}): ObjectPage {
    const objects: CachedObject[] = []
    const filtered = isFiltered(selection)
    let remaining = 0
    for (const object of this.#candidates(selection, after)) {
      if (filtered && !selects(selection, object)) continue
      if (objects.length < limit) objects.push(object)
      else if (filtered) return { objects, more: true, remaining: undefined }
      else remaining++
    }
    return { objects, more: remaining > 0, remaining: filtered ? undefined : remaining }
  }

  /** A superset of the selected objects after `after`, in order, as small as the indexes make it. */
  *#candidates(selection: Selection, after: string | undefined): Generator<CachedObject> {
    const prefix = selection.namespace ? `${this.#prefix}${selection.namespace}/` : this.#prefix
    const keys = this.#smallestIndexed(selection)
    if (!keys) {
      for (const [, object] of this.#objects.entries(prefix, after)) yield object
      return
    }
    const within = [...keys].filter((key) => key.startsWith(prefix) && (after === undefined || key > after))
    for (const key of within.sort(byCodeUnit)) {
      const object = this.#objects.get(key)
      if (object) yield object
    }
  }

  #smallestIndexed(selection: Selection): ReadonlySet<string> | undefined {
    const all = () => this.#objects.entries().map(([, object]) => object)
    const fields = fieldEqualities(selection)
    // A name and a namespace are the key itself: an index over names would be as large as the resource.
    const name = fields.find(([field]) => field === 'metadata.name')?.[1]
    const namespace = selection.namespace ?? fields.find(([field]) => field === 'metadata.namespace')?.[1]
    if (name !== undefined && namespace) return new Set([`${this.#prefix}${namespace}/${name}`])
    const sets = [
      ...fields.map(([field, value]) => this.#fields.keys(field, value, all)),
      ...labelEqualities(selection).map(([label, value]) => this.#labels.keys(label, value, all)),
    ]
    return sets.reduce<ReadonlySet<string> | undefined>(
      (best, set) => (best && best.size <= set.size ? best : set),
      undefined,
    )
  }
}
