/** Tokens of an issuer outside the cluster: who their bearers are, by claims and expressions, as the server says. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { AUDIENCE, issuerKey, startTokenIssuer, type TestIssuer } from '../../../support/token-issuer.ts'
import { type Callers, eventually, openCallers } from './callers.ts'

const stack = new AsyncDisposableStack()
let plain: TestIssuer
let rich: TestIssuer
let callers: Callers

function configuration(): object {
  return {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'AuthenticationConfiguration',
    jwt: [
      {
        issuer: { url: plain.url, certificateAuthority: plain.ca, audiences: [AUDIENCE] },
        claimMappings: {
          username: { claim: 'email', prefix: 'oidc:' },
          groups: { claim: 'roles', prefix: 'oidc:' },
          uid: { claim: 'sub' },
        },
      },
      {
        issuer: {
          url: rich.url,
          certificateAuthority: rich.ca,
          audiences: [AUDIENCE, 'other'],
          audienceMatchPolicy: 'MatchAny',
        },
        claimValidationRules: [
          { claim: 'azp', requiredValue: 'web' },
          { expression: 'claims.exp - claims.iat <= 86400.0', message: 'a token lives a day at most' },
        ],
        claimMappings: {
          username: { expression: "claims.sub + '@' + claims.hd" },
          groups: {
            expression:
              "dyn(claims.teams).map(team, 'team:' + team) + (claims.?admin.orValue(false) ? ['admins'] : [])",
          },
          uid: { expression: 'claims.kubernetes__dot__io.id' },
          extra: [
            { key: 'example.com/tenant', valueExpression: 'claims.?tenant.orValue("")' },
            { key: 'example.com/scopes', valueExpression: "claims.scope.split(' ')" },
          ],
        },
        userValidationRules: [
          { expression: "!user.username.startsWith('system:')", message: 'reserved' },
          { expression: 'user.groups.all(group, group != "team:banned")', message: 'banned' },
        ],
      },
    ],
  }
}

const richClaims = {
  hd: 'example.com',
  azp: 'web',
  teams: ['red', 'blue'],
  'kubernetes.io': { id: 'u-1' },
  scope: 'read write',
  jti: 'token-1',
}

beforeAll(async () => {
  plain = stack.use(await startTokenIssuer())
  rich = stack.use(await startTokenIssuer())
  rich.keys = [issuerKey('RS256', 'rsa'), issuerKey('ES256', 'ec')]
  callers = stack.use(await openCallers({ config: configuration() }, (path) => ({ config: path('config') })))
  await reached(plain)
  await reached(rich)
})
afterAll(() => stack.disposeAsync())

/** Until the server knows where the issuer's keys are. */
async function reached(issuer: TestIssuer): Promise<void> {
  await eventually(async () => (issuer.asked.has('/.well-known/openid-configuration') ? true : undefined))
  await eventually(async () => {
    const token = await issuer.sign({ ...richClaims, email: 'probe' })
    return typeof (await callers.whoIs(token)) === 'number' ? undefined : true
  })
}

