/**
 * Which versions every key has, in memory: the part all backends share. A version's `slot` is what the backend
 * needs to find the bytes: the bytes themselves, or a place on disk.
 *
 *   put a (1), put a (2), delete a (3), put a (4)      chain of a: 1 · 2 · 3✝ · 4 (created 4)
 *   at(a, 2) → 2     at(a, 3) → none     current(a) → 4
 *   compact(3) drops 1, 2 and 3✝: nothing at 3 or later reads them     chain of a: 4
 */

import { SortedMap } from './sorted-map.ts'
import type { ListOptions, Revision } from './storage.ts'

export interface Version<Slot> {
  readonly revision: Revision
  /** The revision that created the key since its last deletion. */
  readonly created: Revision
  /** Undefined: the key was deleted here. */
  readonly slot: Slot | undefined
}

export interface LiveVersion<Slot> extends Version<Slot> {
  readonly slot: Slot
}

export interface VersionPage<Slot> {
  readonly versions: readonly (readonly [key: string, version: LiveVersion<Slot>])[]
  readonly remaining: number
}

/** A version and those of its key before it: most keys have one, and 100,000 lists of one would be 6 MB. */
export interface VersionLink<Slot> extends Version<Slot> {
  before: VersionLink<Slot> | undefined
}

export class VersionIndex<Slot> {
  /** The newest version of each key. */
  readonly #newest = new SortedMap<VersionLink<Slot>>()

  current(key: string): LiveVersion<Slot> | undefined {
    return live(this.#newest.get(key))
  }

  at(key: string, revision: Revision): LiveVersion<Slot> | undefined {
    return liveAt(this.#newest.get(key), revision)
  }

  list(prefix: string, revision: Revision, options: ListOptions): VersionPage<Slot> {
    const { after, limit = Infinity, countMax = Infinity } = options
    const versions: (readonly [string, LiveVersion<Slot>])[] = []
    let remaining = 0
    for (const [key, newest] of this.#newest.entries(prefix, after)) {
      const version = liveAt(newest, revision)
      if (!version) continue
      if (versions.length < limit) versions.push([key, version])
      else if (remaining < countMax) remaining++
      else break
    }
    return { versions, remaining }
  }

  append(key: string, { revision, created, slot }: Version<Slot>): void {
    this.#newest.set(key, { revision, created, slot, before: this.#newest.get(key) })
  }

  /** A key of which nothing is known yet, with all its versions. */
  adopt(key: string, newest: VersionLink<Slot>): void {
    this.#newest.set(key, newest)
  }

  /** Drops the versions of `key` that no read at `revision` or later sees; returns them, oldest first. */
  trim(key: string, revision: Revision): readonly Version<Slot>[] {
    let newer: VersionLink<Slot> | undefined
    let seen = this.#newest.get(key)
    while (seen && seen.revision > revision) {
      newer = seen
      seen = seen.before
    }
    if (!seen) return []
    const isDeleted = seen.slot === undefined
    const dropped = oldestFirst(isDeleted ? seen : seen.before)
    if (!isDeleted) seen.before = undefined
    else if (newer) newer.before = undefined
    else this.#newest.delete(key)
    return dropped
  }
}

function oldestFirst<Slot>(newest: VersionLink<Slot> | undefined): readonly Version<Slot>[] {
  const versions: Version<Slot>[] = []
  for (let link = newest; link; link = link.before) versions.push(link)
  return versions.reverse()
}

function liveAt<Slot>(newest: VersionLink<Slot> | undefined, revision: Revision): LiveVersion<Slot> | undefined {
  let link = newest
  while (link && link.revision > revision) link = link.before
  return live(link)
}

function live<Slot>(version: Version<Slot> | undefined): LiveVersion<Slot> | undefined {
  if (version?.slot === undefined) return undefined
  return { revision: version.revision, created: version.created, slot: version.slot }
}
