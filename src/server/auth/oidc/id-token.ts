/**
 * One token of an issuer: whose it says it is, and whether its signature, audience and time are good. Only the payload
 * whose signature was checked counts; keys, addresses and certificates that its header names are never looked at.
 */

import { quotedList } from '../texts.ts'

/** Names are the issuer's: look at own properties only. */
export type Claims = Readonly<Record<string, unknown>>

/** The algorithms that upstream allows: none that signs with a secret, and none without a signature. */
export const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512'] as const

/** How far ahead of ours the issuer's clock may be; upstream's. */
const NOT_BEFORE_LEEWAY_SECONDS = 60

const GOOGLE = 'https://accounts.google.com'
/** Google names itself so in some tokens. */
const GOOGLE_WITHOUT_SCHEME = 'accounts.google.com'

/** As the issuer is configured. */
export function canonicalIssuer(issuer: unknown): unknown {
  return issuer === GOOGLE_WITHOUT_SCHEME ? GOOGLE : issuer
}

export interface TokenHeader {
  readonly algorithm: string
  readonly keyId: string
}

/** Throws for what is no token, or one whose signature must not be looked at. */
export function headerOf(token: string): TokenHeader {
  const [text = '', ...rest] = token.split('.')
  const header = rest.length === 2 ? decoded(text) : undefined
  if (!header) throw new Error('oidc: malformed jwt')
  const { alg, kid = '', crit } = header
  if (crit !== undefined) throw new Error('oidc: malformed jwt: critical header parameters are not supported')
  if (typeof alg !== 'string' || !ALGORITHMS.some((algorithm) => algorithm === alg))
    throw new Error(
      `oidc: id token signed with unsupported algorithm, expected ${quotedList(ALGORITHMS)} got ${JSON.stringify(alg)}`,
    )
  if (typeof kid !== 'string') throw new Error('oidc: malformed jwt: the key id is no text')
  return { algorithm: alg, keyId: kid }
}

function decoded(text: string): Claims | undefined {
  try {
    return objectOf(JSON.parse(Buffer.from(text, 'base64url').toString('utf8')))
  } catch {
    return undefined
  }
}

function objectOf(value: unknown): Claims | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : undefined
}

export interface Expected {
  readonly issuer: string
  /** One of them must be meant. */
  readonly audiences: readonly string[]
  readonly nowMs: number
}

/** The claims of a payload whose signature is good. Throws why they do not count. */
export function checkedClaims(payload: Uint8Array, { issuer, audiences, nowMs }: Expected): Claims {
  const claims = parsed(payload)
  const own = (name: string) => (Object.hasOwn(claims, name) ? claims[name] : undefined)
  const aud = audiencesOf(own('aud'))
  const [exp, nbf] = [own('exp'), own('nbf'), own('iat')].map(secondsOf)
  if (typeof (own('sub') ?? '') !== 'string')
    throw new Error('oidc: failed to unmarshal claims: the subject is no text')
  if (canonicalIssuer(own('iss')) !== issuer)
    throw new Error(
      'oidc: id token issued by a different provider, ' +
        `expected ${JSON.stringify(issuer)} got ${JSON.stringify(own('iss'))}`,
    )
  if (!audiences.some((audience) => aud.includes(audience))) throw new Error(otherAudience(audiences, aud))
  const now = nowMs / 1_000
  if (exp === undefined || exp < now) throw new Error(`oidc: token is expired (Token Expiry: ${timeText(exp ?? 0)})`)
  if (nbf !== undefined && now + NOT_BEFORE_LEEWAY_SECONDS < nbf)
    throw new Error(`oidc: current time ${timeText(now)} before the nbf (not before) time: ${timeText(nbf)}`)
  return claims
}

function parsed(payload: Uint8Array): Claims {
  try {
    const claims = objectOf(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload)))
    if (claims) return claims
  } catch {}
  throw new Error('oidc: failed to unmarshal claims: the payload is no JSON object')
}

function otherAudience(audiences: readonly string[], given: readonly string[]): string {
  const [only] = audiences
  const expected = audiences.length === 1 ? JSON.stringify(only) : `in ${quotedList([...audiences].sort())}`
  return `oidc: expected audience ${expected} got ${quotedList(given)}`
}

function audiencesOf(value: unknown): readonly string[] {
  const list = [value ?? []].flat()
  if (list.every((item) => typeof item === 'string')) return list
  throw new Error('oidc: failed to unmarshal claims: the audience is neither a text nor a list of texts')
}

function secondsOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'number' && Number.isFinite(value)) return Math.trunc(value)
  throw new Error('oidc: failed to unmarshal claims: a time is no number of seconds')
}

/** The last moment that there is text for, in seconds: the end of the year 9999. */
const TIME_MAX_SECONDS = 253_402_300_799

/** `2026-11-21 08:50:59 +0000 UTC`. */
function timeText(seconds: number): string {
  const shown = Math.min(Math.max(Math.trunc(seconds), 0), TIME_MAX_SECONDS)
  return new Date(shown * 1_000).toISOString().replace('T', ' ').replace('.000Z', ' +0000 UTC')
}