describe('claims', () => {
  test('name the user, with prefixes', async () => {
    const token = await plain.sign({ email: 'jane@example.com', email_verified: true, roles: ['dev', 'ops'], jti: 'x' })
    expect(await callers.whoIs(token)).toEqual({
      username: 'oidc:jane@example.com',
      uid: 'jane',
      groups: ['oidc:dev', 'oidc:ops', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/credential-id': ['JTI=x'] },
    })
  })

  for (const [behaviour, claims, expected] of [
    ['one role is a list of one', { roles: 'dev' }, ['oidc:dev', 'system:authenticated']],
    ['no role is no group', {}, ['system:authenticated']],
    ['a null is no group', { roles: null }, ['system:authenticated']],
  ] as const)
    test(behaviour, async () => {
      const token = await plain.sign({ email: 'jane', ...claims })
      expect(await callers.whoIs(token)).toMatchObject({ username: 'oidc:jane', groups: expected })
    })

  for (const [behaviour, claims, reason] of [
    ['an address that is not verified', { email: 'jane', email_verified: false }, 'oidc: email not verified'],
    ['a verification that is no boolean', { email: 'jane', email_verified: 'true' }, "parse 'email_verified' claim"],
    ['no name', {}, 'oidc: parse username claims \\"email\\": claim not present'],
    ['a name that is no text', { email: ['jane'] }, 'oidc: parse username claims'],
    ['an empty name', { email: '' }, 'oidc: empty username'],
    ['roles that are no texts', { email: 'jane', roles: [1] }, 'oidc: parse groups claim'],
    ['no uid', { email: 'jane', sub: undefined }, 'oidc: parse uid claim'],
  ] as const)
    test(`${behaviour}: refused`, async () => {
      const token = await plain.sign(claims)
      expect(await callers.whoIs(token)).toBe(401)
      expect(callers.logged()).toContain(reason)
      expect(callers.logged()).not.toContain(token)
    })
})

describe('expressions', () => {
  test('make name, groups, uid and extra', async () => {
    const token = await rich.sign({ ...richClaims, admin: true, aud: ['somebody', 'other'] })
    expect(await callers.whoIs(token)).toEqual({
      username: 'jane@example.com',
      uid: 'u-1',
      groups: ['team:red', 'team:blue', 'admins', 'system:authenticated'],
      extra: {
        'authentication.kubernetes.io/credential-id': ['JTI=token-1'],
        'example.com/scopes': ['read', 'write'],
      },
    })
  })

  test('of a token by another of the keys', async () => {
    const token = await rich.sign({ ...richClaims, tenant: 't' }, { key: rich.keys[1] ?? issuerKey('ES256', 'none') })
    expect(await callers.whoIs(token)).toMatchObject({ extra: { 'example.com/tenant': ['t'] } })
  })

  for (const [behaviour, claims, reason] of [
    ['a required claim is absent', { azp: undefined }, 'oidc: required claim azp not present in ID token'],
    ['a required claim is another', { azp: 'cli' }, 'Got = cli, want = web'],
    ['a rule says no', { iat: 0 }, 'failed: a token lives a day at most'],
    ['a rule cannot be evaluated', { iat: undefined }, 'resulted in error: no such key: iat'],
    ['a time is none', { iat: 'x' }, 'a time is no number of seconds'],
    ['the subject is no text', { sub: 7 }, 'the subject is no text'],
    ['the name is no text', { hd: 7 }, 'no such overload'],
    ['groups are no texts', { teams: 7 }, 'oidc: error evaluating group claim expression'],
    ['the uid is no text', { 'kubernetes.io': { id: 7 } }, 'uid claim expression must return a string'],
    ['extra cannot be evaluated', { scope: undefined }, "expression 'claims.scope.split(' ')' resulted in error"],
    ['the user is one of the system', { sub: 'system:admin' }, 'failed: reserved'],
    ['the user is of a group', { teams: ['banned'] }, 'failed: banned'],
  ] as const)
    test(`${behaviour}: refused`, async () => {
      expect(await callers.whoIs(await rich.sign({ ...richClaims, ...claims }))).toBe(401)
      expect(callers.logged()).toContain(reason)
    })
})

test('reviews say who it is, for the API server only, and why it is nobody', async () => {
  const token = await plain.sign({ email: 'jane' })
  const own = 'https://kubernetes.default.svc.cluster.local'
  const user = { username: 'oidc:jane', uid: 'jane', groups: ['system:authenticated'] }
  expect(await callers.review(token)).toEqual({ authenticated: true, user, audiences: [own] })
  expect(await callers.review(token, ['x', own])).toEqual({ authenticated: true, user, audiences: [own] })
  expect(await callers.review(token, [AUDIENCE])).toEqual({ user: {}, error: 'invalid bearer token' })
  const expired = await plain.sign({ email: 'jane', exp: 1 })
  expect(await callers.review(expired)).toEqual({
    user: {},
    error:
      '[invalid bearer token, oidc: verify token: oidc: token is expired (Token Expiry: 1970-01-01 00:00:01 +0000 UTC)]',
  })
})
