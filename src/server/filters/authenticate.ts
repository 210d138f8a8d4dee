/** Finds out who asks, or answers 401. From here on the request carries its user, and writes a cause. */

import { whenThere } from '../../base/awaitable.ts'
import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { createLogLimit } from '../../base/log-limit.ts'
import { unauthorized } from '../../machinery/meta/api-error.ts'
import type { ApiRequest } from '../../machinery/wire/message.ts'
import type { Authenticator, Proof } from '../auth/authenticator.ts'
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
  const tell = (reason: string, from: string | undefined): void =>
    limit((leftOut) => log.warn('a request could not be authenticated', { from, reason, ...(leftOut && { leftOut }) }))
  return (next) =>
    ({ request, target }) => {
      const ask = () => authenticator.authenticate(request)
      return whenThere(request.audit ? request.audit.timed('authentication', ask) : ask(), (result) => {
        if (result.outcome === 'failed') tell(result.reason, request.remoteAddress)
        if (result.outcome !== 'user') throw unauthorized()
        return next({ request: withUser(request, result), target })
      })
    }
}

function withUser(request: ApiRequest, { user, warnings, facts }: Proof): ApiRequest {
  if (warnings) for (const text of warnings) request.warn?.(text)
  if (facts) for (const [key, value] of facts) request.audit?.annotate(key, value)
  const cause = request.cause ?? { by: 'request', user: user.name, about: request.headers['audit-id'] }
  return { ...withoutCredentials(withoutRemoteHeaders(request)), user, cause }
}

function withoutCredentials(request: ApiRequest): ApiRequest {
  if (request.headers.authorization === undefined) return request
  const { authorization, ...headers } = request.headers
  return { ...request, headers }
}
