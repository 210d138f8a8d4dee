/** Requests over TLS to a server in another process, with connections kept alive. */

import type { IncomingMessage } from 'node:http'
import { Agent, request as httpsRequest } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import { ApiError, serviceUnavailable } from '../machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse } from '../machinery/wire/message.ts'
import type { Transport } from './transport.ts'

export interface HttpTransportOptions {
  /** `https://host:port`, with an optional path prefix. */
  readonly server: string
  /** PEM. */
  readonly certificateAuthority?: string | undefined
  readonly clientCertificate?: string | undefined
  readonly clientKey?: string | undefined
  readonly token?: string | undefined
  readonly userAgent: string
}

/** Idle connections kept for the next request; more are opened under load and closed after. */
const IDLE_CONNECTIONS_MAX = 16

export interface HttpTransport extends Transport, Disposable {}

export function createHttpTransport(options: HttpTransportOptions): HttpTransport {
  const base = new URL(options.server)
  const agent = new Agent({
    keepAlive: true,
    maxFreeSockets: IDLE_CONNECTIONS_MAX,
    ca: options.certificateAuthority,
    cert: options.clientCertificate,
    key: options.clientKey,
  })
  return {
    wants: 'bytes',
    send: (request) =>
      send(agent, base, options, request).catch((error: unknown) => {
        // The server closed an idle connection at the moment it was used again: what only reads may ask once more.
        if (!(error instanceof StaleConnection) || request.method !== 'GET') throw error
        return send(agent, base, options, request)
      }),
    [Symbol.dispose]: () => agent.destroy(),
  }
}

class StaleConnection extends ApiError {
  constructor(host: string) {
    super(503, 'ServiceUnavailable', `${host} closed the connection`)
  }
}

function send(agent: Agent, base: URL, options: HttpTransportOptions, request: ApiRequest): Promise<ApiResponse> {
  const query = request.query.toString()
  const body = bodyOf(request)
  const { promise, resolve, reject } = Promise.withResolvers<ApiResponse>()
  const outgoing = httpsRequest({
    agent,
    host: urlToHttpOptions(base).hostname,
    port: base.port || 443,
    method: request.method,
    path: `${base.pathname.replace(/\/$/, '')}${request.path}${query === '' ? '' : `?${query}`}`,
    headers: headersOf(request, options, body),
    signal: request.signal,
  })
  const failureOf = (error: Error & { readonly code?: string }): unknown => {
    if (request.signal.aborted) return request.signal.reason
    if (outgoing.reusedSocket && error.code === 'ECONNRESET') return new StaleConnection(base.host)
    return serviceUnavailable(`${base.host} does not answer: ${error.message}`)
  }
  outgoing.on('error', (error) => reject(failureOf(error)))
  outgoing.on('response', (incoming) => {
    responseOf(incoming, request).then(resolve, (error) => reject(failureOf(error)))
  })
  outgoing.end(body)
  return promise
}

function bodyOf({ body }: ApiRequest): Uint8Array | undefined {
  if (body.type === 'none') return undefined
  return body.type === 'bytes' ? body.bytes : Buffer.from(JSON.stringify(body.object))
}

function headersOf(
  request: ApiRequest,
  { token, userAgent }: HttpTransportOptions,
  body: Uint8Array | undefined,
): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': userAgent, accept: 'application/json' }
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined) headers[name] = value
  if (token !== undefined) headers.authorization = `Bearer ${token}`
  if (body) headers['content-length'] = String(body.byteLength)
  return headers
}

async function responseOf(incoming: IncomingMessage, request: ApiRequest): Promise<ApiResponse> {
  const status = incoming.statusCode ?? 0
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(incoming.headers))
    headers[name] = Array.isArray(value) ? value.join(', ') : (value ?? '')
  if (status < 300 && isStream(request)) return { status, headers, body: { type: 'stream', chunks: incoming } }
  const chunks: Uint8Array[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return { status, headers, body: { type: 'bytes', bytes: Buffer.concat(chunks) } }
}

function isStream({ query }: ApiRequest): boolean {
  return isTrue(query.get('watch')) || isTrue(query.get('follow'))
}

function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1'
}
