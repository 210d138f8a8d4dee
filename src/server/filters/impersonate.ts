/**
 * `Impersonate-User`, `-Group`, `-Uid`, `-Extra-…`: acting as somebody else, in the first way that the real user may.
 * A refusal tells what the first of the ways lacked.
 */

import { assert } from '../../base/assert.ts'
import { whenThere } from '../../base/awaitable.ts'
import { ApiError, badRequest } from '../../machinery/meta/api-error.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'
import { type Attributes, type Authorizer, attributesOf, refusal } from '../auth/authorizer.ts'
import { extraValues, hasHeaderWith, headerValues } from '../auth/header-values.ts'
import { refusedResponse } from './failure-response.ts'
import type { Filter } from './filter.ts'
import { type Need, type Way, type Wish, waysOf } from './impersonation.ts'

const PREFIX = 'impersonate-'
const EXTRA_PREFIX = 'impersonate-extra-'

export function impersonate({ authorizer }: { readonly authorizer: Authorizer }): Filter {
  return (next) => (call) => {
    const { request, target } = call
    if (!hasHeaderWith(request, PREFIX)) return next(call)
    assert(request.user !== undefined, 'authentication comes before impersonation')
    const wish = wishOf(request)
    if (wish instanceof ApiError) return refusedResponse(wish, request)
    const ways = waysOf(attributesOf(request.user, target), wish)
    const ask = () => firstAllowed(within(authorizer, request.signal), ways)
    return whenThere(request.audit ? request.audit.timed('impersonation', ask) : ask(), (way) => {
      if (way instanceof ApiError) return refusedResponse(way, request)
      const { user, constraint } = way
      request.audit?.impersonated(user, constraint)
      const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !name.startsWith(PREFIX)))
      return next({ request: { ...request, headers, user }, target })
    })
  }
}

/** Asked for one request: whoever answers need not go on when that is over. */
function within(authorizer: Authorizer, signal: AbortSignal): Authorizer {
  return { authorize: (attributes) => authorizer.authorize(attributes, signal) }
}

/** The 403 of the first way when there is none. */
async function firstAllowed(authorizer: Authorizer, ways: readonly Way[]): Promise<Way | ApiError> {
  let first: ApiError | undefined
  for (const way of ways) {
    const refused = await lackOf(authorizer, way.needs)
    if (!refused) return way
    first ??= refused
  }
  assert(first, 'there is always a way to try')
  return first
}

async function lackOf(authorizer: Authorizer, needs: readonly Need[]): Promise<ApiError | undefined> {
  for (const { whole, parts, refused } of needs) {
    if (refused) return refusal(refused.attributes, refused.reason)
    if (whole && !(await check(authorizer, whole))) continue
    for (const part of parts) {
      const refusedPart = await check(authorizer, part)
      if (refusedPart) return refusedPart
    }
  }
  return undefined
}

async function check(authorizer: Authorizer, attributes: Attributes): Promise<ApiError | undefined> {
  const { verdict, reason, error } = await authorizer.authorize(attributes)
  if (verdict === 'allow') return undefined
  return refusal(attributes, [error, reason].filter(Boolean).join(': '))
}

function wishOf(request: ApiRequest): Wish | ApiError {
  const [name = ''] = headerValues(request, 'impersonate-user')
  const [uid = ''] = headerValues(request, 'impersonate-uid')
  const groups = headerValues(request, 'impersonate-group')
  const extra = extraValues(request, EXTRA_PREFIX)
  if (name === '') return badRequest(`requested ${goText({ uid, groups, extra })} without impersonating a user name`)
  return { name, uid, groups, extra }
}

/** A wish without a name, as upstream's language prints it. */
function goText({ uid, groups, extra }: Omit<Wish, 'name'>): string {
  const list = (texts: readonly string[]) => `[]string{${texts.map((text) => JSON.stringify(text)).join(', ')}}`
  const entries = Object.entries(extra).map(([key, texts]) => `${JSON.stringify(key)}:${list(texts)}`)
  const groupsText = groups.length > 0 ? list(groups) : '[]string(nil)'
  const extraText = entries.length > 0 ? `map[string][]string{${entries.join(', ')}}` : 'map[string][]string(nil)'
  return `&user.DefaultInfo{Name:"", UID:${JSON.stringify(uid)}, Groups:${groupsText}, Extra:${extraText}}`
}
