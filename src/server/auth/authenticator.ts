/**
 * Who asks? An ordered list of ways to prove it; the first that knows the caller decides. A proof that was
 * offered and failed is never taken for no proof: the caller does not become anonymous by a bad certificate.
 */

import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'

export type Authentication =
  | {
      readonly outcome: 'user'
      readonly user: UserInfo
      /** What the caller should know about the proof. */
      readonly warnings?: readonly string[] | undefined
      /** What the audit log is to say of the proof, by key. */
      readonly facts?: readonly (readonly [string, string])[] | undefined
    }
  /** The request offers no proof of this kind. */
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'failed'; readonly reason: string }

export interface Authenticator {
  authenticate(request: ApiRequest): Authentication | Promise<Authentication>
}

export const ABSENT: Authentication = { outcome: 'absent' }

/** `otherwise` is asked last and only when nothing failed: anonymous access. */
export function inOrder(ways: readonly Authenticator[], otherwise?: Authenticator): Authenticator {
  return {
    async authenticate(request) {
      const failures: string[] = []
      for (const way of ways) {
        const result = await way.authenticate(request)
        if (result.outcome === 'user') return { ...result, user: authenticated(result.user) }
        if (result.outcome === 'failed') failures.push(result.reason)
      }
      if (failures.length > 0) return { outcome: 'failed', reason: failures.join('; ') }
      return otherwise?.authenticate(request) ?? ABSENT
    },
  }
}

/** A client certificate over TLS, or the identity that a component in this process was given. */
export const peerIdentity: Authenticator = {
  authenticate({ peer, peerFailure }) {
    if (peer) return { outcome: 'user', user: peer }
    return peerFailure === undefined ? ABSENT : { outcome: 'failed', reason: peerFailure }
  },
}

export const AUTHENTICATED_GROUP = 'system:authenticated'

/** Whoever has proved something is in the group of all who have. */
export function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED_GROUP)) return user
  return { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] }
}
