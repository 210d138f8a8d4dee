/** What an admission plugin is: a name, the operations it looks at, and what it changes or refuses. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import type { AdmissionAttributes, AdmissionOperation, Companion, Write } from '../registry/admission-hooks.ts'
import type { Rounds } from './rounds.ts'

export interface AdmissionPlugin {
  /** Upstream's name. */
  readonly name: string
  readonly operations: readonly AdmissionOperation[]
  /** The resources that it looks at, as `group/resource`: the rest of the chain's writes pass it by. Absent: all. */
  readonly about?: readonly string[] | undefined
  /** The object as it should be. Throws `ApiError` to refuse. */
  mutate?(attributes: AdmissionAttributes, object: KubeObject, rounds: Rounds): KubeObject | Promise<KubeObject>
  /** Throws `ApiError` to refuse. */
  validate?(attributes: AdmissionAttributes): void | Promise<void>
  /** Does the write together with what must be written with it: see `AdmissionHooks.persist`. One plugin has this. */
  persist?<Result>(attributes: AdmissionAttributes, write: Write<Result>): Promise<Result>
}

/** What plugins may look up: objects as they are in memory now, by their definition or the plural name of a built-in. */
export interface AdmissionView {
  get<T extends KubeObject = KubeObject>(resource: Looked<T>, key: ObjectKey): Promise<T | undefined>
  list<T extends KubeObject = KubeObject>(resource: Looked<T>, namespace?: string): Promise<readonly T[]>
}

export interface AdmissionWrites {
  /** The write of `object`, whose status has changed, in place of `live`, to go along with the write that is admitted. */
  replacing<T extends KubeObject>(definition: ResourceDefinition<T>, live: T, object: T): Companion
}

export type Looked<T extends KubeObject> = string | ResourceDefinition<T>
