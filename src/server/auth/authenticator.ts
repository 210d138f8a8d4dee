/**
 * Who asks? An ordered list of ways to prove it; the first that knows the caller decides. A proof that was
 * offered and failed is never taken for no proof: the caller does not become anonymous by a bad certificate.
 */

import { type Awaitable, whenThere } from '../../base/awaitable.ts'
import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'

export interface Proof {
  readonly outcome: 'user'
  readonly user: UserInfo
  /** What the caller should know about the proof. */
  readonly warnings?: readonly string[] | undefined
  /** What the audit log is to say of the proof, by key. */
  readonly facts?: readonly (readonly [string, string])[] | undefined
}

export type Authentication =
  | Proof
  /** The request offers no proof of this kind. */
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'failed'; readonly reason: string }

export interface Authenticator {
  /** At once where that is possible: it is on the way of every request. */
  authenticate(request: ApiRequest): Awaitable<Authentication>
}

export const ABSENT: Authentication = { outcome: 'absent' }

/** `otherwise` is asked last and only when nothing failed: anonymous access. */
export function inOrder(ways: readonly Authenticator[], otherwise?: Authenticator): Authenticator {
  const from = (start: number, request: ApiRequest, failures: readonly string[]): Awaitable<Authentication> => {
    const way = ways[start]
    if (way === undefined) {
      if (failures.length > 0) return { outcome: 'failed', reason: failures.join('; ') }
      return otherwise?.authenticate(request) ?? ABSENT
    }
    return whenThere(way.authenticate(request), (result) => {
      if (result.outcome === 'user') return { ...result, user: authenticated(result.user) }
      return from(start + 1, request, result.outcome === 'failed' ? [...failures, result.reason] : failures)
    })
  }
  return { authenticate: (request) => from(0, request, []) }
}

/** A client certificate over TLS, or the identity that a component in this process was given. */
export const peerIdentity: Authenticator = {
  authenticate({ peer, peerFailure }) {
    if (peer) return { outcome: 'user', user: peer }
    return peerFailure === undefined ? ABSENT : { outcome: 'failed', reason: peerFailure }
  },
}

export const AUTHENTICATED_GROUP = 'system:authenticated'

/** Of users that come again: a connection's certificate and a component's account are read once. */
const known = new WeakMap<UserInfo, UserInfo>()

/** Whoever has proved something is in the group of all who have. */
export function authenticated(user: UserInfo): UserInfo {
  if (user.groups.includes(AUTHENTICATED_GROUP)) return user
  const before = known.get(user)
  if (before) return before
  const member = { ...user, groups: [...user.groups, AUTHENTICATED_GROUP] }
  known.set(user, member)
  return member
}
