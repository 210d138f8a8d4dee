/**
 * What differs between two servers, or two runs, without meaning: identifiers, times, chance. Each rule stands
 * here once; a value it applies to becomes a word in angle brackets, the same on both sides.
 */

import { byCodeUnit } from '../../src/base/group-by.ts'
import { isRecord } from './values.ts'

const UUID = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g
/** Times of this run; those that a case sends lie in other years. */
const NOW_SECONDS = new RegExp(
  `\\b${new Date(performance.timeOrigin).getUTCFullYear()}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ`,
  'g',
)
const NOW_FINER = new RegExp(
  `\\b${new Date(performance.timeOrigin).getUTCFullYear()}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)(Z|[+-]\\d\\d:\\d\\d)`,
  'g',
)
const TOKEN = /\beyJ[\w-]+\.[\w-]+\.[\w-]+/g
const SERVER_ADDRESS = /127\.0\.0\.1:\d{4,5}\b/g
/** What changed, of objects as Go prints them: below the sentence that says what may not change. */
const GO_DIFF = /\n(@@ |[-+ ] ?\t)[\s\S]*$/g
/** From the range of the services, but for the two that every cluster has. */
const SERVICE_ADDRESS = /\b10\.164\.(?!0\.(?:1|10)\b)\d+\.\d+\b/g
/** Of OpenAPI documents: of their bytes, whose order is not compared. */
const DOCUMENT_HASH = /\bhash=[0-9A-F]{128}\b/g
const CERTIFICATE = /\bX509SHA256=[0-9a-f]{64}\b/g
const ACCOUNT_VOLUME = /\bkube-api-access-[a-z0-9]{5}\b/g
const REVISION_IN_TEXT = /(resource version|resourceVersion|current): ?"?\d+"?/g

