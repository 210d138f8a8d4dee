/**
 * WebSockets of the streaming subresources: the handshake with Kubernetes' sub-protocols, messages as numbered
 * channels, and whole connections tunnelled through one socket.
 */

import type { Duplex } from 'node:stream'
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws'
import type { UpgradedSocket } from './message.ts'

/** Bytes of one message. client-go writes 32 KB at a time, others a whole standard input. */
const MESSAGE_BYTES_MAX = 16 * 1024 * 1024

/** The name has a slash, which is no token of a header: `ws` would refuse it, so it travels in disguise. */
export const TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io'
const TUNNEL_DISGUISE = 'SPDY_3.1+portforward.k8s.io'

export function isWebSocketUpgrade({ headers }: Pick<UpgradedSocket['request'], 'headers'>): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

/** The sub-protocols that a request offers, in its order. */
export function offeredProtocols({ headers }: Pick<UpgradedSocket['request'], 'headers'>): readonly string[] {
  const header = headers['sec-websocket-protocol'] ?? ''
  return header
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** A browser's way to say who it is: no protocol that anybody speaks. */
export const BEARER_PROTOCOL_PREFIX = 'base64url.bearer.authorization.k8s.io.'

export interface AcceptedWebSocket {
  readonly socket: WebSocket
  /** Empty when the client named none. */
  readonly protocol: string
  /** Says goodbye after everything that was sent. */
  hangUp(): void
}

/**
 * Completes the handshake with the first of `supported` that the client offers; the order is ours. Undefined when the
 * handshake is no good: it has been answered then. A client that offers nothing gets the empty protocol.
 */
export function acceptWebSocket(upgraded: UpgradedSocket, supported: readonly string[]): AcceptedWebSocket | undefined {
  const offered = offeredProtocols(upgraded.request)
  const protocol = supported.find((name) => offered.includes(name)) ?? ''
  const { headers } = upgraded.request
  if (offered.length > 0) headers['sec-websocket-protocol'] = offered.map(disguised).join(', ')
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    handleProtocols: () => (protocol === '' ? false : protocol),
  })
  let accepted: AcceptedWebSocket | undefined
  server.handleUpgrade(upgraded.request, upgraded.socket, upgraded.head, (socket) => {
    socket.on('error', () => socket.terminate())
    const hangUp = () => {
      socket.close(1000)
      // Upstream does not wait for an answer either. Python's client finds the last frames when the connection ends.
      upgraded.socket.end()
    }
    accepted = { socket, protocol, hangUp }
  })
  return accepted
}

const disguised = (name: string): string => (name === TUNNEL_PROTOCOL ? TUNNEL_DISGUISE : name)

/** Resolves when the message is on its way. A string goes as text. */
export function sendMessage(socket: WebSocket, message: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.send(message, (error) => (error ? reject(error) : resolve()))
  })
}

/** The bytes of all messages as one stream, and the other way around. */
export function tunnelOver(socket: WebSocket): Duplex {
  return createWebSocketStream(socket)
}

export interface ChannelMessage {
  readonly channel: number
  readonly data: Buffer
}

/** `base64`: a text message, the channel as a digit, the rest in base64. Otherwise the channel is the first byte. */
export function encodeChannel(channel: number, data: Uint8Array, base64: boolean): Buffer | string {
  if (base64) return `${channel}${Buffer.from(data).toString('base64')}`
  const message = Buffer.allocUnsafe(data.length + 1)
  message.writeUInt8(channel, 0)
  message.set(data, 1)
  return message
}

/** Undefined for an empty message. */
export function decodeChannel(message: Buffer, base64: boolean): ChannelMessage | undefined {
  const first = message[0]
  if (first === undefined) return undefined
  if (!base64) return { channel: first, data: message.subarray(1) }
  return { channel: first - 0x30, data: Buffer.from(message.toString('latin1', 1), 'base64') }
}
