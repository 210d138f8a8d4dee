/** One request for an aggregated server: where it goes, as whom, in which way, and what is answered when it cannot. */

import { assert } from '../../base/assert.ts'
import type { Clock } from '../../base/clock.ts'
import { DeadlineExceeded, deadline, orAborted } from '../../base/deadline.ts'
import { ApiError } from '../../machinery/meta/api-error.ts'
import { encodeJson } from '../../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import { callFailure } from '../outbound/call-failures.ts'
import { collect } from '../outbound/framing.ts'
import { asObject, relayed, statusAnswer, textAnswer } from './answers.ts'
import { call } from './call.ts'
import { backendHeaders } from './caller-headers.ts'
import { type Connections, type Reached, Unresolved } from './connections.ts'
import { passOn } from './pass-on.ts'
import type { RemoteVersion } from './remote-version.ts'
import { upgrade } from './upgrade.ts'

export interface ForwardParts {
  readonly clock: Clock
  readonly connections: Connections
}

/** For what a version has: clients look at all groups before they do anything, in ms; upstream's. */
const DISCOVERY_TIMEOUT_MS = 5_000
/** For its OpenAPI document, in ms; as for every request. */
const OPENAPI_TIMEOUT_MS = 60_000
/** Bytes of such documents. */
const DOCUMENT_BYTES_MAX = 32 * 1024 * 1024

export async function forward(
  { clock, connections }: ForwardParts,
  remote: RemoteVersion,
  request: ApiRequest,
  target: RequestTarget,
): Promise<ApiResponse> {
  if (!remote.available) return unavailable(request, 'service unavailable')
  if (target.type === 'resource') return attempt(connections, remote, request, send)
  // Read whole within the time: it is small, and whoever asks has others to ask as well.
  const timeoutMs = request.path.startsWith('/apis/') ? DISCOVERY_TIMEOUT_MS : OPENAPI_TIMEOUT_MS
  using limit = deadline(clock, timeoutMs, request.signal)
  return attempt(connections, remote, { ...request, signal: limit.signal }, async (reached, limited) => {
    const { body, ...head } = await send(reached, limited)
    if (body.type !== 'stream') return { ...head, body }
    const bytes = await orAborted(collect(body.chunks, DOCUMENT_BYTES_MAX), limit.signal)
    if (bytes === undefined) throw new Error(`the answer is larger than ${DOCUMENT_BYTES_MAX} bytes`)
    return { ...head, body: { type: 'bytes', bytes } }
  })
}

type Sending = (reached: Reached, request: ApiRequest) => Promise<ApiResponse>

async function attempt(
  connections: Connections,
  remote: RemoteVersion,
  request: ApiRequest,
  sending: Sending,
): Promise<ApiResponse> {
  try {
    return await sending(await orAborted(connections.reach(remote), request.signal), request)
  } catch (error) {
    if (error instanceof ApiError) throw error
    if (error instanceof Unresolved) return unavailable(request, 'service unavailable')
    const { aborted, reason } = request.signal
    if (aborted && !(reason instanceof DeadlineExceeded)) throw error
    const failed = isUpgrade(request) ? 'error dialing backend' : 'error trying to reach service'
    return unavailable(request, `${failed}: ${callFailure(error, request.signal)}`)
  }
}

/** Callers in this process get the Status that a client of upstream's makes of it. */
function unavailable({ wants }: ApiRequest, text: string): ApiResponse {
  return wants === 'object' ? statusAnswer(503, undefined) : textAnswer(503, text)
}

/** As Node's HTTP server decides it: the connection is handed over then. */
function isUpgrade({ headers: { connection = '', upgrade: protocol = '' }, wants }: ApiRequest): boolean {
  return wants === 'bytes' && protocol !== '' && /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(connection)
}

async function send(reached: Reached, request: ApiRequest): Promise<ApiResponse> {
  const { user, exchange, method, signal } = request
  assert(user, 'authentication comes before everything')
  const query = request.query.toString()
  const path = query === '' ? request.path : `${request.path}?${query}`
  const { authority } = reached
  const headers = backendHeaders(request, user, { authority, keepsLength: exchange !== undefined })
  if (isUpgrade(request)) {
    return upgrade(reached, { method, path, headers, protocol: request.headers.upgrade ?? '', signal })
  }
  if (exchange) return relayed(await passOn(reached, { exchange, method, path, headers, signal }))
  const accepting = { accept: 'application/json', ...headers }
  const answer = await call(reached, { method, path, headers: accepting, body: bodyOf(request), signal })
  return request.wants === 'object' ? asObject(answer, request) : relayed(answer)
}

function bodyOf({ body }: ApiRequest): Uint8Array | undefined {
  if (body.type === 'none') return undefined
  return body.type === 'bytes' ? body.bytes : encodeJson(body.object)
}
