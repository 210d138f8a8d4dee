/**
 * `Impersonate-User`, `-Group`, `-Uid`, `-Extra-…`: acting as somebody else, each part of whom the real user must
 * be allowed to impersonate.
 */

import { assert } from '../../base/assert.ts'
import { setOwn } from '../../base/deep-freeze.ts'
import { internalError } from '../../machinery/meta/api-error.ts'
import type { ApiRequest, UserInfo } from '../../machinery/wire/message.ts'
import { AUTHENTICATED_GROUP } from '../auth/authenticator.ts'
import { type Attributes, type Authorizer, demand } from '../auth/authorizer.ts'
import { serviceAccountGroups } from '../auth/service-account-token.ts'
import type { Filter } from './filter.ts'

const PREFIX = 'impersonate-'
const EXTRA_PREFIX = 'impersonate-extra-'

export function impersonate({ authorizer }: { readonly authorizer: Authorizer }): Filter {
  return (next) => async (call) => {
    const { request } = call
    if (!Object.keys(request.headers).some((name) => name.startsWith(PREFIX))) return next(call)
    assert(request.user !== undefined, 'authentication comes before impersonation')
    const wish = wishOf(request)
    for (const attributes of neededRights(request.user, wish)) await demand(authorizer, attributes)
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !name.startsWith(PREFIX)))
    return next({ ...call, request: { ...request, headers, user: impersonated(wish) } })
  }
}

interface Wish {
  readonly user: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

function wishOf(request: ApiRequest): Wish {
  const [user = ''] = values(request, 'impersonate-user')
  const [uid = ''] = values(request, 'impersonate-uid')
  const groups = values(request, 'impersonate-group')
  const extra: Record<string, readonly string[]> = {}
  for (const name of Object.keys(request.headers)) {
    if (!name.startsWith(EXTRA_PREFIX)) continue
    setOwn(extra, unescaped(name.slice(EXTRA_PREFIX.length)), values(request, name))
  }
  if (user === '') throw internalError('requested impersonation of groups, uid or extra without impersonating a user')
  return { user, uid, groups, extra }
}

/** Every value of a header that may repeat. Values may contain commas, so the joined form does not tell. */
function values({ headers, rawHeaders }: ApiRequest, name: string): readonly string[] {
  if (!rawHeaders) return headers[name] === undefined ? [] : [headers[name]]
  const found: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const value = rawHeaders[index + 1]
    if (rawHeaders[index]?.toLowerCase() === name && value !== undefined) found.push(value)
  }
  return found
}

function unescaped(key: string): string {
  try {
    return decodeURIComponent(key)
  } catch {
    return key
  }
}

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/

function neededRights(user: UserInfo, { user: name, uid, groups, extra }: Wish): readonly Attributes[] {
  const right = (resource: string, more: Partial<Attributes>): Attributes => {
    const shared = { user, verb: 'impersonate', group: '', subresource: '', namespace: '', name: '', path: '' }
    return { ...shared, resource, ...more }
  }
  const authentication = { group: 'authentication.k8s.io' }
  const account = SERVICE_ACCOUNT.exec(name)
  return [
    account
      ? right('serviceaccounts', { namespace: account[1] ?? '', name: account[2] ?? '' })
      : right('users', { name }),
    ...groups.map((group) => right('groups', { name: group })),
    ...(uid === '' ? [] : [right('uids', { ...authentication, name: uid })]),
    ...Object.entries(extra).flatMap(([key, list]) =>
      list.map((value) => right('userextras', { ...authentication, subresource: key, name: value })),
    ),
  ]
}

function impersonated({ user: name, uid, groups, extra }: Wish): UserInfo {
  const account = SERVICE_ACCOUNT.exec(name)
  const own = groups.length === 0 && account ? serviceAccountGroups(account[1] ?? '') : groups
  const known = name === 'system:anonymous' ? 'system:unauthenticated' : AUTHENTICATED_GROUP
  const complete = own.includes(known) || own.includes('system:unauthenticated') ? own : [...own, known]
  return { name, ...(uid !== '' && { uid }), groups: complete, extra }
}
