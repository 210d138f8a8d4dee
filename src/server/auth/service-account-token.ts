/**
 * Tokens of service accounts, bound to the objects they were issued for. A token lives no longer than its
 * service account, pod, secret or node: those are looked up on every use, while the costly check of the
 * signature is remembered for a short time.
 */

import type { JWTPayload } from 'jose'
import type { Clock } from '../../base/clock.ts'
import { sha256Hex } from '../../base/hash.ts'
import { isRecord } from '../../base/is-record.ts'
import { LruMap } from '../../base/lru.ts'
import { type Random, randomUuid } from '../../base/random.ts'
import { isDns1123Label, isDns1123Subdomain } from '../../machinery/meta/names.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'
import type { TokenVerifier } from './bearer-token.ts'
import type { TokenKeys } from './json-web-token.ts'
import { quotedList } from './texts.ts'

interface Named {
  readonly name: string
  readonly uid: string
}

/** A node that a pod was on may be gone: then there is only its name. */
interface NamedNode {
  readonly name: string
  readonly uid?: string | undefined
}

/** What a token is for. */
export interface TokenSubject {
  readonly namespace: string
  readonly serviceAccount: Named
  readonly pod?: Named | undefined
  readonly secret?: Named | undefined
  readonly node?: NamedNode | undefined
}

export interface TokenWish extends TokenSubject {
  /** Empty: the API server itself. */
  readonly audiences: readonly string[]
  readonly expirationSeconds: number
}

export interface IssuedToken {
  readonly token: string
  readonly audiences: readonly string[]
  readonly expiresAtMs: number
  /** By which a token is named that must not be shown. */
  readonly id: string
}

export interface TokenIssuer {
  issue(wish: TokenWish): Promise<IssuedToken>
}

export interface ServiceAccountTokens extends TokenIssuer, TokenVerifier {}

export interface BoundObject {
  readonly uid: string | undefined
  /** When it is or was to be gone, at the latest: a pod lives on until then. Absent: nobody deletes it. */
  readonly deletedAtMs?: number | undefined
}

export type BoundResource = 'serviceaccounts' | 'pods' | 'secrets' | 'nodes'

export interface BoundObjects {
  bound(
    resource: BoundResource,
    key: { readonly namespace?: string | undefined; readonly name: string },
  ): BoundObject | undefined
}

export interface ServiceAccountTokenParts {
  readonly keys: TokenKeys
  readonly issuer: string
  /** Those of the API server itself; the first is what tokens are issued for by default. */
  readonly audiences: readonly string[]
  readonly clock: Clock
  readonly random: Random
  readonly bound: BoundObjects
}

/** Tokens whose signature was checked lately. A token is about 1 KB; its hash and claims less. */
const VERIFIED_TOKENS_MAX = 4_096
const VERIFIED_FOR_MS = 10_000
/** How far clocks may step or differ: nobody else than this server has written these times. Upstream has a minute. */
const LEEWAY_MS = 10_000

interface KubernetesClaims {
  readonly namespace: string
  readonly serviceaccount: Named
  readonly pod?: Named | undefined
  readonly secret?: Named | undefined
  readonly node?: NamedNode | undefined
}

export function createServiceAccountTokens(parts: ServiceAccountTokenParts): ServiceAccountTokens {
  const { keys, issuer, clock } = parts
  const verified = new LruMap<string, { readonly claims: JWTPayload; readonly untilMs: number }>(VERIFIED_TOKENS_MAX)

  const signedClaims = async (token: string): Promise<JWTPayload> => {
    const hash = sha256Hex(token)
    const known = verified.get(hash)
    if (known && known.untilMs > clock.monotonic()) return known.claims
    const claims = await keys.verify(token)
    verified.set(hash, { claims, untilMs: clock.monotonic() + VERIFIED_FOR_MS })
    return claims
  }

  return {
    async verify(token, asked) {
      if (unverifiedIssuer(token) !== issuer) return undefined
      const claims = await signedClaims(token)
      const given = [claims.aud ?? []].flat()
      const audiences = given.filter((audience) => asked.includes(audience))
      if (audiences.length === 0) throw new Error(otherAudiences(given, asked))
      const nowMs = clock.now()
      checkTimes(claims, nowMs)
      const kubernetes = kubernetesClaims(claims)
      checkBound(kubernetes, parts.bound, nowMs)
      return { user: userOf(kubernetes, claims.jti), audiences }
    },
    async issue(wish) {
      const audiences = wish.audiences.length > 0 ? wish.audiences : parts.audiences.slice(0, 1)
      const issuedAt = Math.floor(clock.now() / 1_000)
      const expires = issuedAt + wish.expirationSeconds
      const id = randomUuid(parts.random)
      const token = await keys.sign({
        aud: [...audiences],
        exp: expires,
        iat: issuedAt,
        iss: issuer,
        jti: id,
        'kubernetes.io': boundClaims(wish),
        nbf: issuedAt,
        sub: serviceAccountName(wish.namespace, wish.serviceAccount.name),
      })
      return { token, audiences, expiresAtMs: expires * 1_000, id }
    },
  }
}

