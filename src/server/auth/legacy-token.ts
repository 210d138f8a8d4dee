/**
 * Tokens of Secrets `kubernetes.io/service-account-token`: without an end, good as long as the Secret has them and the
 * service account is there. Nobody should want one; those who do make the Secret by hand.
 */

import type { JWTPayload } from 'jose'
import type { Secret, ServiceAccount } from '../../apis/core/types.gen.ts'
import type { Clock } from '../../base/clock.ts'
import type { ObjectKey } from '../../machinery/meta/object.ts'
import type { TokenVerifier } from './bearer-token.ts'
import type { TokenKeys } from './json-web-token.ts'
import { isSame } from './same.ts'
import { otherAudiences, serviceAccountGroups, serviceAccountName, unverifiedIssuer } from './service-account-token.ts'

export interface LegacySubject {
  readonly namespace: string
  readonly secretName: string
  readonly serviceAccount: { readonly name: string; readonly uid: string }
}

export interface LegacyTokenParts {
  readonly keys: TokenKeys
  /** Those of the API server: the tokens are for nobody else. */
  readonly audiences: readonly string[]
  readonly clock: Clock
  secret(key: ObjectKey): Secret | undefined
  serviceAccount(key: ObjectKey): ServiceAccount | undefined
  /** Sets a label of the Secret, as long as it is this one. Failures are the callee's. */
  label(secret: Secret, name: string, value: string): Promise<void>
}

const ISSUER = 'kubernetes/serviceaccount'
/** Set on tokens that nobody has used for long. */
const INVALID_SINCE_LABEL = 'kubernetes.io/legacy-token-invalid-since'
const LAST_USED_LABEL = 'kubernetes.io/legacy-token-last-used'
const DAY_MS = 86_400_000
const PREFER_OTHERS =
  'Use tokens from the TokenRequest API or manually created secret-based tokens' +
  ' instead of auto-generated secret-based tokens.'

export function issueLegacyToken(keys: TokenKeys, subject: LegacySubject): Promise<string> {
  const { namespace, secretName, serviceAccount } = subject
  return keys.sign({
    iss: ISSUER,
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': secretName,
    'kubernetes.io/serviceaccount/service-account.name': serviceAccount.name,
    'kubernetes.io/serviceaccount/service-account.uid': serviceAccount.uid,
    sub: serviceAccountName(namespace, serviceAccount.name),
  })
}

export function legacyTokens(parts: LegacyTokenParts): TokenVerifier {
  const { keys, audiences: own } = parts
  const noteUse = createUseNotes(parts)
  return {
    async verify(token, asked) {
      if (unverifiedIssuer(token) !== ISSUER) return undefined
      const claims = await keys.verify(token)
      const audiences = own.filter((audience) => asked.includes(audience))
      if (audiences.length === 0) throw new Error(otherAudiences(own, asked))
      const subject = subjectOf(claims)
      const secret = checkedSecret(parts, subject, token)
      const account = checkedAccount(parts, subject)
      noteUse(secret)
      if (secret.metadata.labels?.[INVALID_SINCE_LABEL]) throw new Error(markedInvalid(subject))
      const generated = account.secrets?.some(({ name }) => name === subject.secretName) ?? false
      const { namespace, serviceAccount } = subject
      const name = serviceAccountName(namespace, serviceAccount.name)
      const user = { name, uid: serviceAccount.uid, groups: serviceAccountGroups(namespace) }
      return { user, audiences, ...(generated && { warnings: [PREFER_OTHERS] }) }
    },
  }
}

function subjectOf(claims: JWTPayload): LegacySubject {
  const claim = (key: string, name: string): string => {
    const value = claims[`kubernetes.io/serviceaccount/${key}`]
    if (typeof value !== 'string' || value === '') throw new Error(`${name} claim is missing`)
    return value
  }
  const namespace = claim('namespace', 'namespace')
  const secretName = claim('secret.name', 'secretName')
  const name = claim('service-account.name', 'serviceAccountName')
  const uid = claim('service-account.uid', 'serviceAccountUID')
  if (claims.sub !== serviceAccountName(namespace, name)) throw new Error('sub claim is invalid')
  return { namespace, secretName, serviceAccount: { name, uid } }
}

/** Whoever takes a token out of its Secret, or deletes that, takes the rights. */
function checkedSecret({ secret }: LegacyTokenParts, { namespace, secretName }: LegacySubject, token: string): Secret {
  const found = secret({ namespace, name: secretName })
  if (!found || found.metadata.deletionTimestamp) throw new Error('Token has been invalidated')
  const stored = Buffer.from(found.data?.token ?? '', 'base64').toString('utf8')
  if (!isSame(stored, token)) throw new Error("Token does not match server's copy")
  return found
}

function checkedAccount(parts: LegacyTokenParts, { namespace, serviceAccount }: LegacySubject): ServiceAccount {
  const { name, uid } = serviceAccount
  const found = parts.serviceAccount({ namespace, name })
  if (!found) throw new Error(`serviceaccounts ${JSON.stringify(name)} not found`)
  if (found.metadata.deletionTimestamp) throw new Error(`ServiceAccount ${namespace}/${name} has been deleted`)
  if (found.metadata.uid === uid) return found
  throw new Error(`ServiceAccount UID (${found.metadata.uid}) does not match claim (${uid})`)
}

function markedInvalid({ namespace, secretName, serviceAccount }: LegacySubject): string {
  return (
    `the token in secret ${namespace}/${secretName} for service account ${namespace}/${serviceAccount.name} has been ` +
    'marked invalid. Use tokens from the TokenRequest API or manually created secret-based tokens, ' +
    `or remove the '${INVALID_SINCE_LABEL}' label from the secret to temporarily allow use of this token`
  )
}

/** The day of the last use stands on the Secret: written once a day, in nobody's way. */
function createUseNotes({ clock, label }: LegacyTokenParts): (secret: Secret) => void {
  const writing = new Set<string>()
  return (secret) => {
    const { uid = '', labels } = secret.metadata
    const [today, tomorrow] = [0, DAY_MS].map((aheadMs) => dayOf(clock.now() + aheadMs))
    const known = labels?.[LAST_USED_LABEL]
    if (today === undefined || known === today || known === tomorrow || writing.has(uid)) return
    writing.add(uid)
    void label(secret, LAST_USED_LABEL, today).finally(() => writing.delete(uid))
  }
}

/** `2026-11-21`, in UTC. */
function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
