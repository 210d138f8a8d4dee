import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { findings, row, type Sent, statusFindings } from '../../../test/support/findings.ts'
import { MANDATORY_FLOWS, MANDATORY_LEVELS, SUGGESTED_FLOWS, SUGGESTED_LEVELS } from './built-in-flows.ts'
import { flowSchemas } from './flow-schema.ts'
import { priorityLevelConfigurations } from './priority-level-configuration.ts'

interface BootstrapFacts {
  readonly flowSchemas: readonly { readonly name: string; readonly spec: object }[]
  readonly priorityLevels: readonly { readonly name: string; readonly spec: object }[]
}

const factsText = readFileSync(new URL('../../../openapi/facts/bootstrap.json', import.meta.url), 'utf8')
const facts = JSON.parse(factsText) as BootstrapFacts
const specs = (list: BootstrapFacts['flowSchemas']) => Object.fromEntries(list.map(({ name, spec }) => [name, spec]))

describe('what the server makes by itself', () => {
  test('is what the facts say', () => {
    expect({ ...MANDATORY_FLOWS, ...SUGGESTED_FLOWS }).toEqual(specs(facts.flowSchemas))
    expect({ ...MANDATORY_LEVELS, ...SUGGESTED_LEVELS }).toEqual(specs(facts.priorityLevels))
  })

  test.each(facts.flowSchemas)('flow schema $name is valid', ({ name, spec }) => {
    expect(findings(flowSchemas, { metadata: { name }, spec })).toEqual([])
  })

  test.each(facts.priorityLevels)('priority level $name is valid', ({ name, spec }) => {
    expect(findings(priorityLevelConfigurations, { metadata: { name }, spec })).toEqual([])
  })
})

