/** Lets through what the user may do; everything else is a 403, or a 500 where somebody could not decide. */

import { assert } from '../../base/assert.ts'
import { type Awaitable, whenThere } from '../../base/awaitable.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import { type Attributes, type Authorizer, attributesOf, refusal } from '../auth/authorizer.ts'
import { refusedResponse, undecidedResponse } from './failure-response.ts'
import type { Filter } from './filter.ts'

/** What the audit log tells of it, under upstream's keys. */
const DECISION = 'authorization.k8s.io/decision'
const REASON = 'authorization.k8s.io/reason'

export function authorize({ authorizer }: { readonly authorizer: Authorizer }): Filter {
  return (next) => (call) => {
    const { request } = call
    assert(request.user !== undefined, 'authentication comes before authorization')
    const asked = attributesOf(request.user, call.target)
    if (!opensContainer(asked)) return whenAllowed(authorizer, asked, request, () => next(call))
    return whenAllowed(authorizer, asked, request, () =>
      whenAllowed(authorizer, { ...asked, verb: 'create' }, request, () => next(call)),
    )
  }
}

function whenAllowed(
  authorizer: Authorizer,
  attributes: Attributes,
  request: ApiRequest,
  allowed: () => Awaitable<ApiResponse>,
): Awaitable<ApiResponse> {
  const { audit, signal } = request
  const ask = () => authorizer.authorize(attributes, signal)
  return whenThere(audit ? audit.timed('authorization', ask) : ask(), ({ verdict, reason, error }) => {
    const isUndecided = verdict !== 'allow' && error !== undefined
    if (!isUndecided) audit?.annotate(DECISION, verdict === 'allow' ? 'allow' : 'forbid')
    audit?.annotate(REASON, isUndecided ? 'internal error' : reason)
    if (verdict === 'allow') return allowed()
    if (isUndecided) return undecidedResponse(error, request)
    return refusedResponse(refusal(attributes, reason), request)
  })
}

const CONTAINER_STREAMS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward'])

/** WebSockets come as GET; the right to read must not be the right to run commands. */
function opensContainer({ verb, group, resource, subresource }: Attributes): boolean {
  return verb === 'get' && group === '' && resource === 'pods' && CONTAINER_STREAMS.has(subresource)
}
