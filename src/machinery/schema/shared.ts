/**
 * Values that many objects have: the pods of a family have equal specs. Such a value is one object in the form of its
 * schema, so that what follows from it (its defaults, what is wrong with it, its JSON) is found out once.
 *
 * Nothing is ever invalidated: a shared value is frozen all the way down, and what is remembered of it is a pure
 * function of it alone, whatever else the object says and whatever the cluster is like. It is forgotten with the value.
 */

import { oncePer } from '../../base/lru.ts'
import { isShared, sharedForm } from './canonical.ts'
import type { Schema } from './schema.ts'

/**
 * What a table of shared values weighs at most: characters of texts, and for each what it takes beside its own. A pod's
 * spec of 260 characters takes 13 KB with all that is made of it, one of 730 takes 15: a full table takes about 10 MB.
 */
const TABLE_WEIGHT_MAX = 1_000_000
const ENTRY_WEIGHT = 1_000

/** Characters of a value that is worth sharing: what is longer is seldom there twice, and writing it down takes time. */
const CHARACTERS_MAX = 8_000

/** Somebody had a value of this text: whether it is there a second time remains to be seen. */
const ONCE = 'once'

/** Equal values as one, from the second on: most of those that never come back are not kept. */
export class SharedValues<T extends object> {
  readonly #schema: Schema
  /** What has been asked for since `earlier` was put aside. */
  #recent = new Map<string, T | typeof ONCE>()
  /** What was asked for before, and is forgotten next. */
  #earlier = new Map<string, T | typeof ONCE>()
  /** Of the recent ones. */
  #weight = 0

  constructor(schema: Schema) {
    this.#schema = schema
  }

  /** The shared value that is the form of `value`, or `value` itself. Its types must fit, as for `canonical`. */
  of(value: T): T {
    if (isShared(value)) return value
    const text = JSON.stringify(value)
    if (text.length > CHARACTERS_MAX) return value
    const known = this.#find(text)
    if (known !== undefined && known !== ONCE) return known
    const found = known === ONCE ? sharedForm(value, this.#schema) : ONCE
    this.#keep(text, found)
    return found === ONCE ? value : found
  }

  /** How many texts are remembered. */
  get size(): number {
    return this.#recent.size + this.#earlier.size
  }

  #find(text: string): T | typeof ONCE | undefined {
    const recent = this.#recent.get(text)
    if (recent !== undefined) return recent
    const earlier = this.#earlier.get(text)
    if (earlier !== undefined) this.#keep(text, earlier)
    return earlier
  }

  #keep(text: string, found: T | typeof ONCE): void {
    if (!this.#recent.has(text)) this.#weight += text.length + ENTRY_WEIGHT
    this.#recent.set(text, found)
    if (this.#weight <= TABLE_WEIGHT_MAX / 2) return
    this.#earlier = this.#recent
    this.#recent = new Map()
    this.#weight = 0
  }
}

/** A step on the way of a value: of a shared one it is taken once, and leads to a shared one. */
export function sharedStep<T extends object>(schema: Schema, make: (value: T) => T): (value: T) => T {
  const taken = oncePer((value: T) => sharedForm(make(value), schema, value))
  return (value) => (isShared(value) ? taken(value) : make(value))
}

/** What is to be known of a value: of a shared one it is found out once. */
export function sharedFact<T extends object, Fact extends NonNullable<unknown>>(
  find: (value: T) => Fact,
): (value: T) => Fact {
  const found = oncePer(find)
  return (value) => (isShared(value) ? found(value) : find(value))
}
