/** Tokens that want to be taken for an issuer's and are not; keys that change; an issuer that cannot be reached. */

import { createHmac, createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  AUDIENCE,
  issuerKey,
  publicJwk,
  startTokenIssuer,
  type TestIssuer,
  usualClaims,
} from '../../../support/token-issuer.ts'
import { type Callers, eventually, openCallers } from './callers.ts'

const stack = new AsyncDisposableStack()
let issuer: TestIssuer
let callers: Callers
const stranger = issuerKey('ES256', 'first')

beforeAll(async () => {
  issuer = stack.use(await startTokenIssuer())
  issuer.keys = [issuerKey('ES256', 'first'), issuerKey('RS256', 'rsa')]
  const jwt = {
    issuer: { url: issuer.url, certificateAuthority: issuer.ca, audiences: [AUDIENCE] },
    claimMappings: { username: { claim: 'sub', prefix: '' }, groups: { claim: 'groups', prefix: '' } },
  }
  const config = { apiVersion: 'apiserver.config.k8s.io/v1beta1', kind: 'AuthenticationConfiguration', jwt: [jwt] }
  callers = stack.use(await openCallers({ config }, (path) => ({ config: path('config') })))
  await eventually(async () => ((await callers.whoIs(await issuer.sign())) === 401 ? undefined : true))
})
afterAll(() => stack.disposeAsync())

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const claims = (more: object = {}) => ({ ...usualClaims(issuer.url), groups: ['system:masters'], ...more })

function keyOf(index: number) {
  const key = issuer.keys[index]
  if (!key) throw new Error('there is no such key')
  return key
}

/** Signed with a text that everybody can read, as if it were a secret. */
function confused(algorithm: string, secret: string | Buffer): string {
  const head = `${encoded({ alg: algorithm, kid: 'rsa' })}.${encoded(claims())}`
  return `${head}.${createHmac(`sha${algorithm.slice(2)}`, secret)
    .update(head)
    .digest('base64url')}`
}

const publicPem = () => createPublicKey(keyOf(1).privateKey).export({ type: 'spki', format: 'pem' }).toString()
const publicDer = () => createPublicKey(keyOf(1).privateKey).export({ type: 'spki', format: 'der' })

type Forger = () => string | Promise<string>

const hostile: Readonly<Record<string, Forger>> = {
  'no algorithm': () => `${encoded({ alg: 'none' })}.${encoded(claims())}.`,
  'no algorithm, in other letters': () => `${encoded({ alg: 'nOnE' })}.${encoded(claims())}.`,
  'no algorithm, with a signature': async () =>
    `${encoded({ alg: 'none' })}.${(await issuer.sign(claims())).split('.').slice(1).join('.')}`,
  'no header at all': () => `.${encoded(claims())}.`,
  'a secret that is the public key as text': () => confused('HS256', publicPem()),
  'a secret that is the public key as bytes': () => confused('HS512', publicDer()),
  'an algorithm of the other kind of key': async () => issuer.sign(claims(), { key: { ...keyOf(0), id: 'rsa' } }),
  'the key of a stranger': () => issuer.sign(claims(), { key: stranger }),
  'the key of a stranger, without an id': () => issuer.sign(claims(), { key: stranger, header: { kid: undefined } }),
  'the key of a stranger in its header': async () =>
    issuer.sign(claims(), { key: stranger, header: { jwk: await publicJwk(stranger) } }),
  'the address of keys in its header': () =>
    issuer.sign(claims(), { key: stranger, header: { jku: `${issuer.url}/evil`, x5u: `${issuer.url}/evil` } }),
  'a certificate in its header': () => issuer.sign(claims(), { key: stranger, header: { x5c: ['MIIB'] } }),
  'a key id that is a path': () => issuer.sign(claims(), { key: stranger, header: { kid: '../../../dev/null' } }),
  'a key id that is no text': () => issuer.sign(claims(), { key: stranger, header: { kid: ['first'] } as never }),
  'extensions that must be understood': () =>
    issuer
      .sign(claims(), { header: { crit: ['b64'], b64: true } })
      .catch(() => `${encoded({ alg: 'ES256', crit: ['x'] })}.${encoded(claims())}.AA`),
  'another payload under a good signature': async () => {
    const [header, , signature] = (await issuer.sign()).split('.')
    return `${header}.${encoded(claims())}.${signature}`
  },
  'an issuer that is another': () => issuer.sign(claims({ iss: `${issuer.url}/` })),
  'no issuer': () => issuer.sign(claims({ iss: undefined })),
  'an issuer in a list': () => issuer.sign(claims({ iss: [issuer.url] })),
  'the issuer of service accounts': () => issuer.sign(claims({ iss: 'https://kubernetes.default.svc.cluster.local' })),
  'the old issuer of service accounts': () => issuer.sign(claims({ iss: 'kubernetes/serviceaccount' })),
  'another audience': () => issuer.sign(claims({ aud: 'other' })),
  'no audience': () => issuer.sign(claims({ aud: undefined })),
  'an audience that contains the right one': () => issuer.sign(claims({ aud: `${AUDIENCE}x` })),
  'an audience of another type': () => issuer.sign(claims({ aud: { [AUDIENCE]: true } })),
  'an end in the past': () => issuer.sign(claims({ exp: Math.floor(Date.parse('2026-01-01') / 1_000) })),
  'no end': () => issuer.sign(claims({ exp: undefined })),
  'an end that is a text': () => issuer.sign(claims({ exp: '99999999999' })),
  'a beginning in the future': () => issuer.sign(claims({ nbf: Number(usualClaims('').exp) })),
  'a token in the token': async () => {
    const inner = await issuer.sign(claims())
    return `${encoded({ alg: 'ES256', cty: 'JWT' })}.${Buffer.from(inner).toString('base64url')}.AA`
  },
  'a fourth part': async () => `${await issuer.sign(claims())}.x`,
  encryption: () => `${encoded({ alg: 'dir', enc: 'A256GCM' })}..AA.AA.AA`,
  'JSON in place of parts': () => encoded({ payload: encoded(claims()), signatures: [] }),
  'a payload that is no JSON': () => `${encoded({ alg: 'ES256' })}.AAAA.AA`,
  'a payload that is a list': () => `${encoded({ alg: 'ES256' })}.${encoded([claims()])}.AA`,
  'a payload without a prototype to trust': () => issuer.sign(JSON.parse('{"__proto__":{"sub":"root"},"sub":null}')),
  depth: () => `${encoded({ alg: 'ES256' })}.${Buffer.from('['.repeat(10_000)).toString('base64url')}.AA`,
  size: () => issuer.sign(claims({ padding: 'x'.repeat(40_000) })),
}

