/** A minute for every request that is not meant to last; then its signal aborts and the caller gets a 504. */

import type { Clock } from '../../base/clock.ts'
import { type Deadline, DeadlineExceeded, deadline, orAborted } from '../../base/deadline.ts'
import { badRequest, timeout } from '../../machinery/meta/api-error.ts'
import type { ApiResponse } from '../../machinery/wire/message.ts'
import { type Filter, isLongRunning } from './filter.ts'

/** Upstream's `request-timeout`. */
const REQUEST_TIMEOUT_MS = 60_000

export function requestDeadline({ clock }: { readonly clock: Clock }): Filter {
  return (next) => (call) => {
    const { request, target } = call
    if (isLongRunning(target)) return next(call)
    const limitMs = requestTimeoutMs(request.query.get('timeout'))
    const limit = new AbortController()
    const answer = next({ request: { ...request, signal: limit.signal }, target })
    // What is answered at once can neither be late nor be given up.
    return answer instanceof Promise ? inTime(answer, deadline(clock, limitMs, request.signal, limit)) : answer
  }
}

async function inTime(answer: Promise<ApiResponse>, limit: Deadline): Promise<ApiResponse> {
  using _ = limit
  try {
    return await orAborted(answer, limit.signal)
  } catch (error) {
    if (!(error instanceof DeadlineExceeded)) throw error
    throw timeout('request did not complete within requested timeout - context deadline exceeded')
  }
}

const UNITS_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** `?timeout=10s`, never more than the server's own; absent or 0: the server's own. */
export function requestTimeoutMs(text: string | null): number {
  if (text === null || text === '') return REQUEST_TIMEOUT_MS
  if (!/^(?:\d+(?:\.\d+)?(?:h|ms|m|s))+$/.test(text) && text !== '0')
    throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`)
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g))
    total += Number(amount) * (UNITS_MS[unit ?? ''] ?? 0)
  return total === 0 ? REQUEST_TIMEOUT_MS : Math.min(total, REQUEST_TIMEOUT_MS)
}