export function serviceAccountName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`
}

const USER_NAME = /^system:serviceaccount:([^:]+):([^:]+)$/

/** Undefined: not the user name of a service account. */
export function parseServiceAccountName(
  user: string,
): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace = '', name = ''] = USER_NAME.exec(user) ?? []
  const valid = isDns1123Label(namespace).length === 0 && isDns1123Subdomain(name).length === 0
  return valid ? { namespace, name } : undefined
}

export function serviceAccountGroups(namespace: string): readonly string[] {
  return ['system:serviceaccounts', `system:serviceaccounts:${namespace}`]
}

function boundClaims({ namespace, serviceAccount, pod, secret, node }: TokenSubject): KubernetesClaims {
  const bound = { ...(node && { node }), ...(pod && { pod }), ...(secret && { secret }) }
  return { namespace, ...bound, serviceaccount: serviceAccount }
}

export function otherAudiences(given: readonly string[], wanted: readonly string[]): string {
  return `token audiences ${quotedList(given)} is invalid for the target audiences ${quotedList(wanted)}`
}

/** Unverified, only to tell whose token this is. */
export function unverifiedIssuer(token: string): unknown {
  const payload = token.split('.')[1]
  if (payload === undefined) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null && 'iss' in claims ? claims.iss : undefined
  } catch {
    return undefined
  }
}

function checkTimes({ exp, nbf, iat }: JWTPayload, nowMs: number): void {
  const latest = (nowMs + LEEWAY_MS) / 1_000
  if (typeof exp !== 'number' || nowMs / 1_000 >= exp) throw new Error('service account token has expired')
  if (typeof nbf === 'number' && latest < nbf) throw new Error('service account token is not valid yet')
  if (typeof iat === 'number' && latest < iat) throw new Error('service account token is issued in the future')
}

function kubernetesClaims(claims: JWTPayload): KubernetesClaims {
  const value = claims['kubernetes.io']
  if (typeof value !== 'object' || value === null) throw new Error('the token has no kubernetes.io claims')
  const fields = new Map<string, unknown>(Object.entries(value))
  const namespace = fields.get('namespace')
  const serviceaccount = named(fields.get('serviceaccount'))
  if (typeof namespace !== 'string' || !serviceaccount) throw new Error('the token names no service account')
  if (claims.sub !== serviceAccountName(namespace, serviceaccount.name))
    throw new Error("the token is not its subject's")
  const optional = (name: string) => named(fields.get(name))
  return {
    namespace,
    serviceaccount,
    pod: optional('pod'),
    secret: optional('secret'),
    node: namedNode(fields.get('node')),
  }
}

function named(value: unknown): Named | undefined {
  const node = namedNode(value)
  if (node === undefined) return undefined
  const { name, uid } = node
  if (uid === undefined) throw new Error(UNREADABLE)
  return { name, uid }
}

const UNREADABLE = 'the token is bound to something unreadable'

function namedNode(value: unknown): NamedNode | undefined {
  if (value === undefined) return undefined
  const { name, uid } = isRecord(value) ? value : {}
  if (typeof name !== 'string' || (uid !== undefined && typeof uid !== 'string')) throw new Error(UNREADABLE)
  return { name, uid }
}

const INVALIDATED = 'service account token has been invalidated'

/** A node claim beside a pod only tells where the pod was; it is checked when the token is bound to the node itself. */
function checkBound(claims: KubernetesClaims, { bound }: BoundObjects, nowMs: number): void {
  const { namespace, serviceaccount, pod, secret, node } = claims
  const deletedBefore = nowMs - LEEWAY_MS
  const check = (resource: BoundResource, { name, uid }: Named, words: BoundWords) => {
    const object = bound(resource, resource === 'nodes' ? { name } : { namespace, name })
    if (!object) throw new Error(words.absent)
    if (object.uid !== uid) throw new Error(`${words.kind} UID (${object.uid}) does not match ${words.claim} (${uid})`)
    if (object.deletedAtMs !== undefined && object.deletedAtMs < deletedBefore) throw new Error(words.deleted)
  }
  check('serviceaccounts', serviceaccount, {
    kind: 'service account',
    claim: 'claim',
    absent: `serviceaccounts ${JSON.stringify(serviceaccount.name)} not found`,
    deleted: `service account ${namespace}/${serviceaccount.name} has been deleted`,
  })
  const words = (kind: string): BoundWords => ({
    kind,
    claim: `service account ${kind} ref claim`,
    absent: INVALIDATED,
    deleted: INVALIDATED,
  })
  if (secret) check('secrets', secret, words('secret'))
  if (pod) check('pods', pod, words('pod'))
  else if (node) check('nodes', { name: node.name, uid: node.uid ?? '' }, words('node'))
}

/** What is said of an object that a token is bound to, by upstream. */
interface BoundWords {
  readonly kind: string
  readonly claim: string
  readonly absent: string
  readonly deleted: string
}

function userOf({ namespace, serviceaccount, pod, node }: KubernetesClaims, id: string | undefined): UserInfo {
  const extra: Record<string, readonly string[]> = {}
  if (id !== undefined) extra['authentication.kubernetes.io/credential-id'] = [`JTI=${id}`]
  if (node) {
    extra['authentication.kubernetes.io/node-name'] = [node.name]
    if (node.uid) extra['authentication.kubernetes.io/node-uid'] = [node.uid]
  }
  if (pod) {
    extra['authentication.kubernetes.io/pod-name'] = [pod.name]
    extra['authentication.kubernetes.io/pod-uid'] = [pod.uid]
  }
  const groups = serviceAccountGroups(namespace)
  return { name: serviceAccountName(namespace, serviceaccount.name), uid: serviceaccount.uid, groups, extra }
}
