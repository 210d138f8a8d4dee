/**
 * Limits on requests under way, apart for reading and writing. Beyond them callers get 429 and come again in a
 * second. Superusers and this process's own components are never turned away: they are who can help.
 */

import { assert } from '../../base/assert.ts'
import { tooManyRequests } from '../../machinery/meta/api-error.ts'
import { isSuperuser } from '../auth/superusers.ts'
import { type Filter, isLongRunning } from './filter.ts'

export interface InFlightLimits {
  readonly readingMax: number
  readonly mutatingMax: number
}

/** Upstream's `max-requests-inflight` and `max-mutating-requests-inflight`. */
const DEFAULT_LIMITS: InFlightLimits = { readingMax: 400, mutatingMax: 200 }
const RETRY_AFTER_SECONDS = 1

const READING: ReadonlySet<string> = new Set(['get', 'list', 'watch', 'head', 'options'])

export function flowControl(parts: { readonly limits?: Partial<InFlightLimits> | undefined }): Filter {
  const limits = { ...DEFAULT_LIMITS, ...parts.limits }
  const underWay = { reading: 0, mutating: 0 }
  return (next) => async (call) => {
    const { request, target } = call
    assert(request.user !== undefined, 'authentication comes before flow control')
    if (isLongRunning(target) || request.wants === 'object' || isSuperuser(request.user)) return next(call)
    const kind = READING.has(target.verb) ? 'reading' : 'mutating'
    if (underWay[kind] >= limits[`${kind}Max`])
      throw tooManyRequests('Too many requests, please try again later.', RETRY_AFTER_SECONDS)
    underWay[kind]++
    try {
      return await next(call)
    } finally {
      underWay[kind]--
    }
  }
}
