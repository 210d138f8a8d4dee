import { describe, expect, test } from 'vitest'
import { claimMapping } from './claim-mapping.ts'
import type { ClaimMappings, JwtAuthenticator } from './configuration.ts'
import { configurationErrors } from './configuration-errors.ts'
import type { Claims } from './id-token.ts'

const issuer = { url: 'https://issuer.example.com', audiences: ['a'] }

function userOf(authenticator: Omit<JwtAuthenticator, 'issuer'>, claims: Claims) {
  const whole = { issuer, ...authenticator }
  expect(configurationErrors({ jwt: [whole] }, [])).toEqual([])
  return claimMapping(whole)(claims)
}

const name = { username: { expression: 'claims.sub' } }
const mapped = (more: ClaimMappings, claims: Claims) => userOf({ claimMappings: { ...name, ...more } }, claims)

const podToken: Claims = {
  sub: 'system:serviceaccount:default:web',
  jti: 'ea28ed49',
  'kubernetes.io': {
    namespace: 'default',
    node: { name: '127.0.0.1', uid: '8a60-1' },
    pod: { name: 'web-0', uid: '5e0b-2' },
    serviceaccount: { name: 'web', uid: 'cde1-3' },
    warnafter: 1_700_081_020,
  },
}

describe('the token of a service account of another cluster', () => {
  const prefix = 'test.x-kubernetes.io'
  const authenticator = {
    claimValidationRules: [
      {
        expression:
          'claims.sub == ("system:serviceaccount:" + claims.kubernetes__dot__io.namespace + ":" + ' +
          'claims.kubernetes__dot__io.serviceaccount.name)',
      },
      { expression: 'has(claims.kubernetes__dot__io.pod.uid)' },
      { expression: 'claims["kubernetes.io"]["node"]["uid"] != ""' },
      { expression: 'claims[?"kubernetes.io"]["node"]["ip"].orValue(true)' },
    ],
    claimMappings: {
      ...name,
      uid: { expression: 'claims.kubernetes__dot__io.serviceaccount.uid' },
      groups: { expression: '["all", "of:" + claims.kubernetes__dot__io.namespace]' },
      extra: [
        { key: `${prefix}/pod`, valueExpression: 'claims.kubernetes__dot__io.pod.name' },
        { key: `${prefix}/id`, valueExpression: '"JTI=" + claims.jti' },
        { key: `${prefix}/warn`, valueExpression: 'string(int(claims.kubernetes__dot__io.warnafter))' },
      ],
    },
    userValidationRules: [
      { expression: '"all" in user.groups && user.groups.size() == 2 && user.uid != ""' },
      { expression: `user.extra["${prefix}/pod"][0].startsWith("web")` },
      { expression: 'user.extra.test__dot__x__dash__kubernetes__dot__io__slash__pod[0] == "web-0"' },
    ],
  }

  test('makes a user', () => {
    expect(userOf(authenticator, podToken)).toEqual({
      name: 'system:serviceaccount:default:web',
      uid: 'cde1-3',
      groups: ['all', 'of:default'],
      extra: {
        'authentication.kubernetes.io/credential-id': ['JTI=ea28ed49'],
        [`${prefix}/pod`]: ['web-0'],
        [`${prefix}/id`]: ['JTI=ea28ed49'],
        [`${prefix}/warn`]: ['1700081020'],
      },
    })
  })

  test('can be revoked by a rule', () => {
    const revoked = `user.extra[?'authentication.kubernetes.io/credential-id'][0].orValue('') in ["JTI=ea28ed49"]`
    const rule = { expression: `!(${revoked})`, message: 'it is revoked' }
    const stricter = { ...authenticator, userValidationRules: [rule] }
    expect(() => userOf(stricter, podToken)).toThrow('failed: it is revoked')
    expect(userOf(stricter, { ...podToken, jti: 'other' })).toHaveProperty('name')
  })
})

describe('groups', () => {
  for (const [what, groups, claims, expected] of [
    ['a text', 'claims.g', { g: 'a' }, ['a']],
    ['a list', 'claims.g', { g: ['a', 'b'] }, ['a', 'b']],
    ['empty texts are none', 'claims.g', { g: ['', 'b', ''] }, ['b']],
    ['an empty text is none', 'claims.g', { g: '' }, []],
    ['a null is none', 'claims.g', { g: null }, []],
    ['a list within a list', 'claims.data[0].groups__dot__io', { data: [{ 'groups.io': ['a'] }] }, ['a']],
    ['what is perhaps not there', 'claims.?g.h.orValue(["a"])', {}, ['a']],
    ['parts of a text', 'claims.g.split(",")', { g: 'a,b' }, ['a', 'b']],
  ] as const)
    test(what, () => {
      expect(mapped({ groups: { expression: groups } }, { sub: 's', ...claims }).groups).toEqual(expected)
    })

  for (const [what, claims, reason] of [
    ['a number', { g: 1 }, 'expression must return a string or a list of strings'],
    ['numbers', { g: ['a', 1] }, 'expression must return a string or a list of strings'],
    ['a map', { g: { a: 'b' } }, 'expression must return a string or a list of strings'],
    ['nothing', {}, "expression 'claims.g' resulted in error: no such key: g"],
  ] as const)
    test(`${what}: refused`, () => {
      expect(() => mapped({ groups: { expression: 'claims.g' } }, { sub: 's', ...claims })).toThrow(
        `oidc: error evaluating group claim expression: ${reason}`,
      )
    })
})

describe('rules', () => {
  const ruled = (expression: string, claims: Claims) =>
    userOf({ claimMappings: name, claimValidationRules: [{ expression, message: 'no' }] }, { sub: 's', ...claims })

  test('look at all audiences', () => {
    const rule = 'sets.equivalent(claims.aud, ["a", "b"])'
    expect(ruled(rule, { aud: ['b', 'a'] })).toEqual({ name: 's', groups: [] })
    expect(() => ruled(rule, { aud: ['a'] })).toThrow(`validation expression '${rule}' failed: no`)
  })

  test('of users see what is not there as empty', () => {
    const userValidationRules = [
      { expression: 'user.uid == "" && user.groups.size() == 0 && !("a" in user.extra)' },
      { expression: 'has(user.uid) && has(user.groups) && has(user.extra)' },
    ]
    expect(userOf({ claimMappings: name, userValidationRules }, { sub: 's' })).toEqual({ name: 's', groups: [] })
  })
})

test('an id that is no text names no credential', () => {
  expect(mapped({}, { sub: 's', jti: 7 })).toEqual({ name: 's', groups: [] })
})

test('claims of every object are claims of nobody', () => {
  for (const claim of ['toString', 'constructor', '__proto__'])
    expect(() => mapped({ uid: { claim } }, { sub: 's' })).toThrow('claim not present')
})
