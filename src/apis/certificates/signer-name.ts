/** Names of signers: a domain and a path below it, `example.com/signer`. */

import { type FieldError, type FieldPath, invalidValue, required, tooLong } from '../../machinery/meta/field-error.ts'
import {
  byteLength,
  type Findings,
  isDns1123Label,
  isDns1123Subdomain,
  SUBDOMAIN_BYTES_MAX,
} from '../../machinery/meta/names.ts'

/** Bytes of a domain, of `<namespace>.<name>` below it, and of the slash and the dot. */
const SIGNER_NAME_BYTES_MAX = 253 + 63 + 253 + 2

export function signerNameErrors(path: FieldPath, name: string): readonly FieldError[] {
  if (name === '') return [required(path)]
  const [domain = '', rest, ...tooMany] = name.split('/')
  if (rest === undefined || tooMany.length > 0) {
    const detail = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    return [invalidValue(path, name, detail)]
  }
  const errors: FieldError[] = []
  if (byteLength(domain) > SUBDOMAIN_BYTES_MAX) errors.push(tooLong(path, SUBDOMAIN_BYTES_MAX))
  errors.push(...labelErrors(path, domain, isDns1123Label))
  if (!domain.includes('.')) {
    errors.push(invalidValue(path, domain, 'should be a domain with at least two segments separated by dots'))
  }
  errors.push(...labelErrors(path, rest, isDns1123Subdomain))
  if (byteLength(name) > SIGNER_NAME_BYTES_MAX) errors.push(tooLong(path, SIGNER_NAME_BYTES_MAX))
  return errors
}

/** Of the first label only that is wrong. */
function labelErrors(path: FieldPath, text: string, rule: (label: string) => Findings): readonly FieldError[] {
  const wrong = text.split('.').find((label) => rule(label).length > 0)
  if (wrong === undefined) return []
  return rule(wrong).map((finding) => invalidValue(path, text, `validating label ${JSON.stringify(wrong)}: ${finding}`))
}