describe('flow schemas', () => {
  const subjects = [{ kind: 'User', user: { name: 'jane' } }]
  const nonResourceRules = [{ verbs: ['get'], nonResourceURLs: ['/healthz'] }]
  const complete = { priorityLevelConfiguration: { name: 'a' }, rules: [{ subjects, nonResourceRules }] }
  const schema = (spec: object, name = 'b'): Sent => ({ metadata: { name }, spec })
  const rule = (parts: object) => ({ rules: [{ subjects, nonResourceRules, ...parts }] })

  test.each<readonly [string, object, readonly string[]]>([
    ['a complete one', {}, []],
    [
      'no level',
      { priorityLevelConfiguration: { name: '' } },
      ['FieldValueRequired spec.priorityLevelConfiguration.name: Required value: must reference a priority level'],
    ],
    [
      'the first place',
      { matchingPrecedence: 1 },
      [
        'FieldValueInvalid spec.matchingPrecedence: Invalid value: 1: ' +
          "only the schema named 'exempt' may have matchingPrecedence 1",
      ],
    ],
    [
      'a place behind the last',
      { matchingPrecedence: 10_001, distinguisherMethod: { type: 'ByMoon' } },
      [
        'FieldValueInvalid spec.matchingPrecedence: Invalid value: 10001: must not be greater than 10000',
        'FieldValueNotSupported spec.distinguisherMethod.type: Unsupported value: {"Type":"ByMoon"}: ' +
          'supported values: "ByNamespace", "ByUser"',
      ],
    ],
    [
      'a rule about nothing and nobody',
      rule({ subjects: [], nonResourceRules: [] }),
      [
        'FieldValueRequired spec.rules[0].subjects: Required value: subjects must contain at least one value',
        'FieldValueRequired spec.rules[0]: Required value: ' +
          'at least one of resourceRules and nonResourceRules has to be non-empty',
      ],
    ],
    [
      'subjects of other kinds than they say',
      rule({
        subjects: [
          { kind: 'User', group: { name: 'g' } },
          { kind: 'Group', group: { name: '' }, user: { name: 'u' } },
          { kind: 'ServiceAccount', serviceAccount: { name: '*' } },
          { kind: 'Robot' },
        ],
      }),
      [
        'FieldValueRequired spec.rules[0].subjects[0].user: Required value: user is required when subject kind ' +
          "is 'User'",
        'FieldValueForbidden spec.rules[0].subjects[0].group: Forbidden: group is forbidden when subject kind ' +
          "is not 'Group'",
        'FieldValueRequired spec.rules[0].subjects[1].group.name: Required value',
        'FieldValueForbidden spec.rules[0].subjects[1].user: Forbidden: user is forbidden when subject kind is ' +
          "not 'User'",
        'FieldValueRequired spec.rules[0].subjects[2].serviceAccount.namespace: Required value: must specify ' +
          'namespace for service account',
        'FieldValueNotSupported spec.rules[0].subjects[3].kind: Unsupported value: "Robot": supported values: ' +
          '"Group", "ServiceAccount", "User"',
      ],
    ],
    [
      'resource rules that say too little',
      rule({ resourceRules: [{}] }),
      [
        'FieldValueRequired spec.rules[0].resourceRules[0].verbs: Required value: verbs must contain at least ' +
          'one value',
        'FieldValueRequired spec.rules[0].resourceRules[0].apiGroups: Required value: resource rules must ' +
          'supply at least one api group',
        'FieldValueRequired spec.rules[0].resourceRules[0].resources: Required value: resource rules must ' +
          'supply at least one resource',
        'FieldValueRequired spec.rules[0].resourceRules[0].namespaces: Required value: resource rules that are ' +
          'not cluster scoped must supply at least one namespace',
      ],
    ],
    [
      'stars beside others and unknown verbs',
      rule({
        resourceRules: [
          { verbs: ['fly'], apiGroups: ['*', 'a'], resources: ['*', 'a'], namespaces: ['*', 'a'] },
          { verbs: ['*', 'get'], apiGroups: ['a'], resources: ['a'], namespaces: ['A'] },
        ],
      }),
      [
        'FieldValueNotSupported spec.rules[0].resourceRules[0].verbs: Unsupported value: ["fly"]: supported ' +
          'values: "create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch"',
        'FieldValueInvalid spec.rules[0].resourceRules[0].apiGroups: Invalid value: ["*","a"]: if \'*\' is ' +
          'present, must not specify other api groups',
        'FieldValueInvalid spec.rules[0].resourceRules[0].resources: Invalid value: ["*","a"]: if \'*\' is ' +
          'present, must not specify other resources',
        'FieldValueInvalid spec.rules[0].resourceRules[0].namespaces: Invalid value: ["*","a"]: if \'*\' is ' +
          'present, must not specify other namespaces',
        'FieldValueInvalid spec.rules[0].resourceRules[1].verbs: Invalid value: ["*","get"]: if \'*\' is ' +
          'present, must not specify other verbs',
        expect.stringContaining(
          'FieldValueInvalid spec.rules[0].resourceRules[1].namespaces[0]: Invalid value: "A": each member of ' +
            "this list must be '*' or a DNS-1123 label; a lowercase",
        ),
      ],
    ],
    [
      'paths that cannot be',
      rule({
        nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['', '/', 'a', '/a b', '/a//b', '/*/a', '/a/*'] }],
      }),
      [
        ['', 0, 'must not be empty'],
        ['a', 2, 'must start with slash'],
        ['/a b', 3, 'must not contain white-space'],
        ['/a//b', 4, 'must not contain double slash'],
        ['/*/a', 5, 'wildcard can only do suffix matching'],
      ].map(
        ([url, index, finding]) =>
          `FieldValueInvalid spec.rules[0].nonResourceRules[0].nonResourceURLs[${index}]: Invalid value: ` +
          `"${url}": ${finding}`,
      ),
    ],
  ])('%s', (_, change, expected) => {
    expect(findings(flowSchemas, schema({ ...complete, ...change }))).toEqual(expected)
  })

  test('that must exist must be as they are', () => {
    expect(findings(flowSchemas, schema(complete, 'catch-all'))).toEqual([
      expect.stringContaining("spec of 'catch-all' must equal the fixed value"),
    ])
  })

  test('show whether their level is there', () => {
    expect(row(flowSchemas, schema(complete))).toMatchObject({ MatchingPrecedence: 1000, MissingPL: '?' })
    const status = { conditions: [{ type: 'Dangling', status: 'False' }] }
    expect(row(flowSchemas, { ...schema(complete), status })).toMatchObject({ MissingPL: 'False' })
  })

  test('are shown in the order in which they are asked', () => {
    const named = (name: string, matchingPrecedence: number) => ({
      metadata: { name },
      spec: { priorityLevelConfiguration: { name: 'l' }, matchingPrecedence },
    })
    const ordered = [named('b', 5), named('a', 7), named('a', 5)].toSorted(
      (left, right) => flowSchemas.tableOrder?.(left, right) ?? 0,
    )
    expect(ordered.map(({ metadata, spec }) => [metadata.name, spec.matchingPrecedence])).toEqual([
      ['a', 5],
      ['b', 5],
      ['a', 7],
    ])
  })

  test('have each condition once', () => {
    const status = { conditions: [{ type: 'A' }, { type: 'A' }, {}] }
    expect(statusFindings(flowSchemas.status, { ...schema(complete), status }, schema(complete))).toEqual([
      'FieldValueDuplicate status.conditions[1].type: Duplicate value: "A"',
      'FieldValueRequired status.conditions[2].type: Required value',
    ])
  })
})

