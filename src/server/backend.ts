/**
 * Requests that the server itself sends to kubelets, pods and services: answers relayed, upgraded connections
 * spliced. Redirects are never followed. A backend that does not upgrade gets no second word from the client.
 */

import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import { ApiError, badRequest, internalError, serviceUnavailable } from '../machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse } from '../machinery/wire/message.ts'
import { splice } from './outbound/splice.ts'

/** Credentials and checks for TLS; PEM. */
export interface BackendTls {
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  /** Absent: whatever certificate the backend shows is taken, as upstream does for pods and services. */
  readonly ca?: string | undefined
  /** The name that the certificate must be for, where that is not the host. */
  readonly serverName?: string | undefined
}

export interface Backend {
  readonly host: string
  readonly port: number
  readonly tls?: BackendTls | undefined
}

/** Bytes of a failed answer that are read for its text; upstream's limit. */
const ERROR_TEXT_BYTES = 10 * 1024
const CONNECT_TIMEOUT_MS = 30_000

/** Headers that are between the client and this server and go no further. */
const OWN_HEADERS: ReadonlySet<string> = new Set(['authorization', 'audit-id', 'host', 'proxy-authorization', 'expect'])
const OWN_PREFIXES = ['impersonate-', 'x-remote-']

/** What may be passed on of a request's headers. */
export function forwardedHeaders(headers: ApiRequest['headers']): Record<string, string> {
  const result: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || OWN_HEADERS.has(name) || OWN_PREFIXES.some((prefix) => name.startsWith(prefix))) continue
    result[name] = name === 'sec-websocket-protocol' ? withoutToken(value) : value
  }
  return result
}

/** A browser's token is among its WebSocket protocols. */
function withoutToken(protocols: string): string {
  const names = protocols.split(',').map((name) => name.trim())
  return names.filter((name) => !name.startsWith('base64url.bearer.authorization.k8s.io.')).join(', ')
}

export function requestOptions({ host, port, tls }: Backend) {
  const { certificate, key, ca, serverName } = tls ?? {}
  return {
    host,
    port,
    ...(certificate !== undefined && { cert: certificate }),
    ...(key !== undefined && { key }),
    ...(ca !== undefined && { ca }),
    ...(serverName !== undefined && { servername: serverName }),
    rejectUnauthorized: ca !== undefined,
    timeout: CONNECT_TIMEOUT_MS,
  }
}

function send(backend: Backend, path: string, request: ApiRequest, headers: Record<string, string>) {
  const options = { ...requestOptions(backend), method: request.method, path, headers, signal: request.signal }
  const sent = backend.tls
    ? requestHttps({ ...options, agent: new HttpsAgent({ keepAlive: false }) })
    : requestHttp({ ...options, agent: new HttpAgent({ keepAlive: false }) })
  sent.once('timeout', () => sent.destroy(new Error('the connection timed out')))
  sent.once('response', () => sent.setTimeout(0))
  sent.once('upgrade', () => sent.setTimeout(0))
  return sent
}

const unreachable = (error: Error): ApiError => serviceUnavailable(`error trying to reach service: ${error.message}`)

/** GET, the body relayed as it comes; failures become Statuses. Throws `ApiError`. */
export function relay(backend: Backend, path: string, request: ApiRequest): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    const sent = send(backend, path, request, {})
    sent.once('error', (error) => reject(unreachable(error)))
    sent.once('response', (response) => {
      const { statusCode = 502 } = response
      if (statusCode !== 200) return void failureOf(response).then(reject, reject)
      const headers = { 'content-type': response.headers['content-type'] ?? 'text/plain' }
      response.on('error', () => {})
      resolve({ status: 200, headers, body: { type: 'stream', chunks: response } })
    })
    sent.end()
  })
}

async function failureOf(response: IncomingMessage): Promise<ApiError> {
  const text = await errorText(response)
  const { statusCode = 502 } = response
  if (statusCode === 400) return badRequest(text)
  if (statusCode === 500) return internalError(text)
  if (statusCode === 404) return new ApiError(404, 'NotFound', text === '' ? 'not found' : text)
  return serviceUnavailable(`the node answered with ${statusCode}: ${text}`)
}

async function errorText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= ERROR_TEXT_BYTES) break
  }
  return Buffer.concat(chunks).subarray(0, ERROR_TEXT_BYTES).toString('utf8').trim()
}

/** An upgrade passed through to the backend and both connections joined. Throws `ApiError` when it does not upgrade. */
export function tunnel(backend: Backend, path: string, request: ApiRequest): Promise<ApiResponse> {
  const { upgrade } = request.headers
  if (upgrade === undefined) throw badRequest('Upgrade request required')
  return new Promise((resolve, reject) => {
    // A handshake has no body, whatever it says.
    const { 'content-length': _, 'transfer-encoding': _encoding, ...told } = forwardedHeaders(request.headers)
    const headers = { ...told, connection: 'Upgrade', upgrade }
    const sent = send(backend, path, request, headers)
    sent.once('error', (error) => reject(unreachable(error)))
    sent.once('response', (response) => failureOf(response).then(reject, reject))
    sent.once('upgrade', (response, far, farHead) =>
      resolve({
        status: 101,
        headers: {},
        body: {
          type: 'upgrade',
          connect: ({ socket, head }) => {
            socket.write(switchingHead(response))
            if (farHead.length > 0) socket.write(farHead)
            if (head.length > 0) far.write(head)
            splice(socket, far)
          },
        },
      }),
    )
    sent.end()
  })
}

function switchingHead({ rawHeaders }: IncomingMessage): string {
  const lines = ['HTTP/1.1 101 Switching Protocols']
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`)
  return `${lines.join('\r\n')}\r\n\r\n`
}
