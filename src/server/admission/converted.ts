/** One object in the forms of several definitions: the same thing stored, under another group or version. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'

/** The object in the form of another definition of the same stored objects. Throws `ApiError`. */
export type Convert = (
  object: KubeObject,
  from: ResourceDefinition,
  to: ResourceDefinition,
) => KubeObject | Promise<KubeObject>

/** The same for objects that no webhook converts. */
export function converted(object: KubeObject, from: ResourceDefinition, to: ResourceDefinition): KubeObject {
  if (from === to) return object
  const stored = from.conversion?.toStored?.(object) ?? object
  const form = to.conversion?.fromStored(stored) ?? stored
  return { ...form, apiVersion: apiVersionOf(to), kind: to.kind }
}
