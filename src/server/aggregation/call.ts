/** Requests that this server itself sends to an aggregated one: what is whole before it is sent, asked in one go. */

import type { IncomingMessage } from 'node:http'
import { type Agent, request as requestHttps } from 'node:https'
import type { BackendHeaders } from './caller-headers.ts'
import type { Reached } from './connections.ts'

export interface Call {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: BackendHeaders
  readonly body?: Uint8Array | undefined
  readonly signal: AbortSignal
}

/** Resolves with the head of the answer. What only reads is asked again when a kept connection turns out to be gone. */
export async function call(reached: Reached, asked: Call): Promise<IncomingMessage> {
  const isRead = asked.body === undefined && (asked.method === 'GET' || asked.method === 'HEAD')
  if (!isRead) return send(reached, reached.single, asked)
  try {
    return await send(reached, reached.kept, asked)
  } catch (error) {
    if (!(error instanceof ConnectionGone)) throw error
    return send(reached, reached.single, asked)
  }
}

/** A connection that was kept ended before anything was heard on it: the request may not have been seen. */
export class ConnectionGone extends Error {
  override readonly name = 'ConnectionGone'
}

function send({ host, port }: Reached, agent: Agent, { method, path, headers, body, signal }: Call) {
  return new Promise<IncomingMessage>((resolve, reject) => {
    const length = body && { 'content-length': String(body.byteLength) }
    const sent = requestHttps({ host, port, agent, method, path, headers: { ...headers, ...length }, signal })
    sent.once('response', resolve)
    // Errors after the answer's head are the answer's own.
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (signal.aborted) reject(signal.reason)
      else reject(sent.reusedSocket && error.code === 'ECONNRESET' ? new ConnectionGone('EOF') : error)
    })
    sent.end(body)
  })
}
