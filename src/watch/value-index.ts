/**
 * Which objects have a label or field of some value, so that a selector costs its matches and not the resource. A
 * label is indexed from the first question about it on; labels nobody asks for cost nothing.
 */

import type { CachedObject } from './cached-object.ts'

/** Labels or fields with an index at a time; the least recently asked one goes first. Askers may invent names. */
const INDEXED_NAMES_MAX = 32

type Values = Readonly<Record<string, string>>

export class ValueIndex {
  /** Name → value → keys of the objects. */
  readonly #names = new Map<string, Map<string, Set<string>>>()
  readonly #valuesOf: (object: CachedObject) => Values

  constructor(valuesOf: (object: CachedObject) => Values) {
    this.#valuesOf = valuesOf
  }

  /** The keys of the objects whose `name` is `value`; `objects` are all there are, for a first question. */
  keys(name: string, value: string, objects: () => Iterable<CachedObject>): ReadonlySet<string> {
    const byValue = this.#names.get(name) ?? this.#build(name, objects())
    this.#names.delete(name)
    this.#names.set(name, byValue)
    return byValue.get(value) ?? new Set()
  }

  add(object: CachedObject): void {
    for (const [name, byValue] of this.#names) this.#addTo(byValue, name, object)
  }

  remove(object: CachedObject): void {
    for (const [name, byValue] of this.#names) {
      const value = valueNamed(this.#valuesOf(object), name)
      const keys = byValue.get(value)
      keys?.delete(object.key)
      if (keys?.size === 0) byValue.delete(value)
    }
  }

  clear(): void {
    this.#names.clear()
  }

  #build(name: string, objects: Iterable<CachedObject>): Map<string, Set<string>> {
    const byValue = new Map<string, Set<string>>()
    for (const object of objects) this.#addTo(byValue, name, object)
    const oldest = this.#names.keys().next()
    if (this.#names.size >= INDEXED_NAMES_MAX && !oldest.done) this.#names.delete(oldest.value)
    return byValue
  }

  #addTo(byValue: Map<string, Set<string>>, name: string, object: CachedObject): void {
    const value = valueNamed(this.#valuesOf(object), name)
    const keys = byValue.get(value)
    if (keys) keys.add(object.key)
    else byValue.set(value, new Set([object.key]))
  }
}

/** What is absent counts as empty, as field selectors have it; label selectors are matched again anyway. */
export function valueNamed(values: Values, name: string): string {
  return Object.hasOwn(values, name) ? (values[name] ?? '') : ''
}
