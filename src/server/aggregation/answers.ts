/**
 * What an aggregated server answers, as this server's answer: relayed as it comes, but for what concerns one connection
 * only. Where it would send the client elsewhere, the client is told so and sent nowhere.
 */

import type { IncomingMessage } from 'node:http'
import { deepFreeze } from '../../base/deep-freeze.ts'
import { ApiError, internalError, type Status } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { DecodeError, decodeTrustedJson } from '../../machinery/wire/json.ts'
import type { ApiRequest, ApiResponse, WatchEvent } from '../../machinery/wire/message.ts'
import { decodeWatchFrames } from '../../machinery/wire/watch-frames.ts'
import { collect } from '../outbound/framing.ts'

/** Who may read this server's answers in a browser, and what the browser keeps for it, is not for others to say. */
export const UNTOLD: ReadonlySet<string> = new Set([
  ...['access-control-allow-credentials', 'access-control-allow-headers', 'access-control-allow-methods'],
  ...['access-control-allow-origin', 'set-cookie', 'alt-svc', 'audit-id'],
])
const OF_CONNECTION: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'te', 'trailer', 'transfer-encoding'],
  ...['upgrade', 'http2-settings'],
])

/** Bytes of an answer that is read whole, for a caller in this process: a list of 100,000 large objects. */
const ANSWER_BYTES_MAX = 256 * 1024 * 1024

export function relayed(response: IncomingMessage): ApiResponse {
  const { statusCode = 502, headers } = response
  // Who reads the body hears of it, too.
  response.on('error', () => {})
  if (isRedirect(response)) {
    response.destroy()
    return textAnswer(502, 'the backend attempted to redirect this request, which is not permitted', '')
  }
  const kept = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined || UNTOLD.has(name) || OF_CONNECTION.has(name)
      ? []
      : [[name, Array.isArray(value) ? value.join(', ') : value]],
  )
  return { status: statusCode, headers: Object.fromEntries(kept), body: { type: 'stream', chunks: chunksOf(response) } }
}

/** Whoever stops reading ends the connection at once, and not with the next chunk, which may never come. */
function chunksOf(response: IncomingMessage): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const chunks = response[Symbol.asyncIterator]()
      return {
        next: () => chunks.next(),
        return() {
          response.destroy()
          return Promise.resolve({ done: true, value: undefined })
        },
      }
    },
  }
}

function isRedirect({ statusCode = 0, headers }: IncomingMessage): boolean {
  return statusCode >= 300 && statusCode <= 399 && headers.location !== undefined
}

/** As upstream's proxy says what it has to say itself. */
export function textAnswer(status: number, text: string, end = '\n'): ApiResponse {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' }
  return { status, headers, body: { type: 'bytes', bytes: Buffer.from(`${text}${end}`) } }
}

/** The same for a caller in this process: objects, or events. */
export async function asObject(response: IncomingMessage, request: ApiRequest): Promise<ApiResponse> {
  const { status, body } = relayed(response)
  if (body.type !== 'stream') return statusAnswer(status, undefined)
  if (status < 300 && isWatch(request)) return { status, headers: {}, body: { type: 'events', events: eventsOf(body) } }
  const bytes = await collect(body.chunks, ANSWER_BYTES_MAX)
  if (bytes === undefined) return failed(internalError(`the answer is larger than ${ANSWER_BYTES_MAX} bytes`))
  const object = parsed(bytes)
  if (status >= 300 || object === undefined) return statusAnswer(status, object)
  return { status, headers: {}, body: { type: 'object', object: deepFreeze(object) } }
}

function isWatch({ query }: ApiRequest): boolean {
  return query.get('watch') === 'true' || query.get('watch') === '1'
}

async function* eventsOf({ chunks }: { readonly chunks: AsyncIterable<Uint8Array> }) {
  // Of the resource that was asked for; what else the server may send shows when it is used.
  for await (const batch of decodeWatchFrames(chunks)) yield deepFreeze(batch) as readonly WatchEvent<KubeObject>[]
}

function parsed(bytes: Uint8Array): object | undefined {
  try {
    const value = decodeTrustedJson(bytes)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch (error) {
    if (error instanceof DecodeError) return undefined
    throw error
  }
}

/** What clients make of answers that are no Status, by their code. */
const TEXTS: ReadonlyMap<number, readonly [reason: string, message: string]> = new Map([
  [404, ['NotFound', 'the server could not find the requested resource']],
  [503, ['ServiceUnavailable', 'the server is currently unable to handle the request']],
])

/** A failure. A `Status` speaks for itself. */
export function statusAnswer(code: number, object: object | undefined): ApiResponse {
  if (object && 'kind' in object && object.kind === 'Status' && code >= 400)
    return { status: code, headers: {}, body: { type: 'object', object: deepFreeze(object) } }
  const [reason, message] = TEXTS.get(code) ?? ['InternalError', `an aggregated server answered with status ${code}`]
  return failed(new ApiError(code < 400 ? 502 : code, reason, message))
}

function failed({ status, code }: ApiError): ApiResponse {
  const object: Status = status
  return { status: code, headers: {}, body: { type: 'object', object } }
}
