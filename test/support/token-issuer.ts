/** An issuer of tokens on the loopback interface: describes itself over HTTPS, publishes keys, signs anything. */

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { CompactSign, exportJWK, type JWK } from 'jose'
import { systemClock } from '../../src/base/clock.ts'
import { randomSuffix, systemRandom } from '../../src/base/random.ts'
import { createCertificateAuthority } from '../../src/server/auth/certificate-authority.ts'

export interface IssuerKey {
  readonly algorithm: 'RS256' | 'ES256'
  readonly id: string
  readonly privateKey: KeyObject
}

export interface TestIssuer extends AsyncDisposable {
  /** What its tokens name. */
  readonly url: string
  /** PEM of the authority of its certificate. */
  readonly ca: string
  /** Those that are published. The first signs; may be set anew at any time. */
  keys: readonly IssuerKey[]
  /** How often each path was asked for. */
  readonly asked: Map<string, number>
  /** Instead of its own documents. */
  answer: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined
  /** A token of these claims besides the usual ones, which `undefined` takes away. */
  sign(claims?: Record<string, unknown>, options?: SignOptions): Promise<string>
}

export interface SignOptions {
  readonly key?: IssuerKey
  /** Besides algorithm and key id, or instead of them. */
  readonly header?: Readonly<Record<string, unknown>>
}

export const AUDIENCE = 't8s-test'
const LIFETIME_SECONDS = 600

export function issuerKey(algorithm: IssuerKey['algorithm'], id: string): IssuerKey {
  const pair =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return { algorithm, id, privateKey: createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })) }
}

export async function publicJwk({ privateKey, algorithm, id }: IssuerKey): Promise<JWK> {
  const { kty, n, e, crv, x, y } = await exportJWK(privateKey)
  const members = kty === 'RSA' ? { n, e } : { crv, x, y }
  return { kty, ...members, alg: algorithm, kid: id, use: 'sig' } as JWK
}

/** The claims of a token that is good, for one who wants to sign them otherwise. */
export function usualClaims(url: string): Record<string, unknown> {
  const now = Math.floor(systemClock.now() / 1_000)
  return { iss: url, aud: AUDIENCE, sub: 'jane', iat: now, exp: now + LIFETIME_SECONDS }
}

export async function startTokenIssuer(): Promise<TestIssuer> {
  const parts = { clock: systemClock, random: systemRandom }
  const authority = await createCertificateAuthority(`issuer-${randomSuffix(systemRandom, 5)}`, parts)
  const { certificate, key } = await authority.issueServer({ commonName: 'issuer', names: ['127.0.0.1'] })
  const server = createServer({ cert: certificate, key }, (request, response) => void serve(issuer, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const issuer: TestIssuer = {
    url,
    ca: authority.certificate,
    keys: [issuerKey('ES256', 'first')],
    asked: new Map(),
    answer: undefined,
    async sign(claims = {}, { key: chosen, header = {} } = {}) {
      const by = chosen ?? issuer.keys[0]
      if (!by) throw new Error('there is no key to sign with')
      const payload = Buffer.from(JSON.stringify({ ...usualClaims(url), ...claims }))
      const protectedHeader = { alg: by.algorithm, kid: by.id, ...header }
      return new CompactSign(payload).setProtectedHeader(protectedHeader).sign(by.privateKey)
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return issuer
}

async function serve(issuer: TestIssuer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { url: path = '' } = request
  issuer.asked.set(path, (issuer.asked.get(path) ?? 0) + 1)
  if (issuer.answer?.(request, response)) return
  const documents: Readonly<Record<string, () => unknown>> = {
    '/.well-known/openid-configuration': () => ({ issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }),
    '/keys': async () => ({ keys: await Promise.all(issuer.keys.map(publicJwk)) }),
  }
  const document = await documents[path]?.()
  if (document === undefined) response.statusCode = 404
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(document ?? {}))
}
