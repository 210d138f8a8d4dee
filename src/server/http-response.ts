/**
 * From an `ApiResponse` to the wire: several buffers in one write, large lists and streams with back-pressure. A stream that
 * fails midway cuts the connection, so that the caller cannot take the part for the whole.
 */

import { type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex, Writable } from 'node:stream'
import type { Awaitable } from '../base/awaitable.ts'
import { orAborted } from '../base/deadline.ts'
import type { ApiResponse, ResponseBody, StreamBody } from '../machinery/wire/message.ts'
import { pushed } from './http-push.ts'
import type { Incoming, Outgoing } from './http-request.ts'

export interface ResponseTarget {
  readonly request: Incoming
  /** Undefined: the head is written already, the body goes to `socket`, which is then closed. */
  readonly response: Outgoing | undefined
  readonly socket?: Duplex | undefined
  readonly signal: AbortSignal
}

/** Headers of a connection, which HTTP/2 forbids in a response. */
const CONNECTION_HEADERS = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'])

/** At once where all bytes are there. */
export function writeResponse(answer: ApiResponse, target: ResponseTarget): Awaitable<void> {
  const { body } = answer
  const sink = target.response ? writeHead(answer, target.response) : target.socket
  if (!sink) return
  if (body.type === 'pieces' || body.type === 'stream') return writeOverTime(body, sink, target)
  if (body.type === 'bytes' && target.request.method !== 'HEAD') endWith(sink, buffersOf(body.bytes))
  else sink.end()
}

async function writeOverTime(body: OverTime, sink: Writable, { request, signal }: ResponseTarget): Promise<void> {
  if (body.type === 'stream') await stream(body, sink, signal)
  else if (request.method !== 'HEAD') await writeEach(body.pieces, sink, signal)
  sink.end()
}

type OverTime = Extract<ResponseBody, { readonly type: 'pieces' | 'stream' }>

function buffersOf(bytes: Uint8Array | readonly Uint8Array[]): readonly Uint8Array[] {
  return bytes instanceof Uint8Array ? [bytes] : bytes
}

/** What the body is written to: for HTTP/2 the stream itself, because only that can be corked. */
function writeHead({ status, headers, body }: ApiResponse, response: Outgoing): Writable {
  const length = body.type !== 'none' ? lengthOf(body) : status === 204 || status === 304 ? undefined : 0
  // Only HTTP/2 has streams, and only who speaks it loads its classes.
  if ('stream' in response) {
    for (const [name, value] of Object.entries(headers))
      if (!CONNECTION_HEADERS.has(name.toLowerCase())) response.setHeader(name, value)
    if (length !== undefined) response.setHeader('Content-Length', length)
    response.statusCode = status
    // A watcher learns that it is accepted before anything happens.
    if (body.type === 'stream') response.writeHead(status)
  } else {
    response.writeHead(status, headLines(headers, length))
    if (body.type === 'stream') response.flushHeaders()
  }
  return response as ServerResponse
}

/** Names and values in turn, as Node takes them without looking each of them up. */
function headLines(headers: ApiResponse['headers'], length: number | undefined): string[] {
  const lines: string[] = []
  for (const name in headers)
    if (length === undefined || name.toLowerCase() !== 'content-length') lines.push(name, headers[name] ?? '')
  if (length !== undefined) lines.push('Content-Length', String(length))
  return lines
}

/** Undefined: not known before the end. */
function lengthOf(body: ResponseBody): number | undefined {
  if (body.type === 'pieces') return body.length
  return body.type === 'bytes' ? buffersOf(body.bytes).reduce((sum, { length }) => sum + length, 0) : undefined
}

/** With the head in one write. */
function endWith(sink: Writable, buffers: readonly Uint8Array[]): void {
  const [only] = buffers
  if (buffers.length === 1 && only) return void sink.end(only)
  sink.cork()
  for (const buffer of buffers) sink.write(buffer)
  sink.end()
  sink.uncork()
}

/** Piece by piece as the caller takes them: however much it asked for, one piece of it is in memory. */
async function writeEach(pieces: Iterable<Uint8Array>, sink: Writable, signal: AbortSignal): Promise<void> {
  try {
    for (const piece of pieces) if (!(await orAborted(isWritten(sink, piece), signal))) return
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** False: the connection is gone. */
function isWritten(sink: Writable, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    sink.write(piece, (error) => resolve(!error))
  })
}

function stream({ chunks, push }: StreamBody, sink: Writable, signal: AbortSignal): Promise<void> {
  return push ? pushed(push, sink, signal) : pump(chunks, sink, signal)
}

/** Ends with the chunks or with the signal, whichever is first; the producer is always told. */
async function pump(chunks: AsyncIterable<Uint8Array>, sink: Writable, signal: AbortSignal): Promise<void> {
  const iterator = chunks[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await orAborted(iterator.next(), signal)
      if (done) break
      if (!sink.write(value)) await orAborted(drained(sink), signal)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    iterator.return?.()?.catch(() => {})
  }
}

function drained(sink: Writable): Promise<void> {
  return new Promise((resolve) => sink.once('drain', resolve))
}

/** The head of an HTTP/1.1 answer for a socket that has left Node's HTTP server. */
export function plainResponseHead({ status, headers, body }: ApiResponse): string {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`]
  for (const [name, value] of Object.entries(headers))
    if (name.toLowerCase() !== 'connection') lines.push(`${name}: ${value.replace(/[\r\n]/g, ' ')}`)
  const length = lengthOf(body)
  if (length !== undefined) lines.push(`content-length: ${length}`)
  return `${lines.join('\r\n')}\r\nconnection: close\r\n\r\n`
}
