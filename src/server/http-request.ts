/** From what Node parsed to an `ApiRequest`: path and query apart, headers plain, the body within its limit. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Awaitable } from '../base/awaitable.ts'
import type { Clock } from '../base/clock.ts'
import { setOwn } from '../base/deep-freeze.ts'
import { badRequest, bodyTooLarge, timeout } from '../machinery/meta/api-error.ts'
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
  { bodyFailure, exchange }: Pick<ApiRequest, 'bodyFailure' | 'exchange'> = NOTHING_MORE,
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

function plainHeaders(request: Incoming): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  const received = request.headers
  for (const name in received) {
    const value = received[name]
    if (value === undefined) continue
    if (!name.startsWith(':')) setOwn(headers, name, Array.isArray(value) ? value.join(', ') : value)
    else if (name === ':authority' && typeof value === 'string') headers.host ??= value
  }
  return headers
}

export interface BodyLimits {
  readonly bodyBytesMax: number
  readonly requestTimeoutMs: number
}

/**
 * Throws `ApiError` 413 beyond the limit, 429 beyond the budget, 504 when the caller is too slow, and the signal's reason
 * when it leaves. What it answers has been taken from the budget.
 */
export function readBody(request: Incoming, limits: BodyLimits, parts: ReadingParts): Awaitable<RequestBody> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers
  if (request.method === 'GET' || request.method === 'HEAD') {
    // Nobody reads it; what is not there need not be passed over. Over HTTP/2 it is there without a word.
    if (length !== undefined || encoding !== undefined || request.httpVersionMajor > 1) request.resume()
    return NO_BODY
  }
  if (Number(length ?? 0) > limits.bodyBytesMax) throw bodyTooLarge(limits.bodyBytesMax)
  return bodyFrom(request, limits, parts)
}

const NO_BODY: RequestBody = { type: 'none' }

export interface ReadingParts {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly budget: BodyBudget
}

function bodyFrom(
  request: Incoming,
  { bodyBytesMax, requestTimeoutMs }: BodyLimits,
  { clock, signal, budget }: ReadingParts,
): Promise<RequestBody> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const fail = (reason: unknown) =>
      settle(() => {
        budget.give(bytes)
        reject(reason)
      })
    const timer = clock.after(requestTimeoutMs, () => fail(timeout('the request body did not arrive')))
    const onAbort = () => fail(signal.reason)
    let settled = false
    const settle = (finish: () => void) => {
      if (settled) return
      settled = true
      timer.cancel()
      signal.removeEventListener('abort', onAbort)
      request.removeAllListeners('data')
      request.resume()
      finish()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    request.on('data', (chunk: Buffer) => {
      if (bytes + chunk.length > bodyBytesMax) return void fail(bodyTooLarge(bodyBytesMax))
      try {
        budget.take(chunk.length)
      } catch (error) {
        return void fail(error)
      }
      bytes += chunk.length
      chunks.push(chunk)
    })
    request.once('end', () => settle(() => resolve(bodyOf(chunks))))
    request.once('error', (error) => fail(badRequest(`the request body broke off: ${error.message}`)))
  })
}

function bodyOf(chunks: readonly Buffer[]): RequestBody {
  if (chunks.length === 0) return NO_BODY
  const [only] = chunks
  return { type: 'bytes', bytes: chunks.length === 1 && only ? only : Buffer.concat(chunks) }
}