describe('priority levels', () => {
  const level = (spec: object, name = 'a'): Sent => ({ metadata: { name }, spec })
  const queued = (queuing: object) => ({
    type: 'Limited',
    limited: { limitResponse: { type: 'Queue', queuing } },
  })

  test('get the defaults of the API', () => {
    expect(priorityLevelConfigurations.default(level(queued({ queues: 16 })) as never).spec).toEqual({
      type: 'Limited',
      limited: {
        nominalConcurrencyShares: 30,
        lendablePercent: 0,
        limitResponse: { type: 'Queue', queuing: { queues: 16, handSize: 8, queueLengthLimit: 50 } },
      },
    })
  })

  test.each<readonly [string, object, readonly string[]]>([
    ['no type', { type: '' }, ['FieldValueRequired spec.type: Required value']],
    [
      'an unknown type',
      { type: 'Free' },
      ['FieldValueNotSupported spec.type: Unsupported value: "Free": supported values: "Exempt", "Limited"'],
    ],
    [
      'another exempt one',
      { type: 'Exempt', limited: {} },
      [
        "FieldValueInvalid spec.type: Invalid value: \"Exempt\": must be 'Exempt' if and only if `name` is 'exempt'",
        'FieldValueForbidden spec.limited: Forbidden: must be nil if the type is not Limited',
      ],
    ],
    [
      'a limited one without limits',
      { type: 'Limited', exempt: {} },
      [
        'FieldValueForbidden spec.exempt: Forbidden: must be nil if the type is Limited',
        'FieldValueRequired spec.limited: Required value: must not be empty when type is Limited',
      ],
    ],
    [
      'numbers out of range',
      {
        type: 'Limited',
        limited: {
          nominalConcurrencyShares: -1,
          lendablePercent: 101,
          borrowingLimitPercent: -1,
          limitResponse: { type: 'Reject', queuing: {} },
        },
      },
      [
        'FieldValueInvalid spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
        'FieldValueForbidden spec.limited.limitResponse.queuing: Forbidden: must be nil if ' +
          'limited.limitResponse.type is not Limited',
        'FieldValueInvalid spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
        'FieldValueInvalid spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a ' +
          'non-negative integer',
      ],
    ],
    [
      'more hands than queues',
      queued({ queues: 4 }),
      [
        'FieldValueInvalid spec.limited.limitResponse.queuing.handSize: Invalid value: 8: should not be ' +
          'greater than queues (4)',
      ],
    ],
    [
      'more hands than a hash has bits for',
      queued({ queues: 1024 }),
      [
        'FieldValueInvalid spec.limited.limitResponse.queuing.handSize: Invalid value: 8: ' +
          'required entropy bits of deckSize 1024 and handSize 8 should not be greater than 60',
      ],
    ],
    [
      'negative queues',
      queued({ queues: -1, handSize: -1, queueLengthLimit: -1 }),
      ['queueLengthLimit', 'queues', 'handSize'].map(
        (field) => `FieldValueInvalid spec.limited.limitResponse.queuing.${field}: Invalid value: -1: must be positive`,
      ),
    ],
  ])('%s', (_, spec, expected) => {
    expect(findings(priorityLevelConfigurations, level(spec))).toEqual(expected)
  })

  test('that must exist must be as they are, but for the shares of the exempt one', () => {
    const exempt = { type: 'Exempt', exempt: { nominalConcurrencyShares: 10, lendablePercent: 50 } }
    expect(findings(priorityLevelConfigurations, level(exempt, 'exempt'))).toEqual([])
    const reject = { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } }
    expect(findings(priorityLevelConfigurations, level(reject, 'catch-all'))).toEqual([
      expect.stringContaining("spec of 'catch-all' must equal the fixed value"),
    ])
  })
})
