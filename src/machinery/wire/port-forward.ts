/**
 * Port forwarding as a server sees it: a sequence of connections to ports, each with its data and a place for an
 * error text. Over SPDY (plain, or tunnelled through a WebSocket) clients open pairs of streams as they go; the
 * older WebSocket form fixes the ports in the query and has one connection for each.
 */

import { Duplex, Writable } from 'node:stream'
import type { WebSocket } from 'ws'
import { AsyncQueue } from '../../base/async-queue.ts'
import { badRequest, forbiddenRequest } from '../meta/api-error.ts'
import type { UpgradedSocket } from './message.ts'
import { createSpdySession, type SpdySession, type SpdyStream } from './spdy.ts'
import { acceptSpdy, refuseUpgrade, spdyProtocol } from './spdy-upgrade.ts'
import {
  acceptWebSocket,
  decodeChannel,
  encodeChannel,
  isWebSocketUpgrade,
  offeredProtocols,
  TUNNEL_PROTOCOL,
  tunnelOver,
} from './websocket.ts'

export interface ForwardedConnection {
  /** 1 to 65535. */
  readonly port: number
  /** Half-closes with the client; end or destroy it when the port's side is over. */
  readonly data: Duplex
  /** A text here tells the client that the port could not be reached. Always end it. */
  readonly error: Writable
}

export interface PortForward {
  readonly connections: AsyncIterable<ForwardedConnection>
  readonly closed: AbortSignal
}

const SPDY_PROTOCOL = 'portforward.k8s.io'
const WEBSOCKET_VERSIONS = ['v4.channel.k8s.io', 'v4.base64.channel.k8s.io']
/** Streams without their partner, and connections that nobody has taken. */
const WAITING_MAX = 256
/** Ports of one WebSocket: each takes two channel numbers of one byte. */
const WEBSOCKET_PORTS_MAX = 100
/** Bytes that wait on one connection; then the socket is read no further. */
const CONNECTION_BUFFER_BYTES = 256 * 1024

/** Completes the upgrade. Throws `ApiError` when the client speaks nothing we know; it has been answered then. */
export function acceptPortForward(upgraded: UpgradedSocket): PortForward {
  if (!isWebSocketUpgrade(upgraded.request)) {
    const protocol = spdyProtocol(upgraded.request, [SPDY_PROTOCOL], SPDY_PROTOCOL)
    if (protocol !== undefined) return spdyPortForward(acceptSpdy(upgraded, protocol))
    const error = forbiddenRequest({ group: '', resource: 'pods' }, '', 'no stream protocol in common')
    throw refuseUpgrade(upgraded, error, [SPDY_PROTOCOL])
  }
  const tunnelled = offeredProtocols(upgraded.request).includes(TUNNEL_PROTOCOL)
  const ports = tunnelled ? [] : portsOf(upgraded)
  const accepted = acceptWebSocket(upgraded, tunnelled ? [TUNNEL_PROTOCOL] : WEBSOCKET_VERSIONS)
  if (!accepted) throw badRequest('the WebSocket handshake was malformed')
  if (tunnelled) return spdyPortForward(createSpdySession(tunnelOver(accepted.socket), 'server'))
  return webSocketPortForward(accepted.socket, ports, accepted.protocol.includes('base64'))
}

function portsOf(upgraded: UpgradedSocket): readonly number[] {
  const query = new URLSearchParams(upgraded.request.url?.split('?')[1] ?? '')
  const texts = [...query.getAll('port'), ...query.getAll('ports')].flatMap((text) => text.split(','))
  const ports = texts.map(parsePort)
  if (texts.length === 0) throw refuseUpgrade(upgraded, badRequest('query parameter "port" is required'))
  if (ports.includes(undefined) || ports.length > WEBSOCKET_PORTS_MAX)
    throw refuseUpgrade(upgraded, badRequest('query parameter "port" must be ports between 1 and 65535'))
  return ports.filter((port) => port !== undefined)
}

function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  return port >= 1 && port <= 65_535 ? port : undefined
}

function spdyPortForward(session: SpdySession): PortForward {
  return { connections: pairs(session), closed: session.closed }
}

/** Streams of one `requestid` belong together; the error stream may come first or last. */
async function* pairs(session: SpdySession): AsyncGenerator<ForwardedConnection, void> {
  const waiting = new Map<string, SpdyStream>()
  for await (const stream of session.streams) {
    const port = parsePort(stream.headers.get('port') ?? '')
    const type = stream.headers.get('streamtype')
    if (port === undefined || (type !== 'data' && type !== 'error')) {
      stream.destroy()
      continue
    }
    const id = stream.headers.get('requestid') ?? String(type === 'error' ? stream.id : stream.id - 2)
    const partner = waiting.get(id)
    if (!partner || partner.headers.get('streamtype') === type) {
      if (partner || waiting.size >= WAITING_MAX) stream.destroy()
      else waiting.set(id, stream)
      continue
    }
    waiting.delete(id)
    yield type === 'data' ? { port, data: stream, error: partner } : { port, data: partner, error: stream }
  }
}

/** Channel 2n is the data of the n-th port, 2n+1 its errors. Each opens with the port as two bytes, low first. */
function webSocketPortForward(socket: WebSocket, ports: readonly number[], base64: boolean): PortForward {
  const closed = new AbortController()
  const connections = new AsyncQueue<ForwardedConnection>(WEBSOCKET_PORTS_MAX)
  const send = (channel: number, data: Uint8Array, callback: () => void) => {
    if (socket.readyState !== socket.OPEN) callback()
    else socket.send(encodeChannel(channel, data, base64), callback)
  }
  const data = ports.map((port, index) => {
    const head = Buffer.alloc(2)
    head.writeUInt16LE(port)
    for (const channel of [2 * index, 2 * index + 1]) send(channel, head, () => {})
    const stream = new Duplex({
      readableHighWaterMark: CONNECTION_BUFFER_BYTES,
      read: () => socket.resume(),
      write: (chunk: Buffer, _encoding, callback) => send(2 * index, chunk, callback),
    })
    const error = new Writable({ write: (chunk: Buffer, _encoding, callback) => send(2 * index + 1, chunk, callback) })
    stream.on('error', () => {})
    stream.on('close', () => socket.resume())
    connections.push({ port, data: stream, error })
    return stream
  })
  let open = ports.length
  for (const stream of data)
    stream.once('finish', () => {
      if (--open === 0) socket.close(1000)
    })
  connections.end()
  socket.on('message', (raw: Buffer) => {
    const message = decodeChannel(raw, base64)
    const stream = message && message.channel % 2 === 0 ? data[message.channel / 2] : undefined
    if (message && stream && !stream.destroyed && !stream.push(message.data)) socket.pause()
  })
  socket.on('close', () => {
    closed.abort(new Error('the client has closed the connection'))
    for (const stream of data) {
      if (!stream.destroyed) stream.push(null)
      stream.destroy()
    }
  })
  return { connections, closed: closed.signal }
}
