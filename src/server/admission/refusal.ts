/** How plugins refuse: 403, named as upstream names an object whose name is still to be made. */

import { type ApiError, forbiddenRequest } from '../../machinery/meta/api-error.ts'
import type { AdmissionAttributes } from '../registry/admission-hooks.ts'

export function refused(attributes: AdmissionAttributes, detail: string): ApiError {
  return forbiddenRequest(attributes.definition, nameOf(attributes), detail)
}

function nameOf({ name, object }: AdmissionAttributes): string {
  if (name !== '') return name
  return object?.metadata.name || object?.metadata.generateName || 'Unknown'
}

/** Several reasons as one text, each said once: `a`, `[a, b]`. */
export function reasonsText(reasons: readonly string[]): string {
  const texts = [...new Set(reasons)]
  return texts.length === 1 ? (texts[0] ?? '') : `[${texts.join(', ')}]`
}
