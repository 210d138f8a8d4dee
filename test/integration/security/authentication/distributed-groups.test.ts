/** Groups that an issuer keeps elsewhere: asked for at the place that its token names, believed when signed. */

import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { silentLogger } from '../../../../src/base/log.ts'
import { createJsonWebTokens, type JsonWebTokens } from '../../../../src/server/auth/oidc/json-web-tokens.ts'
import { AUDIENCE, issuerKey, startTokenIssuer, type TestIssuer } from '../../../support/token-issuer.ts'

const stack = new AsyncDisposableStack()
let issuer: TestIssuer
let other: TestIssuer
let tokens: JsonWebTokens
/** What the endpoint was asked with, and what it answers. */
let asked: (string | undefined)[]
let answer: () => Promise<string>

beforeAll(async () => {
  issuer = stack.use(await startTokenIssuer())
  issuer.answer = (request: IncomingMessage, response) => {
    if (request.url !== '/groups') return false
    asked.push(request.headers.authorization)
    void answer().then((text) => response.end(text))
    return true
  }
  const stopping = new AbortController()
  stack.defer(() => stopping.abort())
  other = stack.use(await startTokenIssuer())
  const trusted = { url: issuer.url, certificateAuthority: `${issuer.ca}\n${other.ca}`, audiences: [AUDIENCE] }
  const claimMappings = { username: { claim: 'sub', prefix: '' }, groups: { claim: 'groups', prefix: 'sso:' } }
  const metrics = { keysFetched: () => {}, verified: () => {} }
  const parts = { clock: systemClock, log: silentLogger, metrics, signal: stopping.signal }
  tokens = createJsonWebTokens({ jwt: [{ issuer: trusted, claimMappings }] }, parts)
  await tokens.ready
})
beforeEach(() => {
  asked = []
  answer = () => issuer.sign({ groups: ['a', 'b'] })
})
afterAll(() => stack.disposeAsync())

const source = (more: object = {}) => ({
  _claim_names: { groups: 'src1' },
  _claim_sources: { src1: { endpoint: `${issuer.url}/groups`, access_token: 'open sesame', ...more } },
})
const groupsOf = async (claims: Record<string, unknown>) => (await tokens.verify(await issuer.sign(claims)))?.groups

test('are asked for with the token for that', async () => {
  expect(await groupsOf(source())).toEqual(['sso:a', 'sso:b'])
  expect(await groupsOf(source({ access_token: undefined }))).toEqual(['sso:a', 'sso:b'])
  expect(asked).toEqual(['Bearer open sesame', undefined])
})

test('may be signed by somebody else, who is asked for keys then', async () => {
  answer = () => other.sign({ groups: ['c'] })
  expect(await groupsOf(source())).toEqual(['sso:c'])
  expect(await groupsOf(source())).toEqual(['sso:c'])
  expect([...other.asked]).toEqual([
    ['/.well-known/openid-configuration', 1],
    ['/keys', 1],
  ])
})

describe('nobody is asked for', () => {
  for (const [what, claims, expected] of [
    ['groups that are in the token', () => ({ ...source(), groups: ['own'] }), ['sso:own']],
    ['other claims', () => ({ ...source(), _claim_names: { other: 'src1' } }), []],
    ['claims within the token', () => source({ endpoint: undefined, JWT: 'x' }), []],
  ] as const)
    test(what, async () => {
      expect(await groupsOf(claims())).toEqual(expected)
      expect(asked).toEqual([])
    })
})

describe('refused:', () => {
  for (const [what, claims, reason] of [
    ['names that are none', () => ({ ...source(), _claim_names: 'x' }), 'error parsing distributed claim names'],
    ['no sources', () => ({ _claim_names: { groups: 's' } }), 'no claim sources'],
    ['sources that are none', () => ({ ...source(), _claim_sources: 'x' }), 'could not parse claim sources'],
    [
      'a source that is not there',
      () => ({ ...source(), _claim_names: { groups: 'toString' } }),
      'id token _claim_names contained a source toString missing in _claims_sources',
    ],
    ['an endpoint in the clear', () => source({ endpoint: 'http://127.0.0.1/' }), 'is no https URL'],
    ['an endpoint that is not there', () => source({ endpoint: `${issuer.url}/none` }), 'answered with 404'],
  ] as const)
    test(what, async () => {
      await expect(groupsOf(claims())).rejects.toThrow(`oidc: could not expand distributed claims: `)
      await expect(groupsOf(claims())).rejects.toThrow(reason)
    })

  for (const [what, given, reason] of [
    ['an answer without groups', () => issuer.sign(), 'did not contain claim: groups'],
    ['an answer for others', () => issuer.sign({ groups: ['a'], aud: 'x' }), 'oidc: expected audience'],
    ['an answer that is over', () => issuer.sign({ groups: ['a'], exp: 1 }), 'oidc: token is expired'],
    ['an answer by a stranger', () => issuer.sign({}, { key: issuerKey('ES256', 'first') }), 'failed to verify'],
    ['an answer that is no token', async () => '{"groups":["a"]}', 'the answer names no issuer'],
    ['an answer of an issuer in the clear', () => issuer.sign({ iss: 'http://x' }), 'the answer names no issuer'],
  ] as const)
    test(what, async () => {
      answer = given
      await expect(groupsOf(source())).rejects.toThrow(reason)
    })
})

test('are not asked for of ever more issuers', async () => {
  let more = 0
  answer = () => issuer.sign({ iss: `${issuer.url}/${more++}` })
  const asking = Array.from({ length: 10 }, () => groupsOf(source()))
  await expect(Promise.any(asking.map(async (each) => each.catch(({ message }) => message)))).resolves.toContain(
    'oidc: could not expand distributed claims: there are too many issuers besides',
  )
})
