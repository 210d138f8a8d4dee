/** Which writes are about a pod itself. */

import type { Pod } from '../../apis/core/types.gen.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { AdmissionAttributes } from '../registry/admission-hooks.ts'

/** The object of a write to the main resource `pods` is a pod. */
export function isPod({ definition, subresource }: AdmissionAttributes, object: KubeObject): object is Pod {
  return definition.group === '' && definition.resource === 'pods' && subresource === '' && object !== undefined
}
