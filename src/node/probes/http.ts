/** HTTP requests of probes and hooks: from their description to a request, and the request itself. */

import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { Container, EphemeralContainer, HTTPGetAction } from '../../apis/core/types.gen.ts'

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
  for (const { name, value } of action.httpHeaders ?? []) headers[name] = value
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

export type HttpClient = (
  request: HttpRequest,
  signal: AbortSignal,
) => Promise<{ readonly status: number; readonly body: string }>

/** Sends one request on a connection of its own. Certificates are not checked: a probe asks whether, not who. */
export const sendHttp: HttpClient = ({ scheme, host, port, path, headers }, signal) => {
  const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly body: string }>()
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
