/**
 * Rules for names, keys and label values, in upstream's words: each rule answers the list of what is wrong,
 * empty when nothing is. Lengths are in bytes, though some messages call them characters, as upstream's do.
 */

import { type Random, randomSuffix } from '../../base/random.ts'

/** What is wrong with a value; empty: nothing. */
export type Findings = readonly string[]

const NONE: Findings = []

/** A rule for an object's name; `prefix` is true for a generateName, which gets a suffix. */
export type NameRule = (name: string, prefix: boolean) => Findings

const LABEL_FORMAT = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const SUBDOMAIN_FORMAT = `${LABEL_FORMAT}(\\.${LABEL_FORMAT})*`
const UNDERSCORE_LABEL_FORMAT = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const UNDERSCORE_SUBDOMAIN_FORMAT = `${UNDERSCORE_LABEL_FORMAT}(\\.${UNDERSCORE_LABEL_FORMAT})*`
const WILDCARD_FORMAT = `\\*\\.${SUBDOMAIN_FORMAT}`
const DNS_1035_FORMAT = '[a-z]([-a-z0-9]*[a-z0-9])?'
const LABEL_KEY_FORMAT = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE_FORMAT = `(${LABEL_KEY_FORMAT})?`
const ENV_NAME_FORMAT = '[-._a-zA-Z][-._a-zA-Z0-9]*'
const CONFIG_KEY_FORMAT = '[-._a-zA-Z0-9]+'
const C_IDENTIFIER_FORMAT = '[A-Za-z_][A-Za-z0-9_]*'
const PERCENT_FORMAT = '[0-9]+%'
const HEADER_FORMAT = '[-A-Za-z0-9]+'

const LOWERCASE_SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', " +
  'and must start and end with an alphanumeric character'

/** Bytes of a DNS label, of a label value and of the name part of a label key. */
const LABEL_BYTES_MAX = 63
/** Bytes of a DNS subdomain and of a key in a ConfigMap or Secret. */
export const SUBDOMAIN_BYTES_MAX = 253
const PORT_NAME_BYTES_MAX = 15

/** A name that generateName completes is at most this long: 58 + 5 random characters = one DNS label. */
const GENERATED_BASE_LENGTH_MAX = 58
const GENERATED_SUFFIX_LENGTH = 5

const whole = (format: string): RegExp => new RegExp(`^(?:${format})$`)
const patterns = {
  label: whole(LABEL_FORMAT),
  subdomain: whole(SUBDOMAIN_FORMAT),
  underscoreSubdomain: whole(UNDERSCORE_SUBDOMAIN_FORMAT),
  wildcard: whole(WILDCARD_FORMAT),
  dns1035: whole(DNS_1035_FORMAT),
  labelKey: whole(LABEL_KEY_FORMAT),
  labelValue: whole(LABEL_VALUE_FORMAT),
  envName: whole(ENV_NAME_FORMAT),
  configKey: whole(CONFIG_KEY_FORMAT),
  cIdentifier: whole(C_IDENTIFIER_FORMAT),
  percent: whole(PERCENT_FORMAT),
  header: whole(HEADER_FORMAT),
}

/** `message (e.g. 'a',  or 'b', regex used for validation is '…')`: the double blank is upstream's. */
function regexFinding(message: string, format: string, ...examples: readonly string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${format}')`
  const shown = examples.map((example) => `'${example}', `).join(' or ')
  return `${message} (e.g. ${shown}regex used for validation is '${format}')`
}

export function byteLength(text: string): number {
  return Buffer.byteLength(text)
}

const tooManyCharacters = (limit: number): string => `must be no more than ${limit} characters`
const tooManyBytes = (limit: number): string => `must be no more than ${limit} bytes`

// What the patterns take is ASCII: its characters are bytes.

export function isDns1123Label(value: string): Findings {
  const fits = patterns.label.test(value)
  if (fits && value.length <= LABEL_BYTES_MAX) return NONE
  const findings = byteLength(value) > LABEL_BYTES_MAX ? [tooManyCharacters(LABEL_BYTES_MAX)] : []
  if (fits) return findings
  if (patterns.subdomain.test(value)) return [...findings, 'must not contain dots']
  const message =
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', " +
    'and must start and end with an alphanumeric character'
  return [...findings, regexFinding(message, LABEL_FORMAT, 'my-name', '123-abc')]
}

