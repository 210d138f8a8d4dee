/** Names of drivers, pools, devices and of what a device has: attributes and capacities. */

import { type FieldError, type FieldPath, invalidValue, required, tooLong } from '../../machinery/meta/field-error.ts'
import { byteLength, isCIdentifier, isDns1123Subdomain, SUBDOMAIN_BYTES_MAX } from '../../machinery/meta/names.ts'
import { dnsSubdomainErrors, findingErrors } from '../field-rules.ts'
import { DRIVER_NAME_BYTES_MAX, IDENTIFIER_BYTES_MAX } from './device-limits.ts'

/** Domain, slash and identifier. */
const QUALIFIED_NAME_BYTES_MAX = DRIVER_NAME_BYTES_MAX + 1 + IDENTIFIER_BYTES_MAX

export function driverNameErrors(path: FieldPath, name: string | undefined): readonly FieldError[] {
  if (!name) return [required(path)]
  return [
    ...(byteLength(name) > DRIVER_NAME_BYTES_MAX ? [tooLong(path, DRIVER_NAME_BYTES_MAX)] : []),
    ...findingErrors(path, name, isDns1123Subdomain(name.toLowerCase())),
  ]
}

/** Subdomains with slashes between them. */
export function poolNameErrors(path: FieldPath, name: string | undefined): readonly FieldError[] {
  if (!name) return [required(path)]
  return [
    ...(byteLength(name) > SUBDOMAIN_BYTES_MAX ? [tooLong(path, SUBDOMAIN_BYTES_MAX)] : []),
    ...name.split('/').flatMap((part) => dnsSubdomainErrors(path, part)),
  ]
}

/** `identifier` or `domain/identifier`. */
export function attributeNameErrors(path: FieldPath, name: string): readonly FieldError[] {
  const [first = '', second, ...rest] = name.split('/')
  if (second === undefined) return identifierErrors(path, first)
  // Upstream lets names with more slashes pass, and objects with such names may be stored.
  if (rest.length > 0) return []
  return [
    ...(first === '' ? [invalidValue(path, '', 'the domain must not be empty')] : driverNameErrors(path, first)),
    ...(second === '' ? [invalidValue(path, '', 'the name must not be empty')] : identifierErrors(path, second)),
  ]
}

export function fullAttributeNameErrors(path: FieldPath, name: string): readonly FieldError[] {
  const detail = 'a fully qualified name must be a domain and a name separated by a slash'
  const errors = attributeNameErrors(path, name)
  return name.includes('/') ? errors : [...errors, invalidValue(path, name, detail)]
}

function identifierErrors(path: FieldPath, identifier: string): readonly FieldError[] {
  return [
    ...(byteLength(identifier) > IDENTIFIER_BYTES_MAX ? [tooLong(path, IDENTIFIER_BYTES_MAX)] : []),
    ...findingErrors(path, identifier, isCIdentifier(identifier)),
  ]
}

/** A key of a map as a path shows it: cut in the middle where it is longer than any valid one. */
export function shownKey(key: string): string {
  if (key.length <= QUALIFIED_NAME_BYTES_MAX) return key
  const remaining = QUALIFIED_NAME_BYTES_MAX - 3
  return `${key.slice(0, Math.floor((remaining + 1) / 2))}...${key.slice(key.length - Math.floor(remaining / 2))}`
}

const NORMAL_UID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

export function uidErrors(path: FieldPath, uid: string): readonly FieldError[] {
  if (NORMAL_UID.test(uid)) return []
  const bare = uid.replace(/^urn:uuid:/i, '').replace(/^\{(.*)\}$/, '$1')
  if (/^[0-9A-Fa-f]{32}$/.test(uid) || NORMAL_UID.test(bare.toLowerCase()))
    return [
      invalidValue(
        path,
        uid,
        'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` ' +
          'with lowercase hexadecimal characters',
      ),
    ]
  const lengths = [32, 36, 38, 45]
  const reason = lengths.includes(uid.length) ? 'invalid UUID format' : `invalid UUID length: ${uid.length}`
  return [invalidValue(path, uid, `error validating uid: ${reason}`)]
}
