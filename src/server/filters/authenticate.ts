/** Finds out who asks, or answers 401. From here on the request carries its user, and writes a cause. */

import type { Logger } from '../../base/log.ts'
import { unauthorized } from '../../machinery/meta/api-error.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import { withoutRemoteHeaders } from '../auth/request-header.ts'
import type { Filter } from './filter.ts'

export function authenticate(parts: { readonly authenticator: Authenticator; readonly log: Logger }): Filter {
  return (next) => async (call) => {
    const { request } = call
    const ask = () => parts.authenticator.authenticate(request)
    const result = await (request.audit?.timed('authentication', ask) ?? ask())
    if (result.outcome === 'failed')
      parts.log.warn('a request could not be authenticated', { from: request.remoteAddress, reason: result.reason })
    if (result.outcome !== 'user') throw unauthorized()
    const { user, warnings = [], facts = [] } = result
    for (const text of warnings) request.warn?.(text)
    for (const [key, value] of facts) request.audit?.annotate(key, value)
    const cause = request.cause ?? { by: 'request', user: user.name, about: request.headers['audit-id'] }
    const { headers, ...rest } = withoutRemoteHeaders(request)
    const { authorization, ...others } = headers
    return next({ ...call, request: { ...rest, headers: others, user, cause } })
  }
}