export function isDns1123Subdomain(value: string): Findings {
  const fits = patterns.subdomain.test(value)
  if (fits && value.length <= SUBDOMAIN_BYTES_MAX) return NONE
  const findings = byteLength(value) > SUBDOMAIN_BYTES_MAX ? [tooManyCharacters(SUBDOMAIN_BYTES_MAX)] : []
  if (fits) return findings
  return [...findings, regexFinding(LOWERCASE_SUBDOMAIN, SUBDOMAIN_FORMAT, 'example.com')]
}

/** A subdomain whose labels may begin with and contain underscores: DNS search paths. */
export function isDns1123SubdomainWithUnderscore(value: string): Findings {
  const findings = byteLength(value) > SUBDOMAIN_BYTES_MAX ? [tooManyCharacters(SUBDOMAIN_BYTES_MAX)] : []
  if (patterns.underscoreSubdomain.test(value)) return findings
  const message =
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', " +
    'and must start and end with an alphanumeric character'
  return [...findings, regexFinding(message, UNDERSCORE_SUBDOMAIN_FORMAT, 'example.com')]
}

export function isWildcardDns1123Subdomain(value: string): Findings {
  const findings = byteLength(value) > SUBDOMAIN_BYTES_MAX ? [tooManyCharacters(SUBDOMAIN_BYTES_MAX)] : []
  if (patterns.wildcard.test(value)) return findings
  const message =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, " +
    "which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
  return [...findings, regexFinding(message, WILDCARD_FORMAT, '*.example.com')]
}

export function isDns1035Label(value: string): Findings {
  const findings = byteLength(value) > LABEL_BYTES_MAX ? [tooManyCharacters(LABEL_BYTES_MAX)] : []
  if (patterns.dns1035.test(value)) return findings
  const message =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', " +
    'start with an alphabetic character, and end with an alphanumeric character'
  return [...findings, regexFinding(message, DNS_1035_FORMAT, 'my-name', 'abc-123')]
}

const LABEL_KEY_FINDING = regexFinding(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  LABEL_KEY_FORMAT,
  'MyName',
  'my.name',
  '123-abc',
)

/** A label key: `name` or `prefix.example.com/name`. Also for finalizers, taints, resource names, condition types. */
export function isQualifiedName(value: string): Findings {
  if (value.length <= LABEL_BYTES_MAX && patterns.labelKey.test(value)) return NONE
  const parts = value.split('/')
  if (parts.length > 2) {
    const shape = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
    return [`a valid label key ${LABEL_KEY_FINDING}${shape}`]
  }
  const name = parts.at(-1) ?? ''
  const findings = parts.length === 2 ? prefixFindings(parts[0] ?? '') : []
  if (name === '') findings.push('name part must be non-empty')
  else if (byteLength(name) > LABEL_BYTES_MAX) findings.push(`name part ${tooManyBytes(LABEL_BYTES_MAX)}`)
  if (!patterns.labelKey.test(name)) findings.push(`name part ${LABEL_KEY_FINDING}`)
  return findings
}

function prefixFindings(prefix: string): string[] {
  if (prefix === '') return ['prefix part must be non-empty']
  const findings: string[] = []
  if (byteLength(prefix) > SUBDOMAIN_BYTES_MAX) findings.push(`prefix part ${tooManyBytes(SUBDOMAIN_BYTES_MAX)}`)
  if (!patterns.subdomain.test(prefix))
    findings.push(`prefix part ${regexFinding(LOWERCASE_SUBDOMAIN, SUBDOMAIN_FORMAT, 'example.com')}`)
  return findings
}

export function isValidLabelValue(value: string): Findings {
  const fits = patterns.labelValue.test(value)
  if (fits && value.length <= LABEL_BYTES_MAX) return NONE
  const findings = byteLength(value) > LABEL_BYTES_MAX ? [tooManyBytes(LABEL_BYTES_MAX)] : []
  if (fits) return findings
  const message =
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', " +
    'and must start and end with an alphanumeric character'
  return [...findings, regexFinding(message, LABEL_VALUE_FORMAT, 'MyValue', 'my_value', '12345')]
}

