/** What an admission plugin is: a name, the operations it looks at, and what it changes or refuses. */

import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import type { AdmissionAttributes, AdmissionOperation } from '../registry/admission-hooks.ts'

export interface AdmissionPlugin {
  /** Upstream's name. */
  readonly name: string
  readonly operations: readonly AdmissionOperation[]
  /** The object as it should be. Throws `ApiError` to refuse. */
  mutate?(attributes: AdmissionAttributes, object: KubeObject): KubeObject | Promise<KubeObject>
  /** Throws `ApiError` to refuse. */
  validate?(attributes: AdmissionAttributes): void | Promise<void>
}

/** What plugins may look up: objects as they are in memory now. */
export interface AdmissionView {
  get<T extends KubeObject = KubeObject>(resource: string, key: ObjectKey): Promise<T | undefined>
  list<T extends KubeObject = KubeObject>(resource: string, namespace?: string): Promise<readonly T[]>
}
