/** What an admission plugin is: a name, the operations it looks at, and what it changes or refuses. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Awaitable } from '../../base/awaitable.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import type { AdmissionAttributes, AdmissionOperation, Companion, Write } from '../registry/admission-hooks.ts'
import type { Rounds } from './rounds.ts'

export interface AdmissionPlugin {
  /** Upstream's name. */
  readonly name: string
  readonly operations: readonly AdmissionOperation[]
  /** The resources that it looks at, as `group/resource`: the rest of the chain's writes pass it by. Absent: all. */
  readonly about?: readonly string[] | undefined
  /** The object of the attributes as it should be, the very same one where it is right. Throws `ApiError` to refuse. */
  mutate?(attributes: AdmissionAttributes, object: KubeObject, rounds: Rounds): Awaitable<KubeObject>
  /** Throws `ApiError` to refuse. */
  validate?(attributes: AdmissionAttributes): Awaitable<void>
  /** Does the write together with what must be written with it: see `AdmissionHooks.persist`. One plugin has this. */
  persist?<Result>(attributes: AdmissionAttributes, write: Write<Result>): Awaitable<Result>
}

/** What plugins may look up: objects as they are in memory now. What is not served is not there. */
export interface AdmissionView {
  get<T extends KubeObject>(resource: ResourceDefinition<T>, key: ObjectKey): Awaitable<T | undefined>
  /** In all namespaces, if none is named. The very same array for as long as it is right, unless it is a long one. */
  list<T extends KubeObject>(resource: ResourceDefinition<T>, namespace?: string): Awaitable<readonly T[]>
}

export interface AdmissionWrites {
  /** The write of `object`, whose status has changed, in place of `live`, to go along with the write that is admitted. */
  replacing<T extends KubeObject>(definition: ResourceDefinition<T>, live: T, object: T): Companion
}
