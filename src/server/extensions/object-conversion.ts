/** Objects in the form of another version while a request is decided: by their definition's webhook if it has one. */

import { apiVersionOf } from '../../machinery/meta/group-version.ts'
import { type Convert, converted } from '../admission/converted.ts'
import { type ConversionParts, convertObjects } from './conversion-review.ts'
import type { ServedDefinitions } from './served-definitions.ts'

export function objectConversion(parts: ConversionParts, served: Pick<ServedDefinitions, 'originOf'>): Convert {
  return async (object, from, to) => {
    const crd = from === to ? undefined : served.originOf(from)
    if (crd?.spec.conversion?.strategy !== 'Webhook') return converted(object, from, to)
    const named = { ...object, kind: from.kind, apiVersion: apiVersionOf(from) }
    const [result = named] = await convertObjects(parts, crd, [named], apiVersionOf(to))
    return to.conversion?.fromStored(result) ?? result
  }
}
