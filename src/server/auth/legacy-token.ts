/**
 * Tokens of Secrets `kubernetes.io/service-account-token`: without an end, good as long as the Secret has them and the
 * service account is there. Nobody should want one; those who do make the Secret by hand.
 */

import type { Secret } from '../../apis/core/types.gen.ts'
import type { ObjectKey } from '../../machinery/meta/object.ts'
import type { TokenVerifier } from './bearer-token.ts'
import type { TokenKeys } from './json-web-token.ts'
import {
  type BoundObjects,
  serviceAccountGroups,
  serviceAccountName,
  unverifiedIssuer,
} from './service-account-token.ts'

export interface LegacySubject {
  readonly namespace: string
  readonly secretName: string
  readonly serviceAccount: { readonly name: string; readonly uid: string }
}

export interface LegacyTokenParts {
  readonly keys: TokenKeys
  readonly bound: BoundObjects
  secret(key: ObjectKey): Secret | undefined
}

const ISSUER = 'kubernetes/serviceaccount'
/** Set by a cleaner on tokens that nobody has used for a year. */
const INVALID_SINCE_LABEL = 'kubernetes.io/legacy-token-invalid-since'

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

export function legacyTokens({ keys, bound, secret }: LegacyTokenParts): TokenVerifier {
  return {
    async verify(token) {
      if (unverifiedIssuer(token) !== ISSUER) return undefined
      const claims = await keys.verify(token)
      const claim = (name: string): string => {
        const value = claims[`kubernetes.io/serviceaccount/${name}`]
        if (typeof value !== 'string' || value === '') throw new Error(`the token has no claim ${name}`)
        return value
      }
      const namespace = claim('namespace')
      const name = claim('service-account.name')
      const uid = claim('service-account.uid')
      if (claims.sub !== serviceAccountName(namespace, name)) throw new Error("the token is not its subject's")
      checkSecret(secret({ namespace, name: claim('secret.name') }), token)
      if ((await bound.uidOf('serviceaccounts', { namespace, name })) !== uid)
        throw new Error("the token's service account is gone")
      return { name: serviceAccountName(namespace, name), uid, groups: serviceAccountGroups(namespace) }
    },
  }
}

/** Whoever takes a token out of its Secret, or deletes that, takes the rights. */
function checkSecret(secret: Secret | undefined, token: string): void {
  if (!secret || secret.metadata.deletionTimestamp) throw new Error('the token has been invalidated')
  const stored = Buffer.from(secret.data?.token ?? '', 'base64').toString('utf8')
  if (stored !== token) throw new Error("the token does not match the server's copy")
  if (secret.metadata.labels?.[INVALID_SINCE_LABEL]) throw new Error('the token was marked as invalid')
}
