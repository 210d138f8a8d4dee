/** Bearer tokens that were once good, or look it. None of them must let anybody in. */

import { createHmac, createPublicKey } from 'node:crypto'
import { type Random, randomInteger } from '../../../src/base/random.ts'
import { chance, mutatedText, ODD_TEXTS, pick } from './draw.ts'

export interface TokenSeeds {
  /** A token that the server accepts. */
  readonly valid: string
  /** The public key that it is verified with, in PEM: an attacker knows it. */
  readonly publicKey: string
  /** Of a key that the server does not know, over the same claims. */
  readonly foreign: string
  /** Was good once. */
  readonly expired: string
  /** Accepted too: secrets that both sides know. */
  readonly shared: readonly [string, ...string[]]
}

type Json = Readonly<Record<string, unknown>>

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function decoded(part: string | undefined): Json {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString()) as Json
}

const ALGORITHMS: readonly [unknown, ...unknown[]] = [
  'none',
  'None',
  'HS256',
  'HS512',
  'RS256',
  'ES256',
  'EdDSA',
  '',
  null,
  256,
]

const CLAIMS: readonly [Json, ...Json[]] = [
  { sub: 'system:admin' },
  { sub: 'system:serviceaccount:kube-system:default' },
  { aud: ['everything'] },
  { iss: 'https://attacker.example' },
  { exp: 9_999_999_999 },
  { exp: '9999999999' },
  { nbf: -1 },
  { groups: ['system:masters'] },
  { 'kubernetes.io': { namespace: 'kube-system', serviceaccount: { name: 'default', uid: '' } } },
  { 'kubernetes.io': null },
  { __proto__: { admin: true } },
]

/** Never the valid one, nor another writing of it. */
export function drawToken(random: Random, seeds: TokenSeeds): string {
  for (;;) {
    const token = candidate(random, seeds)
    if (!sameToken(token, seeds.valid) && !seeds.shared.includes(token.trim())) return token
  }
}

function candidate(random: Random, seeds: TokenSeeds): string {
  const [head, claims, signature = ''] = seeds.valid.split('.')
  switch (randomInteger(random, 10)) {
    case 0:
      return mutatedText(random, seeds.valid)
    case 1:
      return [
        encoded({ ...decoded(head), alg: pick(random, ALGORITHMS) }),
        claims,
        chance(random, 0.5) ? '' : signature,
      ].join('.')
    case 2:
      return [head, encoded({ ...decoded(claims), ...pick(random, CLAIMS) }), signature].join('.')
    case 3:
      return signedWithPublicKey({ ...decoded(claims), ...pick(random, CLAIMS) }, seeds.publicKey)
    case 4:
      return chance(random, 0.5) ? seeds.foreign : mutatedText(random, seeds.foreign)
    case 5:
      return seeds.expired
    case 6:
      return [head, claims, Buffer.alloc(Buffer.from(signature, 'base64url').length).toString('base64url')].join('.')
    case 7:
      return mutatedText(random, pick(random, seeds.shared))
    case 8:
      return withHeaderKey(decoded(head), claims ?? '', signature)
    default:
      return Array.from({ length: randomInteger(random, 5) }, () => pick(random, ODD_TEXTS)).join('.')
  }
}

/** The confusion of algorithms: what is public becomes the secret of a MAC. */
function signedWithPublicKey(claims: Json, publicKey: string): string {
  const signed = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded(claims)}`
  return `${signed}.${createHmac('sha256', publicKey).update(signed).digest('base64url')}`
}

/** A token that brings its own key. */
function withHeaderKey(head: Json, claims: string, signature: string): string {
  const jwk = createPublicKey({ key: PUBLIC_JWK, format: 'jwk' }).export({ format: 'jwk' })
  return [
    encoded({ ...head, jwk, jku: 'https://attacker.example/keys', x5u: 'file:///etc/passwd' }),
    claims,
    signature,
  ].join('.')
}

const PUBLIC_JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
}

/** The last character of base64 has bits that mean nothing, and upper layers trim blanks: the same token all the same. */
function sameToken(left: string, right: string): boolean {
  const bytes = (token: string) =>
    token
      .trim()
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('hex'))
      .join('.')
  return bytes(left) === bytes(right)
}

const SCHEMES: readonly [string, ...string[]] = [
  'Bearer',
  'bearer',
  'BEARER',
  'Basic',
  'Negotiate',
  'Token',
  'Bearer Bearer',
  '',
]

/** The value of an `Authorization` header. */
export function drawAuthorization(random: Random, seeds: TokenSeeds): string {
  const scheme = chance(random, 0.8) ? 'Bearer' : pick(random, SCHEMES)
  return `${scheme}${pick(random, [' ', ' ', ' ', '  ', '', '\t', ','])}${drawToken(random, seeds)}`
}
