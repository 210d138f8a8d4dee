/** Lets through what the user may do; everything else is a 403. */

import { assert } from '../../base/assert.ts'
import { type Attributes, type Authorizer, attributesOf, refusalOf } from '../auth/authorizer.ts'
import { refusedResponse } from './failure-response.ts'
import type { Filter } from './filter.ts'

export function authorize({ authorizer }: { readonly authorizer: Authorizer }): Filter {
  return (next) => async (call) => {
    const { user } = call.request
    assert(user !== undefined, 'authentication comes before authorization')
    const asked = attributesOf(user, call.target)
    const needed = opensContainer(asked) ? [asked, { ...asked, verb: 'create' }] : [asked]
    for (const attributes of needed) {
      const refused = await refusalOf(authorizer, attributes, call.request.signal)
      if (refused) return refusedResponse(refused, call.request)
    }
    return next(call)
  }
}

const CONTAINER_STREAMS: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward'])

/** WebSockets come as GET; the right to read must not be the right to run commands. */
function opensContainer({ verb, group, resource, subresource }: Attributes): boolean {
  return verb === 'get' && group === '' && resource === 'pods' && CONTAINER_STREAMS.has(subresource)
}
