/** From what Node parsed to an `ApiRequest`: path and query apart, headers plain, the body within its limit. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Awaitable } from '../base/awaitable.ts'
import type { SharedTimer } from '../base/clock.ts'
import type { QuietAbort } from '../base/deadline.ts'
import { setOwn } from '../base/deep-freeze.ts'
import { ApiError, badRequest, bodyTooLarge, timeout } from '../machinery/meta/api-error.ts'
import type { ApiRequest, RequestBody } from '../machinery/wire/message.ts'
import type { BodyBudget } from './body-budget.ts'
import type { Peer } from './peer-certificate.ts'

export type Incoming = IncomingMessage | Http2ServerRequest
export type Outgoing = ServerResponse | Http2ServerResponse

/**
 * Throws `ApiError` 400 for a target that is no path. All fields are there from the start, also those that are found
 * out later: so that requests are the same to the engine wherever they have come to.
 */
export function apiRequestOf(
  request: Incoming,
  body: RequestBody,
  signal: AbortSignal,
  peer: Peer,
  { bodyFailure, exchange, ownAbort }: Pick<ApiRequest, 'bodyFailure' | 'exchange' | 'ownAbort'> = NOTHING_MORE,
): ApiRequest {
  const { path, query } = targetOf(request.url ?? '')
  return {
    method: (request.method ?? 'GET').toUpperCase(),
    path,
    query: new URLSearchParams(query),
    rawQuery: query,
    headers: plainHeaders(request),
    rawHeaders: request.rawHeaders,
    body,
    signal,
    ownAbort,
    peer: peer.user,
    frontProxy: peer.frontProxy,
    peerFailure: peer.failure,
    remoteAddress: request.socket.remoteAddress?.replace(/^::ffff:/, ''),
    wants: 'bytes',
    bodyFailure,
    exchange,
    user: undefined,
    warn: undefined,
    cause: undefined,
    audit: undefined,
  }
}

const NOTHING_MORE = {}

/** `/path?query`, or the absolute form that proxies send. */
function targetOf(url: string): { readonly path: string; readonly query: string } {
  const target = url.startsWith('/') ? null : /^https?:\/\/[^/?#]*/i.exec(url)
  const text = target ? url.slice(target[0].length) || '/' : url
  if (!text.startsWith('/') || FORBIDDEN_CHARACTER.test(text)) throw badRequest('the request target is no path')
  const question = text.indexOf('?')
  return question < 0 ? { path: text, query: '' } : { path: text.slice(0, question), query: text.slice(question + 1) }
}

/** Control characters, blanks and fragments. HTTP/1.1's parser refuses most of them, HTTP/2's does not. */
const FORBIDDEN_CHARACTER = /[^\x21\x22\x24-\x7e\x80-\xff]/

/** Nobody changes them: what Node has made of the lines of a request is taken as it is. */
function plainHeaders(request: Incoming): ApiRequest['headers'] {
  const received = request.headers
  // Over HTTP/1.1 no other field comes as a list.
  if (request.httpVersionMajor === 1 && received['set-cookie'] === undefined) return received as ApiRequest['headers']
  const headers: Record<string, string> = {}
  for (const name in received) {
    const value = received[name]
    if (value === undefined) continue
    if (!name.startsWith(':')) setOwn(headers, name, Array.isArray(value) ? value.join(', ') : value)
    else if (name === ':authority' && typeof value === 'string') headers.host ??= value
  }
  return headers
}

export interface ReceivedBody {
  readonly body: RequestBody
  /** Why there is none. Who may ask nothing is not told what is wrong with the body, so that has to wait. */
  readonly failure: ApiError | undefined
}

export const NO_BODY: RequestBody = { type: 'none' }
const NOTHING_RECEIVED: ReceivedBody = { body: NO_BODY, failure: undefined }

export interface ReadingParts {
  /** How long a body may take. */
  readonly limit: SharedTimer
  readonly abort: QuietAbort
  readonly budget: BodyBudget
}

/**
 * Fails with 413 beyond the limit, 429 beyond the budget, 504 when the caller is too slow. Rejects with the signal's
 * reason when it leaves. What it answers has been taken from the budget.
 */
export function readBody(request: Incoming, bytesMax: number, parts: ReadingParts): Awaitable<ReceivedBody> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  // Over HTTP/2 a body is there without a word.
  const mayHaveBody = length !== undefined || encoding !== undefined || request.httpVersionMajor > 1
  if (!mayHaveBody) return NOTHING_RECEIVED
  if (request.method === 'GET' || request.method === 'HEAD') {
    // Nobody reads it.
    request.resume()
    return NOTHING_RECEIVED
  }
  if (Number(length ?? 0) > bytesMax) return { body: NO_BODY, failure: bodyTooLarge(bytesMax) }
  return bodyFrom(request, bytesMax, parts)
}

function bodyFrom(request: Incoming, bytesMax: number, parts: ReadingParts): Promise<ReceivedBody> {
  const { limit, abort, budget } = parts
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    let settled = false
    const settle = (finish: () => void) => {
      if (settled) return
      settled = true
      timer.cancel()
      abort.onAbort = undefined
      finish()
    }
    const fail = (reason: unknown) =>
      settle(() => {
        budget.give(bytes)
        request.removeAllListeners('data')
        request.resume()
        if (reason instanceof ApiError) resolve({ body: NO_BODY, failure: reason })
        else reject(reason)
      })
    const timer = limit.start(() => fail(timeout('the request body did not arrive')))
    abort.onAbort = () => fail(abort.signal.reason)
    request.on('data', (chunk: Buffer) => {
      if (bytes + chunk.length > bytesMax) return void fail(bodyTooLarge(bytesMax))
      try {
        budget.take(chunk.length)
      } catch (error) {
        return void fail(error)
      }
      bytes += chunk.length
      chunks.push(chunk)
    })
    request.on('end', () => settle(() => resolve({ body: bodyOf(chunks), failure: undefined })))
    request.on('error', (error: Error) => fail(badRequest(`the request body broke off: ${error.message}`)))
  })
}

function bodyOf(chunks: readonly Buffer[]): RequestBody {
  if (chunks.length === 0) return NO_BODY
  const [only] = chunks
  return { type: 'bytes', bytes: chunks.length === 1 && only ? only : Buffer.concat(chunks) }
}
