/** Rules for single fields that validators of many resources share, in upstream's words. */

import { isIPv4, isIPv6 } from 'node:net'
import { cidrContains, parseCidr, parseIp } from '../base/ip.ts'
import { type FieldError, type FieldPath, invalidValue, notSupported, required } from '../machinery/meta/field-error.ts'
import {
  type Findings,
  isDns1123Label,
  isDns1123Subdomain,
  isQualifiedName,
  isValidPortName,
  isValidPortNumber,
} from '../machinery/meta/names.ts'

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
  if (parseIp(ip)) return []
  return [invalidValue(path, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')]
}

export function ipv4Errors(path: FieldPath, ip: string): FieldError[] {
  return isIPv4(ip) ? [] : [invalidValue(path, ip, 'must be a valid IPv4 address')]
}

export function ipv6Errors(path: FieldPath, ip: string): FieldError[] {
  return isIPv6(ip) && parseIp(ip) ? [] : [invalidValue(path, ip, 'must be a valid IPv6 address')]
}

export function cidrErrors(path: FieldPath, cidr: string): FieldError[] {
  const parsed = parseCidr(cidr)
  if (parsed) {
    const exact = parseIp(cidr.slice(0, cidr.indexOf('/')))?.value === parsed.base
    return exact ? [] : [invalidValue(path, cidr, 'must not have bits set beyond the prefix length')]
  }
  return [invalidValue(path, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)')]
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

const STANDARD_FINALIZERS = ['kubernetes', 'foregroundDeletion', 'orphan']

/** Finalizers are qualified names; those without a domain are the system's own. */
export function finalizerNameErrors(path: FieldPath, name: string): FieldError[] {
  const errors = qualifiedNameErrors(path, name)
  if (name.includes('/') || STANDARD_FINALIZERS.includes(name)) return errors
  return [...errors, invalidValue(path, name, 'name is neither a standard finalizer name nor is it fully qualified')]
}
