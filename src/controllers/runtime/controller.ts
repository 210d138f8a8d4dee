/**
 * A controller is a value: what it reconciles, what else wakes it, how it looks and how it decides.
 * The runtime (`run.ts`) owns queue, retries, the read-your-writes barrier and everything that acts.
 *
 *   export const replicaSetController = defineController({
 *     name: 'replicaset-controller', reconciles: replicaSets, owns: [pods],
 *     observe: (cache, key) => …, plan: planReplicaSet,
 *   })
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events.ts'
import type { Informer } from '../../client/informer.ts'
import type { Informers } from '../../client/informers.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import type { Action } from './action.ts'

/** The read side of all informers, synchronous. */
export interface Cache {
  get<T extends KubeObject>(definition: ResourceDefinition<T>, key: ObjectKey): T | undefined
  list<T extends KubeObject>(definition: ResourceDefinition<T>, namespace?: string): readonly T[]
  controlledBy<T extends KubeObject>(definition: ResourceDefinition<T>, owner: KubeObject): readonly T[]
  informer<T extends KubeObject>(definition: ResourceDefinition<T>): Informer<T>
}

export interface Plan {
  readonly actions: readonly Action[]
  /** Look again after this time, changed or not. */
  readonly requeueAfterMs?: number | undefined
}

/** Maps a changed object of another resource to keys of the reconciled one. Called for the old and the new object. */
export interface Watch<T extends KubeObject = KubeObject> {
  readonly definition: ResourceDefinition<T>
  keysOf(object: T, cache: Cache): Iterable<ObjectKey>
  /** Changes that concern nobody: a node's heartbeat, for who cares for its labels. Default: none. */
  ignores?(object: T, previous: T): boolean
}

export interface ReconcilingController<View = unknown, T extends KubeObject = KubeObject> {
  readonly name: string
  readonly reconciles: ResourceDefinition<T>
  /** Which of them there may be anything to do for. An object that never is such is never looked at. Default: all. */
  concerns?(object: T, cache: Cache): boolean
  /** Changes of them after which there is nothing else to do than before: a heartbeat. Default: none. */
  ignores?(object: T, previous: T): boolean
  /** Wake the controlling owner when one of these changes. */
  readonly owns: readonly ResourceDefinition[]
  readonly watches: readonly Watch[]
  /** Concurrent keys. */
  readonly workers: number
  /** Undefined: nothing to do. Pure and synchronous. */
  observe(cache: Cache, key: ObjectKey, nowMs: number): View | undefined
  /** `failure`: why executing the plan before failed, for statuses that show it. */
  plan(view: View, nowMs: number, failure?: Error): Plan
}

/** For what is no key-by-key loop: garbage collection, namespace content, node health. */
export interface LoopController {
  readonly name: string
  /** Runs until the signal aborts. What it throws is logged and it is started again with back-off. */
  run(parts: ControllerParts, signal: AbortSignal): Promise<void>
}

export type Controller = ReconcilingController | LoopController

export interface ControllerParts {
  readonly client: Client
  readonly informers: Informers
  readonly cache: Cache
  readonly events: EventRecorder
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

type Optional = 'owns' | 'watches' | 'workers'

export function defineController<View, T extends KubeObject>(
  controller: Omit<ReconcilingController<View, T>, Optional> & Partial<Pick<ReconcilingController<View, T>, Optional>>,
): ReconcilingController<View, T> {
  return { owns: [], watches: [], workers: 5, ...controller }
}
