/** Whatever is thrown below becomes a Status; what is no `ApiError` goes to the log, not to the caller. */

import type { Logger } from '../../base/log.ts'
import { ApiError, toStatus } from '../../machinery/meta/api-error.ts'
import { failureResponse } from './failure-response.ts'
import type { Filter } from './filter.ts'

export function panicToStatus({ log }: { readonly log: Logger }): Filter {
  return (next) => async (call) => {
    const { request } = call
    try {
      return await next(call)
    } catch (error) {
      if (!(error instanceof ApiError) && !request.signal.aborted)
        log.error('a request failed unexpectedly', { method: request.method, path: request.path, error })
      return failureResponse(toStatus(error), request)
    }
  }
}
