/** Remote commands over a WebSocket: every message starts with the number of its channel. */

import { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { WebSocket } from 'ws'
import type { Status } from '../meta/api-error.ts'
import { encodeJson } from './json.ts'
import type { RemoteCommandStreams, RemoteCommandWish } from './remote-command.ts'
import { createSizeReader } from './terminal-sizes.ts'
import { type AcceptedWebSocket, decodeChannel, encodeChannel } from './websocket.ts'

const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 }
/** Bytes of standard input that wait for the command; then the socket is read no further. */
const STDIN_BUFFER_BYTES = 256 * 1024

export function webSocketRemoteCommand(
  { socket, protocol, hangUp }: AcceptedWebSocket,
  wish: RemoteCommandWish,
): RemoteCommandStreams {
  const base64 = protocol.includes('base64')
  const closed = new AbortController()
  const sizes = createSizeReader()
  const stdin = wish.stdin ? pausingReadable(socket) : undefined
  const stdout = wish.stdout ? channelWritable(socket, CHANNEL.stdout, base64) : undefined
  const stderr = wish.stderr ? channelWritable(socket, CHANNEL.stderr, base64) : undefined

  socket.on('message', (raw: Buffer) => {
    const message = decodeChannel(raw, base64)
    if (!message) return
    const { channel, data } = message
    if (channel === CHANNEL.stdin && stdin && data.length > 0 && !stdin.push(data)) socket.pause()
    if (channel === CHANNEL.resize) sizes.receive(data)
    if (channel === CHANNEL.close && protocol.startsWith('v5') && data[0] === CHANNEL.stdin) endOf(stdin)
  })
  socket.on('close', () => {
    closed.abort(new Error('the client has closed the connection'))
    sizes.end()
    endOf(stdin)
    stdout?.destroy()
    stderr?.destroy()
  })
  const greeted = stdout ? CHANNEL.stdout : stderr ? CHANNEL.stderr : CHANNEL.error
  socket.send(encodeChannel(greeted, Buffer.alloc(0), base64))

  return {
    stdin,
    stdout,
    stderr,
    resize: wish.tty ? sizes.sizes : undefined,
    closed: closed.signal,
    async exit(status) {
      for (const output of [stdout, stderr]) {
        output?.end()
        if (output) await finished(output).catch(() => {})
      }
      const result = protocol.startsWith('v4') || protocol.startsWith('v5') ? encodeJson(status) : plainResult(status)
      if (result.length > 0) await sent(socket, encodeChannel(CHANNEL.error, result, base64))
      hangUp()
    },
  }
}

/** Ends once; data that comes after the end is dropped by the stream being over. */
function endOf(stream: Readable | undefined): void {
  if (stream && !stream.readableEnded && !stream.destroyed) stream.push(null)
}

function pausingReadable(socket: WebSocket): Readable {
  const stream = new Readable({ highWaterMark: STDIN_BUFFER_BYTES, read: () => socket.resume() })
  stream.on('error', () => socket.resume())
  stream.on('close', () => socket.resume())
  return stream
}

function channelWritable(socket: WebSocket, channel: number, base64: boolean): Writable {
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, callback) => {
      sent(socket, encodeChannel(channel, chunk, base64)).then(() => callback(), callback)
    },
  })
  stream.on('error', () => {})
  return stream
}

/** Resolves when the message is with the operating system, or the client is gone. */
function sent(socket: WebSocket, message: Buffer | string): Promise<void> {
  return new Promise((resolve) => {
    if (socket.readyState !== socket.OPEN) resolve()
    else socket.send(message, () => resolve())
  })
}

function plainResult(status: Status): Buffer {
  return Buffer.from(status.status === 'Success' ? '' : (status.message ?? 'the command failed'))
}
