import { describe, expect, test } from 'vitest'
import type { AuthenticationConfiguration, JwtAuthenticator } from './configuration.ts'
import { configurationErrors } from './configuration-errors.ts'

const issuer = { url: 'https://issuer.example.com', audiences: ['a'] }
const username = { claim: 'sub', prefix: '' }
const good: JwtAuthenticator = { issuer, claimMappings: { username } }

function errorsOf(configuration: AuthenticationConfiguration): readonly string[] {
  return configurationErrors(configuration, ['https://own']).map(({ path, message }) => `${path}: ${message}`)
}

const issuerWith = (more: object): JwtAuthenticator => ({ ...good, issuer: { ...issuer, ...more } })
const mappingWith = (more: object): JwtAuthenticator => ({ ...good, claimMappings: { username, ...more } })
const rulesOf = (...claimValidationRules: object[]): JwtAuthenticator => ({ ...good, claimValidationRules })

describe('taken:', () => {
  for (const [what, authenticator] of [
    ['claims', good],
    ['an expression for the name', mappingWith({ username: { expression: 'claims.sub' } })],
    ['a description elsewhere', issuerWith({ discoveryURL: 'https://inside/.well-known/openid-configuration' })],
    ['several audiences', issuerWith({ audiences: ['a', 'b'], audienceMatchPolicy: 'MatchAny' })],
    ['a policy for one audience', issuerWith({ audienceMatchPolicy: 'MatchAny' })],
    ['rules', rulesOf({ claim: 'a', requiredValue: 'b' }, { expression: 'claims.x == 1', message: 'm' })],
    [
      'a mail address that is known to be verified',
      mappingWith({ username: { expression: 'claims.?email_verified.orValue(true) ? claims.email : claims.sub' } }),
    ],
    [
      'a mail address, with a rule for its verification',
      {
        ...mappingWith({ username: { expression: 'claims.email' } }),
        claimValidationRules: [{ expression: 'claims.email_verified' + ' == true' }],
      },
    ],
    ['extra', mappingWith({ extra: [{ key: 'example.org/foo', valueExpression: 'claims.foo' }] })],
  ] as const)
    test(what, () => expect(errorsOf({ jwt: [authenticator] })).toEqual([]))
  test('nothing', () => expect(errorsOf({})).toEqual([]))
  test('nobody anonymous', () => expect(errorsOf({ anonymous: { enabled: false } })).toEqual([]))
})

const BOTH = "claim and expression can't both be set"
const MAIL =
  'jwt[0].claimMappings.username.expression: Invalid value: "claims.email": claims.email_verified must be used in ' +
  'claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression ' +
  'when claims.email is used in claimMappings.username.expression'
const compilation = (text: string) => `compilation failed: ERROR: <input>:1:${text}`

