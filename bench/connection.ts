/**
 * One HTTP/1.1 connection over TLS that sends one request after the other and parses no body: whoever looks at a server
 * while it is measured shares the machine with it, so looking has to cost little. Not a client for anything else.
 */

import { once } from 'node:events'
import { connect, type TLSSocket } from 'node:tls'
import type { KubeconfigEntry } from '../src/client/kubeconfig.ts'

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  readonly path: string
  readonly body?: string
  readonly contentType?: string
}

export interface Answer {
  readonly status: number
  readonly body: Buffer
}

export interface Connection extends Disposable {
  send(call: Call): Promise<Answer>
  /** Sends a request whose answer never ends; every piece goes to `onData`. */
  stream(call: Call, onData: (piece: Buffer) => void): void
}

const HEAD_END = Buffer.from('\r\n\r\n')
const LINE_END = '\r\n'
const LAST_CHUNK = Buffer.from('0\r\n\r\n')
const STATUS_AT = 'HTTP/1.1 '.length

export async function openConnection(credentials: KubeconfigEntry): Promise<Connection> {
  const { hostname, port } = new URL(credentials.server)
  const socket = connect({
    host: hostname,
    port: Number(port),
    ca: credentials.certificateAuthority,
    cert: credentials.clientCertificate,
    key: credentials.clientKey,
  })
  await once(socket, 'secureConnect')
  socket.setNoDelay(true)
  const failure = Promise.withResolvers<never>()
  failure.promise.catch(() => {})
  socket.on('error', (error) => failure.reject(error))
  socket.on('close', () => failure.reject(new Error('the server closed the connection')))
  return {
    send: (call) => Promise.race([exchange(socket, call), failure.promise]),
    stream(call, onData) {
      socket.on('data', onData)
      socket.write(requestText(call))
    },
    [Symbol.dispose]: () => socket.destroy(),
  }
}

function exchange(socket: TLSSocket, call: Call): Promise<Answer> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = []
    let length = 0
    let head: Head | undefined
    const onData = (piece: Buffer) => {
      pieces.push(piece)
      length += piece.length
      head ??= headOf(pieces.length === 1 ? piece : Buffer.concat(pieces))
      if (!head || !isWhole(head, length, piece)) return
      socket.off('data', onData)
      const body = Buffer.concat(pieces).subarray(head.bodyAt)
      resolve({ status: head.status, body: head.length === undefined ? withoutChunkHeads(body) : body })
    }
    socket.on('data', onData)
    socket.write(requestText(call))
  })
}

function isWhole(head: Head, length: number, lastPiece: Buffer): boolean {
  return head.length === undefined ? lastPiece.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK) : length >= head.length
}

function withoutChunkHeads(body: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const start = body.indexOf(LINE_END, at) + LINE_END.length
    const end = start + Number.parseInt(body.toString('latin1', at, start), 16)
    chunks.push(body.subarray(start, end))
    at = end + LINE_END.length
  }
  return Buffer.concat(chunks)
}

function requestText({ method, path, body, contentType = 'application/json' }: Call): string {
  const lines = [`${method} ${path} HTTP/1.1`, 'Host: bench', 'Accept: application/json']
  if (body !== undefined) lines.push(`Content-Type: ${contentType}`, `Content-Length: ${Buffer.byteLength(body)}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

interface Head {
  readonly status: number
  readonly bodyAt: number
  /** Of the whole answer, in bytes. Undefined: it comes in chunks. */
  readonly length: number | undefined
}

/** Undefined until all of it is there. */
function headOf(received: Buffer): Head | undefined {
  const end = received.indexOf(HEAD_END)
  if (end < 0) return undefined
  const text = received.toString('latin1', 0, end)
  const bodyAt = end + HEAD_END.length
  const length = /^content-length: (\d+)/im.exec(text)?.[1]
  return {
    status: Number(text.slice(STATUS_AT, STATUS_AT + 3)),
    bodyAt,
    length: length === undefined ? undefined : bodyAt + Number(length),
  }
}
