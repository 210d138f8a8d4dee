/**
 * A client's request passed on to an aggregated server as it comes: its body is streamed, its answer's head is waited
 * for. A body whose length is not known, on a method that seldom has one, is read first.
 */

import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Agent } from 'node:https'
import { Readable } from 'node:stream'
import httpProxy from 'http-proxy'
import { bodyTooLarge } from '../../machinery/meta/api-error.ts'
import type { RawExchange } from '../../machinery/wire/message.ts'
import { BODY_BYTES_MAX, collect, mustBeRead } from '../outbound/framing.ts'
import { ConnectionGone } from './call.ts'
import type { BackendHeaders } from './caller-headers.ts'
import type { Reached } from './connections.ts'

export interface Passed {
  readonly exchange: RawExchange
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: BackendHeaders
  readonly signal: AbortSignal
}

/** Resolves with the head of the answer. Throws `ApiError` for a body that is too large. */
export async function passOn(reached: Reached, passed: Passed): Promise<IncomingMessage> {
  const { method, headers, exchange } = passed
  if (!mustBeRead(method, headers)) return send(reached, passed, { agent: reached.single })
  const body = await collect(exchange.request, BODY_BYTES_MAX)
  if (body === undefined) throw bodyTooLarge(BODY_BYTES_MAX)
  const framed = { ...passed, headers: { ...headers, ...(body.length > 0 && { 'content-length': `${body.length}` }) } }
  const isRead = body.length === 0 && (method === 'GET' || method === 'HEAD')
  if (!isRead) return send(reached, framed, { agent: reached.single, body })
  try {
    return await send(reached, framed, { agent: reached.kept, body })
  } catch (error) {
    if (!(error instanceof ConnectionGone)) throw error
    return send(reached, framed, { agent: reached.single, body })
  }
}

interface Way {
  readonly agent: Agent
  /** Absent: the request's own, as it comes. */
  readonly body?: Buffer | undefined
}

function send(reached: Reached, { exchange, path, headers, signal }: Passed, { agent, body }: Way) {
  const { host, port } = reached
  const { request, response } = exchange
  const proxy = httpProxy.createProxyServer({
    target: { protocol: 'https:', host, hostname: host, port },
    agent,
    secure: true,
    toProxy: true,
    selfHandleResponse: true,
  })
  // The library takes both from the request; HTTP/2's own headers are none of HTTP/1.1.
  Object.defineProperty(request, 'headers', { value: headers, configurable: true })
  Object.defineProperty(request, 'url', { value: path, configurable: true })
  return new Promise<IncomingMessage>((resolve, reject) => {
    let sent: ClientRequest | undefined
    const leave = (): void => {
      sent?.destroy()
      reject(signal.reason)
    }
    signal.addEventListener('abort', leave, { once: true })
    const settle = (): void => signal.removeEventListener('abort', leave)
    const fail = (error: NodeJS.ErrnoException): void => {
      settle()
      reject(sent?.reusedSocket && error.code === 'ECONNRESET' ? new ConnectionGone('EOF') : error)
    }
    proxy.on('proxyReq', (outgoing) => {
      sent = outgoing
      // Byte for byte: the library takes two slashes for one.
      outgoing.path = path
      if (signal.aborted) outgoing.destroy()
    })
    proxy.on('proxyRes', (answer) => {
      settle()
      resolve(answer)
    })
    proxy.on('error', fail)
    proxy.on('econnreset', fail)
    proxy.web(request, response, body && { buffer: Readable.from(body.length > 0 ? [body] : []) })
  })
}
