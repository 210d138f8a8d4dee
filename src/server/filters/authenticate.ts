/** Finds out who asks, or answers 401. From here on the request carries its user, and writes a cause. */

import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { createLogLimit } from '../../base/log-limit.ts'
import { unauthorized } from '../../machinery/meta/api-error.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import { withoutRemoteHeaders } from '../auth/request-header.ts'
import type { Filter } from './filter.ts'

interface AuthenticateParts {
  readonly authenticator: Authenticator
  readonly log: Logger
  readonly clock: Clock
}

/** Failures that the log tells of; the audit log has them all. */
const FAILURES_TOLD = { linesMax: 20, periodMs: 10_000 }

export function authenticate({ authenticator, log, clock }: AuthenticateParts): Filter {
  const limit = createLogLimit(clock, FAILURES_TOLD)
  return (next) => async (call) => {
    const { request } = call
    const ask = () => authenticator.authenticate(request)
    const result = await (request.audit?.timed('authentication', ask) ?? ask())
    if (result.outcome === 'failed') {
      const { reason } = result
      const from = request.remoteAddress
      limit((leftOut) =>
        log.warn('a request could not be authenticated', { from, reason, ...(leftOut && { leftOut }) }),
      )
    }
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
