/** A minute for every request that is not meant to last; then its signal aborts and the caller gets a 504. */

import { type Clock, SharedTimer, type Timer } from '../../base/clock.ts'
import { DeadlineExceeded, NEVER } from '../../base/deadline.ts'
import { badRequest, timeout } from '../../machinery/meta/api-error.ts'
import type { ApiResponse } from '../../machinery/wire/message.ts'
import { type Filter, isLongRunning } from './filter.ts'

/** Upstream's `request-timeout`. */
const REQUEST_TIMEOUT_MS = 60_000

export function requestDeadline({ clock }: { readonly clock: Clock }): Filter {
  const usual = new SharedTimer(clock, REQUEST_TIMEOUT_MS)
  return (next) => (call) => {
    const { request, target } = call
    if (isLongRunning(target)) return next(call)
    const limitMs = requestTimeoutMs(request.query.get('timeout'))
    const { ownAbort } = request
    const abort = ownAbort ?? new AbortController()
    const answer = next(ownAbort ? call : { request: { ...request, signal: abort.signal }, target })
    // What is answered at once can neither be late nor be given up.
    if (!(answer instanceof Promise)) return answer
    const start = (late: () => void) =>
      limitMs === REQUEST_TIMEOUT_MS ? usual.start(late) : clock.after(limitMs, late)
    return inTime(answer, { abort, start, parent: ownAbort || request.signal === NEVER ? undefined : request.signal })
  }
}

interface Limit {
  /** Of the signal that the request is handled with. */
  readonly abort: AbortController
  start(late: () => void): Timer
  /** What the caller gives up with, where that is another signal. */
  readonly parent: AbortSignal | undefined
}

/** A caller that has gone is not waited for either; one over the wire is not there to be told. */
function inTime(answer: Promise<ApiResponse>, { abort, start, parent }: Limit): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const settled = () => {
      timer.cancel()
      parent?.removeEventListener('abort', leave)
    }
    const giveUp = (reason: unknown, told: unknown) => {
      settled()
      reject(told)
      abort.abort(reason)
    }
    const timer = start(() => giveUp(new DeadlineExceeded('the request took too long'), tooLate()))
    const leave = () => giveUp(parent?.reason, parent?.reason)
    parent?.addEventListener('abort', leave, { once: true })
    if (parent?.aborted) leave()
    answer.then(
      (value) => {
        settled()
        resolve(value)
      },
      (error: unknown) => {
        settled()
        reject(error instanceof DeadlineExceeded ? tooLate() : error)
      },
    )
  })
}

function tooLate() {
  return timeout('request did not complete within requested timeout - context deadline exceeded')
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