/** A port's name (IANA_SVC_NAME). */
export function isValidPortName(value: string): Findings {
  const findings: string[] = []
  if (byteLength(value) > PORT_NAME_BYTES_MAX) findings.push(tooManyCharacters(PORT_NAME_BYTES_MAX))
  if (!/^[-a-z0-9]+$/.test(value))
    findings.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) findings.push('must contain at least one letter (a-z)')
  if (value.includes('--')) findings.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) findings.push('must not begin or end with a hyphen')
  return findings
}

export function isValidPortNumber(port: number): Findings {
  return isInRange(port, 1, 65_535)
}

export function isInRange(value: number, low: number, high: number): Findings {
  return value >= low && value <= high ? [] : [`must be between ${low} and ${high}, inclusive`]
}

/** An environment variable's name under the relaxed rule that is the default since 1.34. */
export function isEnvironmentName(value: string): Findings {
  if (value === '') return ['environment variable name must be non-empty']
  if (/^[ -<>-~]+$/.test(value)) return []
  return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** The strict rule, still asked for where a shell must be able to read the name. */
export function isStrictEnvironmentName(value: string): Findings {
  const message =
    'a valid environment variable name must consist of alphabetic characters, digits, ' +
    "'_', '-', or '.', and must not start with a digit"
  const findings = patterns.envName.test(value)
    ? []
    : [regexFinding(message, ENV_NAME_FORMAT, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1')]
  return [...findings, ...parentDirectoryFindings(value)]
}

/** A key in a ConfigMap or Secret: it becomes a file name. */
export function isConfigMapKey(value: string): Findings {
  const fits = patterns.configKey.test(value)
  if (fits && value.length <= SUBDOMAIN_BYTES_MAX) return parentDirectoryFindings(value)
  const findings = byteLength(value) > SUBDOMAIN_BYTES_MAX ? [tooManyCharacters(SUBDOMAIN_BYTES_MAX)] : []
  const message = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
  if (!fits) findings.push(regexFinding(message, CONFIG_KEY_FORMAT, 'key.name', 'KEY_NAME', 'key-name'))
  return [...findings, ...parentDirectoryFindings(value)]
}

function parentDirectoryFindings(value: string): Findings {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}

export function isCIdentifier(value: string): Findings {
  if (patterns.cIdentifier.test(value)) return []
  const message =
    "a valid C identifier must start with alphabetic character or '_', " +
    "followed by a string of alphanumeric characters or '_'"
  return [regexFinding(message, C_IDENTIFIER_FORMAT, 'my_name', 'MY_NAME', 'MyName')]
}

export function isValidPercent(value: string): Findings {
  if (patterns.percent.test(value)) return []
  const message = "a valid percent string must be a numeric string followed by an ending '%'"
  return [regexFinding(message, PERCENT_FORMAT, '1%', '93%')]
}

export function isHttpHeaderName(value: string): Findings {
  if (patterns.header.test(value)) return []
  const message = "a valid HTTP header must consist of alphanumeric characters or '-'"
  return [regexFinding(message, HEADER_FORMAT, 'X-Header-Name')]
}

/** A name that only has to fit into one segment of a path: RBAC objects. */
export function isPathSegmentName(name: string, prefix = false): Findings {
  if (!prefix && (name === '.' || name === '..')) return [`may not be '${name}'`]
  return ['/', '%'].filter((text) => name.includes(text)).map((text) => `may not contain '${text}'`)
}

export const nameIsDns1123Subdomain: NameRule = (name, prefix) =>
  isDns1123Subdomain(prefix ? maskTrailingDash(name) : name)
export const nameIsDns1123Label: NameRule = (name, prefix) => isDns1123Label(prefix ? maskTrailingDash(name) : name)
export const nameIsDns1035Label: NameRule = (name, prefix) => isDns1035Label(prefix ? maskTrailingDash(name) : name)
export const nameIsPathSegment: NameRule = (name, prefix) => isPathSegmentName(name, prefix)

/** `web-` is a fine generateName: judge it as if its suffix were there. */
function maskTrailingDash(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name
}

/** `base` cut to fit one DNS label, and 5 random characters. */
export function generateName(base: string, random: Random): string {
  return base.slice(0, GENERATED_BASE_LENGTH_MAX) + randomSuffix(random, GENERATED_SUFFIX_LENGTH)
}
