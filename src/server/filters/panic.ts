/** Whatever is thrown below becomes a Status; what is no `ApiError` goes to the log, not to the caller. */

import { orElse } from '../../base/awaitable.ts'
import type { Logger } from '../../base/log.ts'
import { ApiError, toStatus } from '../../machinery/meta/api-error.ts'
import { failureResponse } from './failure-response.ts'
import type { Filter } from './filter.ts'

export function panicToStatus({ log }: { readonly log: Logger }): Filter {
  return (next) => (call) =>
    orElse(
      () => next(call),
      (error) => {
        const { request } = call
        if (!(error instanceof ApiError) && !request.signal.aborted)
          log.error('a request failed unexpectedly', { method: request.method, path: request.path, error })
        return failureResponse(toStatus(error), request)
      },
    )
}