describe('a token with', () => {
  for (const [what, forge] of Object.entries(hostile))
    test(`${what}: refused`, async () => {
      const token = await forge()
      expect(await callers.whoIs(token)).toBe(401)
      expect(callers.logged()).not.toContain(token)
    })

  for (const [algorithm, token] of [
    ['none', () => `${encoded({ alg: 'none' })}.${encoded(claims())}.`],
    ['HS256', () => confused('HS256', publicPem())],
  ] as const)
    test(`the algorithm ${algorithm} is not even tried`, async () => {
      const error = expect.stringMatching(new RegExp(`signed with unsupported algorithm, .* got "${algorithm}"`))
      expect(await callers.review(token())).toEqual({ user: {}, error })
    })

  test('none of it is good', async () => {
    expect(await callers.whoIs(await issuer.sign({ groups: ['g'] }))).toEqual({
      username: 'jane',
      groups: ['g', 'system:authenticated'],
    })
  })

  test('a claim twice counts by its last value, for whoever looks', async () => {
    const { sign } = await signer()
    const text = JSON.stringify(usualClaims(issuer.url)).replace('{', '{"iss":"https://other","sub":"root",')
    expect(await callers.whoIs(await sign(text))).toMatchObject({ username: 'jane' })
    const other = JSON.stringify(usualClaims(issuer.url)).replace(/}$/, ',"iss":"https://other"}')
    expect(await callers.whoIs(await sign(other))).toBe(401)
  })
})

/** Signs a text as it is. */
async function signer() {
  const { CompactSign } = await import('jose')
  const { privateKey } = keyOf(0)
  return {
    sign: (text: string) =>
      new CompactSign(Buffer.from(text)).setProtectedHeader({ alg: 'ES256', kid: 'first' }).sign(privateKey),
  }
}

test('a good token with another character anywhere is of nobody', async () => {
  const token = await issuer.sign({ groups: ['g'] })
  // The last character of a signature has bits that mean nothing.
  const places = Array.from({ length: token.length - 1 }, (_, place) => place).filter((place) => place % 5 === 0)
  const changed = places.map(
    (place) => `${token.slice(0, place)}${token[place] === 'A' ? 'B' : 'A'}${token.slice(place + 1)}`,
  )
  const found = await Promise.all(changed.map((text) => callers.whoIs(text)))
  expect(found.filter((identity) => identity !== 401)).toEqual([])
  expect(await callers.whoIs(token)).toMatchObject({ username: 'jane' })
})

test('nobody makes the server ask for addresses that a token names, nor for keys again and again', async () => {
  expect([...issuer.asked.keys()].sort()).toEqual(['/.well-known/openid-configuration', '/keys'])
  expect(issuer.asked.get('/.well-known/openid-configuration')).toBe(1)
  expect(issuer.asked.get('/keys')).toBeLessThan(10)
})
