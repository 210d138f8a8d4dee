/** What is asked of an issuer, and when: its description until there is one, its keys as seldom as possible. */

import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { createFakeClock, type FakeClock } from '../../../../src/base/fake-clock.ts'
import { type Logger, silentLogger } from '../../../../src/base/log.ts'
import { createIssuer, type TokenIssuerClient } from '../../../../src/server/auth/oidc/issuer.ts'
import { AUDIENCE, issuerKey, startTokenIssuer, type TestIssuer } from '../../../support/token-issuer.ts'
import { eventually } from './callers.ts'

let stack: AsyncDisposableStack
let issuer: TestIssuer
let clock: FakeClock
let failures: string[]

beforeEach(async () => {
  stack = new AsyncDisposableStack()
  issuer = stack.use(await startTokenIssuer())
  clock = createFakeClock(systemClock.now())
  failures = []
})
afterEach(() => stack.disposeAsync())

function client(more: { readonly ca?: string; readonly discoveryUrl?: string } = {}): TokenIssuerClient {
  const stopping = new AbortController()
  stack.defer(() => stopping.abort())
  const log: Logger = { ...silentLogger, error: (_, fields) => void failures.push(String(fields?.reason)) }
  const metrics = { keysFetched: () => {}, verified: () => {} }
  const settings = { url: issuer.url, ca: issuer.ca, audiences: [AUDIENCE], ...more }
  return createIssuer(settings, { clock, log, metrics, signal: stopping.signal })
}

const asked = (path: string) => issuer.asked.get(path) ?? 0
const failed = (times: number) => eventually(async () => (failures.length >= times ? true : undefined))
const UNSIGNED = 'oidc: verify token: failed to verify signature: failed to verify id token signature'

test('an issuer that cannot be reached is tried again; until then its tokens are nobody’s', async () => {
  issuer.answer = (_, response) => {
    response.statusCode = 503
    response.end('not yet')
    return true
  }
  const { ready, verify } = client()
  await failed(1)
  await expect(verify(await issuer.sign())).rejects.toThrow('oidc: authenticator not initialized')
  await clock.advance(9_999)
  expect(asked('/.well-known/openid-configuration')).toBe(1)
  issuer.answer = undefined
  await clock.advance(1)
  await ready
  expect(await verify(await issuer.sign())).toMatchObject({ sub: 'jane' })
})

for (const [behaviour, document, reason] of [
  ['describes another', () => ({ issuer: 'https://other', jwks_uri: `${issuer.url}/keys` }), 'issuer did not match'],
  ['has no keys', () => ({ issuer: issuer.url }), 'provider did not return JWKS URL'],
  [
    'has keys in the clear',
    () => ({ issuer: issuer.url, jwks_uri: 'http://127.0.0.1/keys' }),
    'did not return JWKS URL',
  ],
  ['is no object', () => [], 'issuer did not match'],
  ['is too large', () => 'x'.repeat(2 ** 21), 'larger than'],
] as const)
  test(`a description that ${behaviour} is not taken`, async () => {
    issuer.answer = (_, response) => {
      response.end(JSON.stringify(document()))
      return true
    }
    const { verify } = client()
    await failed(1)
    expect(failures[0]).toContain(reason)
    await expect(verify(await issuer.sign())).rejects.toThrow('not initialized')
  })

test('redirects are not followed', async () => {
  issuer.answer = ({ url }, response) => {
    if (url === '/elsewhere') return false
    response.writeHead(302, { location: `${issuer.url}/elsewhere` })
    response.end()
    return true
  }
  client()
  await failed(1)
  expect(failures[0]).toContain('the service answered with 302')
  expect(asked('/elsewhere')).toBe(0)
})

test('an issuer with a certificate of somebody else is not asked', async () => {
  await using other = await startTokenIssuer()
  client({ ca: other.ca })
  await failed(1)
  expect(failures[0]).toContain('x509')
  expect(issuer.asked.size).toBe(0)
})

test('the description may be elsewhere', async () => {
  issuer.answer = ({ url }, response) => {
    if (url !== '/described/here') return false
    response.end(JSON.stringify({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }))
    return true
  }
  const { ready, verify } = client({ discoveryUrl: `${issuer.url}/described/here` })
  await ready
  expect(await verify(await issuer.sign())).toMatchObject({ sub: 'jane' })
  expect(asked('/.well-known/openid-configuration')).toBe(0)
})

test('a token of a new key has the keys fetched, at most every ten seconds', async () => {
  const { ready, verify } = client()
  await ready
  await verify(await issuer.sign())
  expect(asked('/keys')).toBe(1)
  issuer.keys = [issuerKey('ES256', 'second'), ...issuer.keys]
  const rotated = await issuer.sign()
  await expect(verify(rotated)).rejects.toThrow(UNSIGNED)
  expect(asked('/keys')).toBe(1)
  await clock.advance(10_000)
  expect(await verify(rotated)).toMatchObject({ sub: 'jane' })
  expect(asked('/keys')).toBe(2)
  for (let more = 0; more < 20; more++)
    await expect(verify(await issuer.sign({}, { header: { kid: `made up ${more}` } }))).rejects.toThrow(UNSIGNED)
  expect(asked('/keys')).toBe(2)
})

test('many tokens at once fetch keys once', async () => {
  const { ready, verify } = client()
  await ready
  const token = await issuer.sign()
  await Promise.all(Array.from({ length: 20 }, () => verify(token)))
  expect(asked('/keys')).toBe(1)
})

test('a key that is withdrawn is forgotten while others are used', async () => {
  const { ready, verify } = client()
  await ready
  const [leaked] = issuer.keys
  if (!leaked) throw new Error('there is a key')
  issuer.keys = [issuerKey('ES256', 'good'), leaked]
  await verify(await issuer.sign())
  const old = await issuer.sign({ sub: 'thief' }, { key: leaked })
  expect(await verify(old)).toMatchObject({ sub: 'thief' })
  issuer.keys = issuer.keys.slice(0, 1)
  await clock.advance(5 * 60_000 + 1)
  await verify(await issuer.sign({ exp: 99_999_999_999 }))
  await eventually(async () => (asked('/keys') === 2 ? true : undefined))
  await eventually(() =>
    verify(old).then(
      () => undefined,
      () => true,
    ),
  )
})

test('what is known of an issuer that is away stays good', async () => {
  const { ready, verify } = client()
  await ready
  await verify(await issuer.sign())
  issuer.answer = (_, response) => {
    response.destroy()
    return true
  }
  await clock.advance(20 * 60_000)
  const token = await issuer.sign({ exp: 99_999_999_999 })
  expect(await verify(token)).toMatchObject({ sub: 'jane' })
  await expect(verify(await issuer.sign({}, { key: issuerKey('ES256', 'new') }))).rejects.toThrow('oidc: verify token')
})

test('the clocks of issuer and server may differ by a minute at the beginning, not at the end', async () => {
  const { ready, verify } = client()
  await ready
  const now = Math.floor(clock.now() / 1_000)
  expect(await verify(await issuer.sign({ nbf: now + 60 }))).toBeDefined()
  await expect(verify(await issuer.sign({ nbf: now + 62 }))).rejects.toThrow('before the nbf (not before) time')
  expect(await verify(await issuer.sign({ exp: now + 1 }))).toBeDefined()
  await expect(verify(await issuer.sign({ exp: now - 1 }))).rejects.toThrow('oidc: token is expired')
})
