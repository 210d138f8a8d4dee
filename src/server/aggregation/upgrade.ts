/**
 * Connections that change their protocol, led through to an aggregated server. One that does not change is closed on
 * both sides: whatever the client says next would otherwise be said to a server that takes it for this one's word.
 */

import type { IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { Duplex } from 'node:stream'
import type { ApiResponse, UpgradedSocket } from '../../machinery/wire/message.ts'
import { collect } from '../outbound/framing.ts'
import { splice } from '../outbound/splice.ts'
import { relayed, textAnswer, UNTOLD } from './answers.ts'
import type { BackendHeaders } from './caller-headers.ts'
import type { Reached } from './connections.ts'

export interface Upgrade {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: BackendHeaders
  /** The protocol that is asked for. */
  readonly protocol: string
  readonly signal: AbortSignal
}

/** Bytes of a refusal that the client gets to read. */
const REFUSAL_BYTES_MAX = 64 * 1024

/** Rejects when the server cannot be reached. */
export function upgrade({ host, port, single }: Reached, asked: Upgrade): Promise<ApiResponse> {
  const { method, path, signal } = asked
  const headers = { ...asked.headers, connection: 'Upgrade', upgrade: asked.protocol }
  return new Promise((resolve, reject) => {
    const sent = requestHttps({ host, port, agent: single, method, path, headers, signal })
    sent.on('error', (error) => reject(signal.aborted ? signal.reason : error))
    sent.once('response', (response) => {
      refused(response).then(resolve, reject)
    })
    sent.once('upgrade', (response, far, farHead) => {
      const connect = (taken: UpgradedSocket): void => join(taken, response, far, farHead)
      resolve({ status: 101, headers: {}, body: { type: 'upgrade', connect } })
    })
    sent.end()
  })
}

/** Failures are repeated in full; everything else that is no upgrade is a failure of the server's. */
async function refused(response: IncomingMessage): Promise<ApiResponse> {
  const { statusCode = 502 } = response
  if (statusCode < 400) {
    response.destroy()
    return textAnswer(503, `invalid upgrade response: status code ${statusCode}`)
  }
  const { headers, body } = relayed(response)
  const bytes = body.type === 'stream' ? await collect(body.chunks, REFUSAL_BYTES_MAX) : undefined
  response.destroy()
  const { 'content-length': _length, ...others } = headers
  return { status: statusCode, headers: others, body: { type: 'bytes', bytes: bytes ?? Buffer.alloc(0) } }
}

function join({ socket, head }: UpgradedSocket, response: IncomingMessage, far: Duplex, farHead: Buffer): void {
  socket.write(switchingHead(response))
  if (farHead.length > 0) socket.write(farHead)
  if (head.length > 0) far.write(head)
  splice(socket, far)
}

function switchingHead({ rawHeaders }: IncomingMessage): string {
  const lines = ['HTTP/1.1 101 Switching Protocols']
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (!UNTOLD.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[index + 1]}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n`
}