/** Names that only Go has: of types, and of structs that are embedded in others. */
const GO_TYPE = /(Go (?:struct field [^"]*|value)) of type [\w.[\]]+/g
const GO_EMBEDDED = /(?<=Go struct field \w+(?:\.\w+)*)\.[A-Z]\w+(?=\.)/g

const TEXT_RULES: readonly (readonly [RegExp, string])[] = [
  [GO_DIFF, '<diff>'],
  [GO_EMBEDDED, ''],
  [GO_TYPE, '$1 of type <type>'],
  [UUID, '<uid>'],
  [NOW_FINER, '<now, fraction>'],
  [NOW_SECONDS, '<now>'],
  [TOKEN, '<token>'],
  [SERVER_ADDRESS, '<server>'],
  [SERVICE_ADDRESS, '<service address>'],
  [DOCUMENT_HASH, 'hash=<hash>'],
  [CERTIFICATE, 'X509SHA256=<fingerprint>'],
  [ACCOUNT_VOLUME, 'kube-api-access-<generated>'],
  [REVISION_IN_TEXT, '$1: <revision>'],
]

/** Fields whose value is chosen by the server, by name, with what the value looks like then. */
const FIELD_RULES: Readonly<Record<string, readonly [looks: RegExp, word: string]>> = {
  resourceVersion: [/^[1-9]\d*$/, '<revision>'],
  continue: [/^.+$/, '<continue token>'],
  serverAddress: [/^.+:\d+$/, '<server>'],
  nodePort: [/^3[0-2]\d{3}$/, '<node port>'],
  healthCheckNodePort: [/^3[0-2]\d{3}$/, '<node port>'],
  buildDate: [/^.+$/, '<date>'],
  compiler: [/^.+$/, '<compiler>'],
  goVersion: [/^.+$/, '<version>'],
  gitCommit: [/^.+$/, '<commit>'],
  platform: [/^.+$/, '<platform>'],
}

/** Cells of a table that are ages: of objects that this run made. */
const AGE = /^(\d+[dhms]){1,2}$/

/** Headers that say something to a client. Of those with `?` only the presence is compared. */
const HEADERS = [
  'allow',
  'audit-id?',
  'cache-control',
  'content-type',
  'etag?',
  'expires?',
  'last-modified?',
  'location',
  'retry-after',
  'vary',
  'warning',
  'www-authenticate',
  'x-content-type-options',
]

export function steadyText(text: string): string {
  return TEXT_RULES.reduce((steady, [pattern, word]) => steady.replace(pattern, word), withoutComposites(text))
}

const COMPOSITE = /(?:Invalid|Unsupported|Duplicate) value: (?=[{[]|null\b)/g

/**
 * Objects and lists inside of messages: upstream prints them with the names that Go has for their fields, and a list
 * without items as `null` or `[]`, as Go happens to have it.
 */
function withoutComposites(text: string): string {
  let result = ''
  let rest = 0
  for (const match of text.matchAll(COMPOSITE)) {
    const start = match.index + match[0].length
    if (start < rest) continue
    result += `${text.slice(rest, start)}<value>`
    rest = endOfComposite(text, start)
  }
  return result + text.slice(rest)
}

/** Where the JSON value that begins at `start` has ended. */
function endOfComposite(text: string, start: number): number {
  let depth = 0
  if (text.startsWith('null', start)) return start + 'null'.length
  for (const { 0: token, index } of text.slice(start).matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]]/g)) {
    if (token === '{' || token === '[') depth++
    else if (token === '}' || token === ']') depth--
    if (depth === 0) return start + index + token.length
  }
  return text.length
}

/** What the documents of t8s say of metrics.k8s.io, which it serves itself and upstream leaves to an add-on. */
const OWN_PATHS = /^(?:\/?apis\/metrics\.k8s\.io|io\.k8s\.metrics\.)/

function isOwnGroup(item: unknown): boolean {
  if (typeof item === 'string') return OWN_PATHS.test(item)
  if (!isRecord(item)) return false
  return item.name === 'metrics.k8s.io' || (isRecord(item.metadata) && item.metadata.name === 'metrics.k8s.io')
}

/** A JSON value with every volatile part replaced. */
export function steady(value: unknown, field = ''): unknown {
  if (Array.isArray(value) && field === 'managedFields') return value.map((item) => steady(item)).toSorted(byManager)
  if (Array.isArray(value) && RULES.has(field)) return value.map((item) => steady(item)).toSorted(byText)
  if (Array.isArray(value))
    return value.filter((item) => !isOwnGroup(item)).map((item) => steady(item, field === 'cells' ? 'cell' : ''))
  if (isRecord(value)) return steadyObject(value)
  if (typeof value !== 'string' && typeof value !== 'number') return value
  const rule = Object.hasOwn(FIELD_RULES, field) ? FIELD_RULES[field] : undefined
  if (rule?.[0].test(String(value))) return rule[1]
  if (typeof value === 'number') return value
  return field === 'cell' && AGE.test(value) ? '<age>' : steadyText(value)
}

/** What someone may do comes in the order of a map. */
const RULES = new Set(['resourceRules', 'nonResourceRules'])

function byText(left: unknown, right: unknown): number {
  return byCodeUnit(JSON.stringify(left), JSON.stringify(right))
}

/** The entries stand in the order of their times, and a second may begin between two servers' answers. */
function byManager(left: unknown, right: unknown): number {
  const nameOf = (entry: unknown) =>
    isRecord(entry) ? `${entry.manager} ${entry.operation} ${entry.subresource} ${entry.apiVersion}` : ''
  return byCodeUnit(nameOf(left), nameOf(right))
}

function steadyObject(value: Readonly<Record<string, unknown>>): unknown {
  const { name, generateName } = value
  const generated = typeof generateName === 'string' && typeof name === 'string' && name.startsWith(generateName)
  const compared = Object.entries(value).filter(([key]) => !OWN_PATHS.test(key))
  return Object.fromEntries(
    compared.map(([key, child]) => {
      if (key === 'name' && generated) return [key, `${generateName}<generated>`]
      return [key, steady(child, key)]
    }),
  )
}

/** Kinds whose conditions upstream's API server writes itself, some time after a write: ours is asked without its controllers. */
const CONTROLLED_KINDS: ReadonlySet<unknown> = new Set(['APIService', 'FlowSchema'])

/** The answer to a write of the main resource, which leaves the conditions to those controllers. */
export function withoutControlled(object: unknown): unknown {
  if (!isRecord(object) || !CONTROLLED_KINDS.has(object.kind) || !isRecord(object.status)) return object
  return { ...object, status: { ...object.status, conditions: undefined } }
}

export function steadyHeaders(headers: Readonly<Record<string, string | readonly string[]>>): Record<string, unknown> {
  return Object.fromEntries(
    HEADERS.flatMap((entry): readonly (readonly [string, unknown])[] => {
      const name = entry.replace('?', '')
      const value = Object.hasOwn(headers, name) ? headers[name] : undefined
      if (value === undefined) return []
      if (entry.endsWith('?')) return [[name, '<there>']]
      return [[name, typeof value === 'string' ? steadyText(value) : value.map(steadyText)]]
    }),
  )
}