const refused: readonly (readonly [string, JwtAuthenticator, ...string[]])[] = [
  ['no URL', issuerWith({ url: '' }), 'issuer.url: Required value'],
  [
    'a URL in the clear',
    issuerWith({ url: 'http://x' }),
    'issuer.url: Invalid value: "http://x": URL scheme must be https',
  ],
  [
    'a URL with more than a place',
    issuerWith({ url: 'https://u:p@x/?q#f' }),
    'issuer.url: Invalid value: "https://u:p@x/?q#f": URL must not contain a username or password',
    'issuer.url: Invalid value: "https://u:p@x/?q#f": URL must not contain a query',
    'issuer.url: Invalid value: "https://u:p@x/?q#f": URL must not contain a fragment',
  ],
  [
    'the server itself',
    issuerWith({ url: 'https://own' }),
    'issuer.url: Invalid value: "https://own": URL must not overlap with disallowed issuers: [https://own]',
  ],
  [
    'a description at the same place',
    issuerWith({ discoveryURL: 'https://issuer.example.com/' }),
    'issuer.discoveryURL: Invalid value: "https://issuer.example.com/": discoveryURL must be different from URL',
  ],
  [
    'no audiences',
    issuerWith({ audiences: [] }),
    'issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required',
  ],
  [
    'audiences that are empty or there twice',
    issuerWith({ audiences: ['', 'a', 'a'], audienceMatchPolicy: 'MatchAny' }),
    'issuer.audiences[0]: Required value',
    'issuer.audiences[2]: Duplicate value: "a"',
  ],
  [
    'several audiences without a policy',
    issuerWith({ audiences: ['a', 'b'] }),
    'issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
  ],
  [
    'another policy',
    issuerWith({ audienceMatchPolicy: 'All' }),
    'issuer.audienceMatchPolicy: Invalid value: "All": audienceMatchPolicy must be empty or MatchAny for single audience',
  ],
  [
    'authorities that are none',
    issuerWith({ certificateAuthority: 'x' }),
    'issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates',
  ],
  [
    'a way out',
    issuerWith({ egressSelectorType: 'cluster' }),
    'issuer.egressSelectorType: Invalid value: "cluster": egress selector is not supported',
  ],
  ['a rule of nothing', rulesOf({}), 'claimValidationRules[0]: Required value: claim or expression is required'],
  [
    'a rule of both',
    rulesOf({ claim: 'a', expression: 'true' }),
    `claimValidationRules[0]: Invalid value: "a": ${BOTH}`,
  ],
  [
    'a claim with a message',
    rulesOf({ claim: 'a', message: 'm' }),
    'claimValidationRules[0].message: Invalid value: "m": may not be specified when claim is set',
  ],
  [
    'an expression with a value',
    rulesOf({ expression: 'true', requiredValue: 'v' }),
    'claimValidationRules[0].requiredValue: Invalid value: "v": may not be specified when expression is set',
  ],
  [
    'rules that are there twice',
    rulesOf({ claim: 'a' }, { claim: 'a' }, { expression: 'true' }, { expression: 'true' }),
    'claimValidationRules[1].claim: Duplicate value: "a"',
    'claimValidationRules[3].expression: Duplicate value: "true"',
  ],
  [
    'a rule that is no question',
    rulesOf({ expression: 'claims.foo' }),
    'claimValidationRules[0].expression: Invalid value: "claims.foo": must evaluate to bool',
  ],
  [
    'a rule over what is not there',
    rulesOf({ expression: 'user.username == "x"' }),
    'claimValidationRules[0].expression: Invalid value: "user.username == \\"x\\"": ' +
      compilation("1: undeclared reference to 'user' (in container '')"),
  ],
  ['no name', mappingWith({ username: {} }), 'claimMappings.username: Required value: claim or expression is required'],
  [
    'a claim without a prefix',
    mappingWith({ username: { claim: 'sub' } }),
    'claimMappings.username.prefix: Required value: prefix is required when claim is set. ' +
      'It can be set to an empty string to disable prefixing',
  ],
  [
    'an expression with a prefix',
    mappingWith({ groups: { expression: 'claims.groups', prefix: 'p' } }),
    'claimMappings.groups.prefix: Invalid value: "p": may not be specified when expression is set',
  ],
  [
    'claims and expressions',
    mappingWith({ username: { claim: 'a', expression: 'b', prefix: '' }, uid: { claim: 'a', expression: 'b' } }),
    `claimMappings.username: Invalid value: "": ${BOTH}`,
    `claimMappings.uid: Invalid value: "": ${BOTH}`,
  ],
  ['a mail address that anybody may claim', mappingWith({ username: { expression: 'claims.email' } }), MAIL],
  [
    'extra keys',
    mappingWith({
      extra: [
        { key: '', valueExpression: 'true' },
        { key: 'foo', valueExpression: 'true' },
        { key: 'example.org/Foo', valueExpression: 'true' },
        { key: 'a.k8s.io/foo', valueExpression: 'true' },
        { key: 'example.org/foo' },
        { key: 'example.org/foo', valueExpression: 'true' },
      ],
    }),
    'claimMappings.extra[0].key: Required value',
    'claimMappings.extra[1].key: Invalid value: "foo": must be a domain-prefixed path (such as "acme.io/foo")',
    'claimMappings.extra[2].key: Invalid value: "example.org/Foo": must be lowercase',
    'claimMappings.extra[3].key: Invalid value: "a.k8s.io/foo": ' +
      'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use',
    'claimMappings.extra[4].valueExpression: Required value',
    'claimMappings.extra[5].key: Duplicate value: "example.org/foo"',
  ],
  [
    'rules for users',
    {
      ...good,
      userValidationRules: [
        {},
        { expression: 'true' },
        { expression: 'true' },
        { expression: 'user.username' },
        { expression: 'user.unknown == "x"' },
      ],
    },
    'userValidationRules[0].expression: Required value',
    'userValidationRules[2].expression: Duplicate value: "true"',
    'userValidationRules[3].expression: Invalid value: "user.username": must evaluate to bool',
    'userValidationRules[4].expression: Invalid value: "user.unknown == \\"x\\"": ' +
      compilation("5: undefined field 'unknown'"),
  ],
]

describe('refused:', () => {
  for (const [what, authenticator, ...expected] of refused)
    test(what, () => {
      const found = errorsOf({ jwt: [authenticator] }).map((text) => text.split('\n')[0])
      expect(found).toEqual(expected.map((text) => (text.startsWith('jwt') ? text : `jwt[0].${text}`)))
    })

  test('an issuer that is there twice', () => {
    const twice = issuerWith({ discoveryURL: 'https://d' })
    expect(errorsOf({ jwt: [twice, twice] })).toEqual([
      'jwt[1].issuer.url: Duplicate value: "https://issuer.example.com"',
      'jwt[1].issuer.discoveryURL: Duplicate value: "https://d"',
    ])
  })

  test('more issuers than anybody needs', () => {
    expect(errorsOf({ jwt: Array.from({ length: 65 }, () => good) })).toEqual([
      'jwt: Too many: 65: must have at most 64 items',
    ])
  })

  test('places for nobody', () => {
    expect(errorsOf({ anonymous: { enabled: false, conditions: [{ path: '/livez' }] } })).toEqual([
      'anonymous.conditions: Invalid value: [{"path":"/livez"}]: enabled should be set to true when conditions are defined',
    ])
  })
})
