/** Lets through what the user may do; everything else is a 403. */

import { assert } from '../../base/assert.ts'
import { type Authorizer, attributesOf, refusal } from '../auth/authorizer.ts'
import type { Filter } from './filter.ts'

export function authorize({ authorizer }: { readonly authorizer: Authorizer }): Filter {
  return (next) => async (call) => {
    const { user } = call.request
    assert(user !== undefined, 'authentication comes before authorization')
    const attributes = attributesOf(user, call.target)
    const { allowed, reason } = authorizer.authorize(attributes)
    if (!allowed) throw refusal(attributes, reason)
    return next(call)
  }
}
