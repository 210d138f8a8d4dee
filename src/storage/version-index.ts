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

export class VersionIndex<Slot> {
  /** Oldest first; never empty. */
  readonly #chains = new SortedMap<Version<Slot>[]>()

  current(key: string): LiveVersion<Slot> | undefined {
    return live(this.#chains.get(key)?.at(-1))
  }

  at(key: string, revision: Revision): LiveVersion<Slot> | undefined {
    const chain = this.#chains.get(key)
    return chain && liveAt(chain, revision)
  }

  list(prefix: string, revision: Revision, options: ListOptions): VersionPage<Slot> {
    const { after, limit = Infinity, countMax = Infinity } = options
    const versions: (readonly [string, LiveVersion<Slot>])[] = []
    let remaining = 0
    for (const [key, chain] of this.#chains.entries(prefix, after)) {
      const version = liveAt(chain, revision)
      if (!version) continue
      if (versions.length < limit) versions.push([key, version])
      else if (remaining < countMax) remaining++
      else break
    }
    return { versions, remaining }
  }

  append(key: string, version: Version<Slot>): void {
    const chain = this.#chains.get(key)
    if (chain) chain.push(version)
    else this.#chains.set(key, [version])
  }

  /** Drops the versions of `key` that no read at `revision` or later sees; returns them. */
  trim(key: string, revision: Revision): readonly Version<Slot>[] {
    const chain = this.#chains.get(key)
    if (!chain) return []
    let keep = chain.findLastIndex((version) => version.revision <= revision)
    if (keep < 0) return []
    if (chain[keep]?.slot === undefined) keep++
    const dropped = chain.splice(0, keep)
    if (chain.length === 0) this.#chains.delete(key)
    return dropped
  }
}

function liveAt<Slot>(chain: readonly Version<Slot>[], revision: Revision): LiveVersion<Slot> | undefined {
  return live(chain.findLast((version) => version.revision <= revision))
}

function live<Slot>(version: Version<Slot> | undefined): LiveVersion<Slot> | undefined {
  if (version?.slot === undefined) return undefined
  return { revision: version.revision, created: version.created, slot: version.slot }
}
