import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../base/random.ts'
import {
  type Findings,
  generateName,
  isCIdentifier,
  isConfigMapKey,
  isDns1035Label,
  isDns1123Label,
  isDns1123Subdomain,
  isDns1123SubdomainWithUnderscore,
  isEnvironmentName,
  isPathSegmentName,
  isQualifiedName,
  isStrictEnvironmentName,
  isValidLabelValue,
  isValidPercent,
  isValidPortName,
  isValidPortNumber,
  isWildcardDns1123Subdomain,
  nameIsDns1035Label,
  nameIsDns1123Subdomain,
} from './names.ts'

const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start " +
  "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end " +
  "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is " +
  "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
const LABEL_KEY =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character " +
  "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is " +
  "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
const LABEL_VALUE =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and " +
  "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is " +
  "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
const CONFIG_KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  " +
  "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"

const cases: readonly [string, (value: string) => Findings, string, Findings][] = [
  ['label', isDns1123Label, 'web-1', []],
  ['label', isDns1123Label, 'Web', [LABEL]],
  ['label', isDns1123Label, 'a.b', ['must not contain dots']],
  ['label', isDns1123Label, 'a'.repeat(64), ['must be no more than 63 characters']],
  ['label', isDns1123Label, 'a\n', [LABEL]],
  ['subdomain', isDns1123Subdomain, 'a.b-c.d', []],
  ['subdomain', isDns1123Subdomain, 'a..b', [SUBDOMAIN]],
  ['subdomain', isDns1123Subdomain, '', [SUBDOMAIN]],
  ['subdomain', isDns1123Subdomain, 'a'.repeat(254), ['must be no more than 253 characters']],
  ['search path', isDns1123SubdomainWithUnderscore, '_tcp.example.com', []],
  ['wildcard', isWildcardDns1123Subdomain, '*.example.com', []],
  ['service', isDns1035Label, 'web', []],
  [
    'service',
    isDns1035Label,
    '1web',
    [
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic " +
        "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for " +
        "validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
  ],
  ['label key', isQualifiedName, 'app', []],
  ['label key', isQualifiedName, 'example.com/App_1.x', []],
  ['label key', isQualifiedName, '', ['name part must be non-empty', `name part ${LABEL_KEY}`]],
  ['label key', isQualifiedName, '/a', ['prefix part must be non-empty']],
  ['label key', isQualifiedName, 'A/a', [`prefix part ${SUBDOMAIN}`]],
  ['label key', isQualifiedName, 'a'.repeat(64), ['name part must be no more than 63 bytes']],
  [
    'label key',
    isQualifiedName,
    'a/b/c',
    [`a valid label key ${LABEL_KEY} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`],
  ],
  ['label value', isValidLabelValue, '', []],
  ['label value', isValidLabelValue, '-a', [LABEL_VALUE]],
  ['label value', isValidLabelValue, 'a'.repeat(64), ['must be no more than 63 bytes']],
  ['port', isValidPortName, 'http', []],
  [
    'port',
    isValidPortName,
    '-1--2345678901234',
    [
      'must be no more than 15 characters',
      'must contain at least one letter (a-z)',
      'must not contain consecutive hyphens',
      'must not begin or end with a hyphen',
    ],
  ],
  ['variable', isEnvironmentName, 'my var!', []],
  ['variable', isEnvironmentName, '1A', []],
  [
    'variable',
    isEnvironmentName,
    'a=b',
    ["a valid environment variable name must consist only of printable ASCII characters other than '='"],
  ],
  ['variable', isEnvironmentName, '', ['environment variable name must be non-empty']],
  ['strict variable', isStrictEnvironmentName, 'A.b-c', []],
  ['config key', isConfigMapKey, 'a.b_c-D', []],
  ['config key', isConfigMapKey, 'a b', [CONFIG_KEY]],
  ['config key', isConfigMapKey, '..', ["must not be '..'"]],
  ['config key', isConfigMapKey, '..a', ["must not start with '..'"]],
  ['C identifier', isCIdentifier, '_a1', []],
  ['percent', isValidPercent, '25%', []],
  ['path segment', isPathSegmentName, 'system:node', []],
  ['path segment', isPathSegmentName, '..', ["may not be '..'"]],
  ['path segment', isPathSegmentName, 'a/b%', ["may not contain '/'", "may not contain '%'"]],
]

describe('rules', () => {
  test.each(cases)('%s: %3$s', (_what, rule, value, expected) => expect(rule(value)).toEqual(expected))
})

test('port numbers have a range', () => {
  expect(isValidPortNumber(65_535)).toEqual([])
  expect(isValidPortNumber(0)).toEqual(['must be between 1 and 65535, inclusive'])
})

test('a generateName may end with a dash', () => {
  expect(nameIsDns1123Subdomain('web-', true)).toEqual([])
  expect(nameIsDns1035Label('web-', true)).toEqual([])
  expect(nameIsDns1123Subdomain('web-', false)).toHaveLength(1)
})

test('generated names fit one label', () => {
  expect(generateName('web-', seededRandom(1))).toMatch(/^web-[bcdfghjklmnpqrstvwxz2456789]{5}$/)
  expect(generateName('a'.repeat(80), seededRandom(1))).toHaveLength(63)
})
