/** What the last attempt to schedule each pod found, node by node and plugin by plugin. Bounded. */

import { LruMap } from '../base/lru.ts'
import type { NodeVerdict } from './judge.ts'

/** Pods whose last verdict is kept. */
const VERDICTS_MAX = 1000
/** Nodes kept per verdict, about 150 bytes each: with all pods 30 MB at most. The message counts all of them. */
const NODES_KEPT_MAX = 200

export interface SchedulingVerdict {
  /** `namespace/name`. */
  readonly pod: string
  readonly uid: string
  readonly atMs: number
  readonly nodes: number
  readonly message: string
  /** The first nodes that were looked at; `explainPending` looks at all. */
  readonly rejected: readonly NodeVerdict[]
}

export class Verdicts {
  readonly #byPod = new LruMap<string, SchedulingVerdict>(VERDICTS_MAX)

  set(verdict: SchedulingVerdict): void {
    const rejected = verdict.rejected.slice(0, NODES_KEPT_MAX)
    this.#byPod.set(verdict.pod, { ...verdict, rejected })
  }

  get(pod: string): SchedulingVerdict | undefined {
    return this.#byPod.get(pod)
  }

  delete(pod: string): void {
    this.#byPod.delete(pod)
  }
}
