/** A log as messages of a WebSocket, for those who can open nothing else: whole and binary, or in base64. */

import { Readable } from 'node:stream'
import type { ApiResponse, UpgradedSocket } from '../machinery/wire/message.ts'
import { acceptWebSocket, sendMessage } from '../machinery/wire/websocket.ts'

const BASE64_PROTOCOL = 'base64.binary.k8s.io'
const PROTOCOLS = ['binary.k8s.io', BASE64_PROTOCOL]

/** The same answer, sent once the connection is a WebSocket. */
export function overWebSocket(answer: ApiResponse): ApiResponse {
  const { body } = answer
  const log = body.type === 'stream' ? body.chunks : []
  const chunks = log instanceof Readable ? log : Readable.from(log)
  // Who is refused for another reason never takes the log.
  const connect = (upgraded: UpgradedSocket): void => void send(upgraded, chunks).catch(() => chunks.destroy())
  return { status: 101, headers: {}, body: { type: 'upgrade', connect } }
}

async function send(upgraded: UpgradedSocket, chunks: Readable): Promise<void> {
  const accepted = acceptWebSocket(upgraded, PROTOCOLS)
  if (!accepted) return void chunks.destroy()
  const { socket, protocol, hangUp } = accepted
  socket.once('close', () => chunks.destroy())
  try {
    // As upstream does: it tells that the log has been opened, however long its first line takes.
    await sendMessage(socket, Buffer.alloc(0))
    for await (const chunk of chunks)
      await sendMessage(socket, protocol === BASE64_PROTOCOL ? Buffer.from(chunk).toString('base64') : chunk)
  } finally {
    hangUp()
  }
}
