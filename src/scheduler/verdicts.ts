/** What the last attempt to schedule each pod found, node by node and plugin by plugin. Bounded. */

import { LruMap } from '../base/lru.ts'
import type { NodeVerdict } from './schedule.ts'

/** Pods whose last verdict is kept: with 100 nodes about 30 KB each at most, since reasons are shared texts. */
const VERDICTS_MAX = 1000

export interface SchedulingVerdict {
  /** `namespace/name`. */
  readonly pod: string
  readonly uid: string
  readonly atMs: number
  readonly nodes: number
  readonly message: string
  readonly rejected: readonly NodeVerdict[]
}

export class Verdicts {
  readonly #byPod = new LruMap<string, SchedulingVerdict>(VERDICTS_MAX)

  set(verdict: SchedulingVerdict): void {
    this.#byPod.set(verdict.pod, verdict)
  }

  get(pod: string): SchedulingVerdict | undefined {
    return this.#byPod.get(pod)
  }

  delete(pod: string): void {
    this.#byPod.delete(pod)
  }
}
