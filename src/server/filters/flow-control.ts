/**
 * Lets a request through when its priority level has seats for it, and turns it away with 429 when it had to wait for
 * too long. Streams to containers and proxies are not counted; a watch is until it has begun.
 */

import { assert } from '../../base/assert.ts'
import { ApiError } from '../../machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import type { FlowControl } from '../flow-control/flow-control.ts'
import { requestTimeoutMs } from './deadline.ts'
import { failureResponse } from './failure-response.ts'
import { type Filter, isLongRunning, withHeaders } from './filter.ts'

/** The part of its time that a request may spend waiting; of a watch, which has no end, of the usual time. */
const WAIT_SHARE = 1 / 4
/** Whatever time the caller has. */
const WAIT_MS_MAX = 60_000

/** Absent: everything is let through. */
export function flowControl({ flowControl: control }: { readonly flowControl?: FlowControl | undefined }): Filter {
  if (control === undefined) return (next) => next
  return (next) => async (call) => {
    const { request, target } = call
    const { user, query, signal } = request
    assert(user !== undefined, 'authentication comes before flow control')
    const isWatch = target.verb === 'watch'
    if (isLongRunning(target) && !isWatch) return next(call)
    const inProcess = request.wants === 'object'
    const ticket = control.start({ user, target, query, inProcess })
    if (ticket.standing === 'waiting') await control.turnOf(ticket, waitMs(request, isWatch), signal)
    if (ticket.standing !== 'running') return refusal(control.retryAfter(ticket), ticket.flow.headers)
    try {
      const answer = await next(call)
      if (inProcess) return answer
      if (answer.body.type === 'stream') control.watching(target, signal)
      return withHeaders(answer, ticket.flow.headers)
    } catch (error) {
      // What is refused tells of its classification as well.
      if (inProcess || !(error instanceof ApiError)) throw error
      return withHeaders(failureResponse(error.status, request), ticket.flow.headers)
    } finally {
      control.finish(ticket)
    }
  }
}

function waitMs({ query }: ApiRequest, isWatch: boolean): number {
  const wholeMs = requestTimeoutMs(isWatch ? null : query.get('timeout'))
  return Math.min(WAIT_MS_MAX, wholeMs * WAIT_SHARE)
}

/** As upstream: a text, no Status. */
function refusal(retryAfterSeconds: number, classified: Readonly<Record<string, string>>): ApiResponse {
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'retry-after': String(retryAfterSeconds),
    ...classified,
  }
  const bytes = Buffer.from('Too many requests, please try again later.\n')
  return { status: 429, headers, body: { type: 'bytes', bytes } }
}
