/**
 * All watchers of one resource, found by what they select: an event reaches the watchers of its namespace, those of
 * all namespaces, and those that asked for one value of one of its fields (a node watching its own pods), and nobody
 * else is even looked at. Watchers that select the same are asked once for all.
 */

import type { CacheEvent } from './event.ts'
import { fieldEqualities, type Selection, select, selectionName } from './selection.ts'
import { valueNamed } from './value-index.ts'
import type { Watcher } from './watcher.ts'

interface Group {
  readonly selection: Selection
  readonly watchers: Set<Watcher>
}

/** By the names of their selections. */
type Groups = Map<string, Group>
/** By a namespace or the value of a field. */
type Buckets = Map<string, Groups>

export class FanOut {
  readonly #everywhere: Groups = new Map()
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
      const buckets = this.#byField.get(field) ?? new Map<string, Groups>()
      this.#byField.set(field, buckets)
      addToBucket(buckets, value, watcher)
    } else if (watcher.selection.namespace) addToBucket(this.#byNamespace, watcher.selection.namespace, watcher)
    else addTo(this.#everywhere, watcher)
  }

  remove(watcher: Watcher): void {
    this.#size--
    const [equality] = fieldEqualities(watcher.selection)
    if (equality) {
      const [field, value] = equality
      const buckets = this.#byField.get(field)
      if (buckets) removeFromBucket(buckets, value, watcher)
      if (buckets?.size === 0) this.#byField.delete(field)
    } else if (watcher.selection.namespace) removeFromBucket(this.#byNamespace, watcher.selection.namespace, watcher)
    else removeFrom(this.#everywhere, watcher)
  }

  dispatch(event: CacheEvent): void {
    offerAll(this.#everywhere, event)
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
    const groups = [this.#everywhere, ...buckets.flatMap((each) => [...each.values()])]
    const watchers = groups.flatMap((each) => [...each.values()].flatMap((group) => [...group.watchers]))
    for (const watcher of watchers) watcher.end(error)
  }
}

function offerAll(groups: Groups | undefined, event: CacheEvent): void {
  if (!groups) return
  for (const { selection, watchers } of groups.values()) {
    const seen = select(selection, event)
    if (seen) for (const watcher of watchers) watcher.offer(seen, event.revision)
  }
}

function addTo(groups: Groups, watcher: Watcher): void {
  const { selection } = watcher
  const name = selectionName(selection)
  const group = groups.get(name)
  if (group) group.watchers.add(watcher)
  else groups.set(name, { selection, watchers: new Set([watcher]) })
}

function removeFrom(groups: Groups, watcher: Watcher): void {
  const name = selectionName(watcher.selection)
  const watchers = groups.get(name)?.watchers
  watchers?.delete(watcher)
  if (watchers?.size === 0) groups.delete(name)
}

function addToBucket(buckets: Buckets, name: string, watcher: Watcher): void {
  const groups: Groups = buckets.get(name) ?? new Map()
  buckets.set(name, groups)
  addTo(groups, watcher)
}

function removeFromBucket(buckets: Buckets, name: string, watcher: Watcher): void {
  const groups = buckets.get(name)
  if (groups) removeFrom(groups, watcher)
  if (groups?.size === 0) buckets.delete(name)
}
