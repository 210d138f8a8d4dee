/** A webhook's patch applied to the object it was shown: in form again, with defaults, and as the request has it. */

import { scaleReplicas } from '../../../apis/scale-object.ts'
import { messageOf } from '../../../base/error-text.ts'
import { internalError } from '../../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import { applyJsonPatch } from '../../../machinery/patch/json-patch.ts'
import { canonical } from '../../../machinery/schema/canonical.ts'
import { checkFields } from '../../../machinery/schema/decode.ts'
import type { Convert } from '../converted.ts'
import type { ReviewSubject } from './review.ts'

/** Throws 500: a patch that does not fit is the cluster's fault, not the caller's. */
export async function patchedObject(
  subject: ReviewSubject,
  shown: KubeObject,
  patch: unknown,
  convert: Convert,
): Promise<KubeObject> {
  try {
    return await inRequestForm(subject, asObject(applyJsonPatch(shown, patch)), convert)
  } catch (error) {
    throw internalError(messageOf(error))
  }
}

function asObject(value: unknown): KubeObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('the patched object is no object')
  const metadata: unknown = Reflect.get(value, 'metadata')
  return { ...value, metadata: typeof metadata === 'object' && metadata !== null ? metadata : {} }
}

/** An object in the form the subject was shown in, canonical and with defaults, as the request has it. Throws. */
export async function inRequestForm(
  { attributes, definition }: ReviewSubject,
  patched: KubeObject,
  convert: Convert,
): Promise<KubeObject> {
  const { object, subresource } = attributes
  const { scale } = attributes.definition
  if (subresource === 'scale' && scale !== undefined && object !== undefined)
    return scale.withReplicas(object, scaleReplicas(patched))
  if (patched.kind !== definition.kind) return patched
  checkFields(patched, definition.schema)
  const inForm = canonical(patched, definition.schema)
  return convert(canonical(definition.default(inForm), definition.schema), definition, attributes.definition)
}
