/** Lets through what the user may do; everything else is a 403, or a 500 where somebody could not decide. */

import { assert } from '../../base/assert.ts'
import { type Attributes, type Authorizer, attributesOf, refusal } from '../auth/authorizer.ts'
import { refusedResponse, undecidedResponse } from './failure-response.ts'
import type { Filter } from './filter.ts'

/** What the audit log tells of it, under upstream's keys. */
const DECISION = 'authorization.k8s.io/decision'
const REASON = 'authorization.k8s.io/reason'

export function authorize({ authorizer }: { readonly authorizer: Authorizer }): Filter {
  return (next) => async (call) => {
    const { request } = call
    const { user, signal } = request
    assert(user !== undefined, 'authentication comes before authorization')
    const asked = attributesOf(user, call.target)
    const needed = opensContainer(asked) ? [asked, { ...asked, verb: 'create' }] : [asked]
    for (const attributes of needed) {
      const ask = () => authorizer.authorize(attributes, signal)
      const { verdict, reason, error } = await (request.audit?.timed('authorization', ask) ?? ask())
      const isUndecided = verdict !== 'allow' && error !== undefined
      if (!isUndecided) request.audit?.annotate(DECISION, verdict === 'allow' ? 'allow' : 'forbid')
      request.audit?.annotate(REASON, isUndecided ? 'internal error' : reason)
      if (verdict === 'allow') continue
      if (isUndecided) return undecidedResponse(error, request)
      return refusedResponse(refusal(attributes, reason), request)
    }
    return next(call)
  }
}

const CONTAINER_STREAMS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward'])

/** WebSockets come as GET; the right to read must not be the right to run commands. */
function opensContainer({ verb, group, resource, subresource }: Attributes): boolean {
  return verb === 'get' && group === '' && resource === 'pods' && CONTAINER_STREAMS.has(subresource)
}
