/** HTTP requests of probes and hooks: from their description to a request, and the request itself. */

import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { Container, EphemeralContainer, HTTPGetAction } from '../../apis/core/types.gen.ts'
import { setOwn } from '../../base/deep-freeze.ts'

export interface HttpRequest {
  readonly scheme: 'HTTP' | 'HTTPS'
  readonly host: string
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
}

/** Bytes of an answer that are read: enough for a message. */
const BODY_BYTES_MAX = 10 * 1024

/** Upstream's marks of a probe's requests. */
const DEFAULT_HEADERS: Readonly<Record<string, string>> = { 'User-Agent': 'kube-probe/1.36', Accept: '*/*' }

export function requestOf(
  action: HTTPGetAction,
  podIp: string,
  container: Container | EphemeralContainer,
): HttpRequest {
  const headers: Record<string, string> = { ...DEFAULT_HEADERS }
  for (const { name, value } of action.httpHeaders ?? []) {
    for (const known of Object.keys(headers)) if (known.toLowerCase() === name.toLowerCase()) delete headers[known]
    setOwn(headers, name, value)
  }
  return {
    scheme: action.scheme === 'HTTPS' ? 'HTTPS' : 'HTTP',
    host: action.host || podIp,
    port: portOf(action.port, container),
    path: action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`,
    headers,
  }
}

/** A number, or the name of one of the container's ports. */
export function portOf(port: number | string, container: Container | EphemeralContainer): number {
  if (typeof port === 'number') return port
  const named = container.ports?.find(({ name }) => name === port)
  const number = named?.containerPort ?? Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    throw new Error(`unable to find named port "${port}" in container ${container.name}`)
  return number
}

export interface HttpAnswer {
  readonly status: number
  readonly body: string
  /** Where a redirect points to. */
  readonly location?: string | undefined
}

export type HttpClient = (request: HttpRequest, signal: AbortSignal) => Promise<HttpAnswer>

/** Redirects that are followed before an answer counts as it is; as upstream. */
const REDIRECTS_MAX = 10

/** Follows redirects as long as they stay on the host that was asked. */
export async function followRedirects(
  send: HttpClient,
  request: HttpRequest,
  signal: AbortSignal,
): Promise<HttpAnswer> {
  let current = request
  for (let redirects = 0; ; redirects++) {
    const answer = await send(current, signal)
    const next = answer.status >= 300 && answer.status < 400 ? redirected(current, answer.location) : undefined
    if (!next || next.host !== request.host || redirects === REDIRECTS_MAX) return answer
    current = next
  }
}

function redirected(request: HttpRequest, location: string | undefined): HttpRequest | undefined {
  const base = `${request.scheme.toLowerCase()}://${bracketed(request.host)}:${request.port}${request.path}`
  const url = location === undefined ? null : URL.parse(location, base)
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined
  const scheme = url.protocol === 'https:' ? 'HTTPS' : 'HTTP'
  const port = url.port === '' ? (scheme === 'HTTPS' ? 443 : 80) : Number(url.port)
  return { ...request, scheme, host: url.hostname.replace(/^\[|\]$/g, ''), port, path: `${url.pathname}${url.search}` }
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/** Sends one request on a connection of its own. Certificates are not checked: a probe asks whether, not who. */
export const sendHttp: HttpClient = ({ scheme, host, port, path, headers }, signal) => {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>()
  const start = scheme === 'HTTPS' ? tlsRequest : plainRequest
  const outgoing = start({
    host,
    port,
    path,
    headers,
    signal,
    agent: false,
    ...(scheme === 'HTTPS' ? { rejectUnauthorized: false } : {}),
  })
  outgoing.on('error', reject)
  outgoing.on('response', (incoming) => {
    const chunks: Buffer[] = []
    let bytes = 0
    const finish = () =>
      resolve({
        status: incoming.statusCode ?? 0,
        location: incoming.headers.location,
        body: Buffer.concat(chunks).subarray(0, BODY_BYTES_MAX).toString('utf8'),
      })
    incoming.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
      bytes += chunk.length
      if (bytes < BODY_BYTES_MAX) return
      finish()
      incoming.destroy()
    })
    incoming.on('end', finish)
    incoming.on('error', reject)
  })
  outgoing.end()
  return promise
}
