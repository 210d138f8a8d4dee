/**
 * Chunks that are pushed instead of pulled: a watch. Over HTTP/1.1 they bring their frames along and go to the socket as
 * they are, past everything that Node does for each chunk of each answer; what went before and comes after is Node's.
 */

import { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { ChunkSink } from '../machinery/wire/chunk.ts'

/** Resolves when the source has ended the sink, or the signal has aborted: nothing is written after that. */
export function pushed(start: (sink: ChunkSink) => void, target: Writable, signal: AbortSignal): Promise<void> {
  // HTTP/1.0 knows no chunks, HTTP/2 has frames of its own.
  const response = target instanceof ServerResponse && target.chunkedEncoding ? target : undefined
  return new Promise((resolve) => {
    let ended = false
    const end = () => {
      ended = true
      signal.removeEventListener('abort', end)
      resolve()
    }
    signal.addEventListener('abort', end, { once: true })
    start({
      write: ({ bytes, framed }) => {
        if (ended) return true
        // An answer that waits behind another one of its connection has no socket yet.
        return response?.socket ? response.socket.write(framed) : target.write(bytes)
      },
      whenDrained: (callback) => (response?.socket ?? target).once('drain', callback),
      end,
    })
    if (signal.aborted) end()
  })
}
