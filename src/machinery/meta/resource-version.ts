/** Resource versions that clients send. To clients they are opaque; here they are revisions. */

import { badRequest } from './api-error.ts'
import { fieldErrorsText, invalidValue, rootPath } from './field-error.ts'

/** Revisions are doubles here; upstream's are unsigned 64-bit. No store counts that far. */
const RESOURCE_VERSION_MAX = 2n ** 64n - 1n

/**
 * `''` and `'0'` are 0: unset, and "any will do" where lists tell them apart. Throws 400 for what is no number, with
 * `prefix` before the finding.
 */
export function parseResourceVersion(text: string | undefined, prefix = ''): number {
  if (text === undefined || text === '') return 0
  const finding = numberFinding(text)
  if (finding === undefined) return Number(text)
  const error = invalidValue(rootPath.child('resourceVersion'), text, finding)
  throw badRequest(`${prefix}${fieldErrorsText([error])}`)
}

function numberFinding(text: string): string | undefined {
  const quoted = JSON.stringify(text)
  if (!/^[0-9]+$/.test(text)) return `strconv.ParseUint: parsing ${quoted}: invalid syntax`
  if (text.length > 20 || BigInt(text) > RESOURCE_VERSION_MAX)
    return `strconv.ParseUint: parsing ${quoted}: value out of range`
  return undefined
}
