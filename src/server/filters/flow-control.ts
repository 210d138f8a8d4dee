/**
 * Lets a request through when its priority level has seats for it, and turns it away with 429 when it had to wait for
 * too long. Streams to containers and proxies are not counted; a watch is until it has begun.
 */

import { assert } from '../../base/assert.ts'
import { type Awaitable, lastly, whenDone } from '../../base/awaitable.ts'
import { ApiError } from '../../machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import type { FlowControl } from '../flow-control/flow-control.ts'
import type { Ticket } from '../flow-control/ticket.ts'
import { requestTimeoutMs } from './deadline.ts'
import { failureResponse } from './failure-response.ts'
import { type Call, type Filter, isLongRunning, type Step, withHeaders } from './filter.ts'

/** The part of its time that a request may spend waiting; of a watch, which has no end, of the usual time. */
const WAIT_SHARE = 1 / 4
/** Whatever time the caller has. */
const WAIT_MS_MAX = 60_000

/** Absent: everything is let through. */
export function flowControl({ flowControl: control }: { readonly flowControl?: FlowControl | undefined }): Filter {
  if (control === undefined) return (next) => next
  const begin = <T extends RequestTarget>(next: Step<T>, call: Call<T>, ticket: Ticket): Awaitable<ApiResponse> => {
    if (ticket.standing !== 'running') return refusal(control.retryAfter(ticket), ticket.flow.headers)
    const inProcess = call.request.wants === 'object'
    return lastly(
      () => (inProcess ? next(call) : classified(control, next, call, ticket)),
      () => control.finish(ticket),
    )
  }
  return (next) => (call) => {
    const { request, target } = call
    const { user, query } = request
    assert(user !== undefined, 'authentication comes before flow control')
    const isWatch = target.verb === 'watch'
    if (isLongRunning(target) && !isWatch) return next(call)
    const ticket = control.start({ user, target, query, inProcess: request.wants === 'object' })
    if (ticket.standing !== 'waiting') return begin(next, call, ticket)
    return control.turnOf(ticket, waitMs(request, isWatch), request).then(() => begin(next, call, ticket))
  }
}

/** The answer, which tells of the classification; what is refused does so as well. */
function classified<Target extends RequestTarget>(
  control: FlowControl,
  next: Step<Target>,
  call: Call<Target>,
  { flow }: Ticket,
): Awaitable<ApiResponse> {
  const { request, target } = call
  return whenDone(
    () => next(call),
    (answer) => {
      if (answer.body.type === 'stream') control.watching(target, request.signal)
      return withHeaders(answer, flow.headers)
    },
    (error) => {
      if (!(error instanceof ApiError)) throw error
      return withHeaders(failureResponse(error.status, request), flow.headers)
    },
  )
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
