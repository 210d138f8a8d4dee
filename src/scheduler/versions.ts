/**
 * Which nodes differ between two states of a cluster, without looking at all of them. Each node has a slot, a small
 * number of its own as long as it is there; a history notes the slots that change.
 */

/** Changes that are remembered, 8 bytes each: who has not looked for longer looks at all nodes. */
const CHANGES_MAX = 10_000

export class History {
  #slots: number[] = []
  /** Changes before the first that is remembered. */
  #forgotten = 0

  /** The number of changes so far. */
  get length(): number {
    return this.#forgotten + this.#slots.length
  }

  add(slot: number): void {
    this.#slots.push(slot)
    if (this.#slots.length <= CHANGES_MAX) return
    const kept = this.#slots.slice(CHANGES_MAX / 2)
    this.#forgotten += this.#slots.length - kept.length
    this.#slots = kept
  }

  /** The slots of the changes from the first number up to the second; some may come again. Undefined: forgotten. */
  between(from: number, to: number): readonly number[] | undefined {
    return from < this.#forgotten ? undefined : this.#slots.slice(from - this.#forgotten, to - this.#forgotten)
  }
}

/** A state of a cluster: so many changes of its history have happened, and these slots are other than they were then. */
export interface Version {
  readonly history: History
  readonly changes: number
  readonly apart: readonly number[]
}

/** The slots in which the two may differ; some may come again. Undefined: all. */
export function slotsBetween(left: Version | undefined, right: Version): readonly number[] | undefined {
  if (left === right) return []
  if (left?.history !== right.history) return undefined
  const changed = right.history.between(Math.min(left.changes, right.changes), Math.max(left.changes, right.changes))
  return changed && [...changed, ...left.apart, ...right.apart]
}
