/**
 * A watch over a WebSocket, one event a message: text for JSON, binary for protobuf. Browsers can open nothing else, and
 * some clients' informers try it first. What the watcher sends is not read; when it goes, the watch ends.
 */

import type { ApiResponse, UpgradedSocket } from '../../../machinery/wire/message.ts'
import {
  acceptWebSocket,
  BEARER_PROTOCOL_PREFIX,
  offeredProtocols,
  sendMessage,
} from '../../../machinery/wire/websocket.ts'
import type { Accepted } from '../negotiate.ts'

/** Before each event in protobuf stands its length, which a message has of its own. */
const LENGTH_BYTES = 4

type Frames = AsyncGenerator<readonly Uint8Array[]>

export function eventsOverWebSocket(frames: Frames, format: Accepted['format']): ApiResponse {
  const connect = (upgraded: UpgradedSocket): void => {
    // A watcher that has gone, or falls behind, ends its watch: there is nobody left to be told.
    send(upgraded, frames, format).catch(() => frames.return(undefined))
  }
  return { status: 101, headers: {}, body: { type: 'upgrade', connect } }
}

async function send(upgraded: UpgradedSocket, batches: Frames, format: Accepted['format']): Promise<void> {
  // Upstream repeats the one protocol that a watcher names, whatever it is.
  const named = offeredProtocols(upgraded.request).filter((name) => !name.startsWith(BEARER_PROTOCOL_PREFIX))
  const accepted = acceptWebSocket(upgraded, named.length === 1 ? named : [])
  if (!accepted) return void (await batches.return(undefined))
  const { socket, hangUp } = accepted
  try {
    for await (const frames of batches)
      for (const frame of frames)
        await sendMessage(
          socket,
          format === 'protobuf' ? frame.subarray(LENGTH_BYTES) : Buffer.from(frame).toString('utf8'),
        )
  } finally {
    hangUp()
  }
}
