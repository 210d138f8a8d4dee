/**
 * All watchers of one resource, found by what they select: an event reaches the watchers of its namespace, those of
 * all namespaces, and those that asked for one value of one of its fields (a node watching its own pods), and nobody
 * else is even looked at.
 */

import type { CacheEvent } from './event.ts'
import { fieldEqualities } from './selection.ts'
import { valueNamed } from './value-index.ts'
import type { Watcher } from './watcher.ts'

type Buckets = Map<string, Set<Watcher>>

export class FanOut {
  readonly #everywhere = new Set<Watcher>()
  readonly #byNamespace: Buckets = new Map()
  /** Field → value → watchers. */
  readonly #byField = new Map<string, Buckets>()
  #size = 0

  get size(): number {
    return this.#size
  }

  add(watcher: Watcher): void {
    this.#size++
    const [equality] = fieldEqualities(watcher.selection)
    if (equality) {
      const [field, value] = equality
      const buckets = this.#byField.get(field) ?? new Map<string, Set<Watcher>>()
      this.#byField.set(field, buckets)
      addTo(buckets, value, watcher)
    } else if (watcher.selection.namespace) addTo(this.#byNamespace, watcher.selection.namespace, watcher)
    else this.#everywhere.add(watcher)
  }

  remove(watcher: Watcher): void {
    this.#size--
    const [equality] = fieldEqualities(watcher.selection)
    if (equality) {
      const [field, value] = equality
      const buckets = this.#byField.get(field)
      if (buckets) removeFrom(buckets, value, watcher)
      if (buckets?.size === 0) this.#byField.delete(field)
    } else if (watcher.selection.namespace) removeFrom(this.#byNamespace, watcher.selection.namespace, watcher)
    else this.#everywhere.delete(watcher)
  }

  dispatch(event: CacheEvent): void {
    for (const watcher of this.#everywhere) watcher.offer(event)
    offerAll(this.#byNamespace.get(event.object.namespace), event)
    for (const [field, buckets] of this.#byField) {
      const value = valueNamed(event.object.fields, field)
      const before = event.previous && valueNamed(event.previous.fields, field)
      offerAll(buckets.get(value), event)
      if (before !== undefined && before !== value) offerAll(buckets.get(before), event)
    }
  }

  endAll(error?: Error): void {
    const buckets = [this.#byNamespace, ...this.#byField.values()]
    const watchers = [...this.#everywhere, ...buckets.flatMap((each) => [...each.values()].flatMap((set) => [...set]))]
    for (const watcher of watchers) watcher.end(error)
  }
}

function offerAll(watchers: ReadonlySet<Watcher> | undefined, event: CacheEvent): void {
  for (const watcher of watchers ?? []) watcher.offer(event)
}

function addTo(buckets: Buckets, name: string, watcher: Watcher): void {
  const bucket = buckets.get(name)
  if (bucket) bucket.add(watcher)
  else buckets.set(name, new Set([watcher]))
}

function removeFrom(buckets: Buckets, name: string, watcher: Watcher): void {
  const bucket = buckets.get(name)
  bucket?.delete(watcher)
  if (bucket?.size === 0) buckets.delete(name)
}
