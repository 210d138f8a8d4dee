/** Rules for single fields that validators of many resources share, in upstream's words. */

import { cidrContains, formatCidr, formatIp, parseCidr, parseIp } from '../base/ip.ts'
import { type FieldError, type FieldPath, invalidValue, notSupported, required } from '../machinery/meta/field-error.ts'
import {
  type Findings,
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  isValidPortName,
  isValidPortNumber,
} from '../machinery/meta/names.ts'
import { finalizerOwner } from '../machinery/meta/validate-meta.ts'

/** One error per finding of a rule. */
export function findingErrors(path: FieldPath, value: unknown, findings: Findings): FieldError[] {
  return findings.map((finding) => invalidValue(path, value, finding))
}

export function nonNegative(path: FieldPath, value: number | undefined): FieldError[] {
  return (value ?? 0) < 0 ? [invalidValue(path, value, 'must be greater than or equal to 0')] : []
}

export function positive(path: FieldPath, value: number): FieldError[] {
  return value > 0 ? [] : [invalidValue(path, value, 'must be greater than 0')]
}

/** Required, and one of the choices. */
export function oneOf(path: FieldPath, value: string | undefined, choices: readonly string[]): FieldError[] {
  if (!value) return [required(path)]
  return choices.includes(value) ? [] : [notSupported(path, value, choices)]
}

export function dnsLabelErrors(path: FieldPath, value: string): FieldError[] {
  return findingErrors(path, value, isDns1123Label(value))
}

export function dnsSubdomainErrors(path: FieldPath, value: string): FieldError[] {
  return findingErrors(path, value, isDns1123Subdomain(value))
}

export function qualifiedNameErrors(path: FieldPath, value: string): FieldError[] {
  return findingErrors(path, value, isQualifiedName(value))
}

const HTTP_PATH_FORMAT = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const httpPath = new RegExp(`^${HTTP_PATH_FORMAT}$`)

/** `acme.io/foo`: a domain and a path below it. */
export function domainPrefixedPathErrors(path: FieldPath, value: string): FieldError[] {
  if (value === '') return [required(path)]
  const slash = value.indexOf('/')
  if (slash <= 0 || slash === value.length - 1)
    return [invalidValue(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  const errors = dnsSubdomainErrors(path, value.slice(0, slash))
  const rest = value.slice(slash + 1)
  if (httpPath.test(rest)) return errors
  return [...errors, invalidValue(path, rest, `Invalid path (regex used for validation is '${HTTP_PATH_FORMAT}')`)]
}

export function portNumberErrors(path: FieldPath, port: number): FieldError[] {
  return findingErrors(path, port, isValidPortNumber(port))
}

/** A port by number or by the name of a container's port. */
export function portOrNameErrors(path: FieldPath, port: number | string): FieldError[] {
  return typeof port === 'number' ? portNumberErrors(path, port) : findingErrors(path, port, isValidPortName(port))
}

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'] as const

export function protocolErrors(path: FieldPath, protocol: string | undefined): FieldError[] {
  return oneOf(path, protocol, PROTOCOLS)
}

export function ipErrors(path: FieldPath, ip: string): FieldError[] {
  const address = parseIp(ip)
  if (address) return isMapped(address) ? [invalidValue(path, ip, 'must not be an IPv4-mapped IPv6 address')] : []
  if (parseIp(withoutLeadingZeros(ip))) return [invalidValue(path, ip, 'must not have leading 0s')]
  return [invalidValue(path, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
}

/** What is taken, and has a better spelling. */
export function ipWarnings(path: FieldPath, ip: string): readonly string[] {
  const address = parseIp(ip)
  if (address?.family !== 6) return []
  const canonical = formatIp(6, address.value)
  if (canonical === ip) return []
  return [`${path}: IPv6 address "${ip}" should be in RFC 5952 canonical format ("${canonical}")`]
}

/** `::ffff:10.9.8.7` and its other spellings: to some programs an IPv4 address, to others not. */
function isMapped({ family, value }: { readonly family: 4 | 6; readonly value: bigint }): boolean {
  return family === 6 && value >> 32n === 0xffffn
}

/** Leading zeros make an octet octal to some programs and not to others. */
function withoutLeadingZeros(address: string): string {
  return address.replace(/(^|[.:/])0+(?=\d)/g, '$1')
}

/** In the one spelling that there should be. */
export function canonicalIpErrors(path: FieldPath, ip: string): FieldError[] {
  const errors = ipErrors(path, ip)
  const address = parseIp(ip)
  if (errors.length > 0 || !address) return errors
  const canonical = formatIp(address.family, address.value)
  return canonical === ip ? [] : [invalidValue(path, ip, `must be in canonical form ("${canonical}")`)]
}

export function cidrErrors(path: FieldPath, cidr: string): FieldError[] {
  const parsed = parseCidr(cidr)
  const address = parsed && parseIp(cidr.slice(0, cidr.indexOf('/')))
  if (!parsed || !address) {
    const hasZeros = parseCidr(withoutLeadingZeros(cidr)) !== undefined
    if (hasZeros) return [invalidValue(path, cidr, 'must not have leading 0s in IP or prefix length')]
    return [invalidValue(path, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
  }
  if (isMapped(address)) return [invalidValue(path, cidr, 'must not have an IPv4-mapped IPv6 address')]
  if (address.value === parsed.base) return []
  return [invalidValue(path, cidr, 'must not have bits set beyond the prefix length')]
}

export function canonicalCidrErrors(path: FieldPath, cidr: string): FieldError[] {
  const errors = cidrErrors(path, cidr)
  const parsed = parseCidr(cidr)
  if (errors.length > 0 || !parsed || formatCidr(parsed) === cidr) return errors
  return [invalidValue(path, cidr, `must be in canonical form ("${formatCidr(parsed)}")`)]
}

export function cidrWarnings(path: FieldPath, cidr: string): readonly string[] {
  const parsed = parseCidr(cidr)
  if (parsed?.family !== 6 || formatCidr(parsed) === cidr) return []
  return [`${path}: IPv6 CIDR value "${cidr}" should be in RFC 5952 canonical format ("${formatCidr(parsed)}")`]
}

/** Ranges in which no service or endpoint can be; the first that contains an address names the problem. */
const SPECIAL_RANGES: readonly (readonly [finding: string, ...blocks: string[]])[] = [
  ['may not be unspecified (0.0.0.0 or ::)', '0.0.0.0/32', '::/128'],
  ['may not be in the loopback range (127.0.0.0/8, ::1/128)', '127.0.0.0/8', '::1/128'],
  ['may not be in the link-local range (169.254.0.0/16, fe80::/10)', '169.254.0.0/16', 'fe80::/10'],
  ['may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)', '224.0.0.0/24', 'ff02::/16'],
]

export function specialIpErrors(path: FieldPath, ip: string): FieldError[] {
  const containing = SPECIAL_RANGES.filter(([, ...blocks]) => blocks.some((block) => isInBlock(block, ip)))
  return containing.map(([finding]) => invalidValue(path, ip, finding))
}

function isInBlock(block: string, ip: string): boolean {
  const cidr = parseCidr(block)
  return cidr !== undefined && cidrContains(cidr, ip)
}

/** Finalizers are qualified names; those without a domain are the system's own. */
export function finalizerNameErrors(path: FieldPath, name: string): FieldError[] {
  return [...qualifiedNameErrors(path, name), ...finalizerOwner(path, name)]
}
