/** Events as JSON lines on an output of the process. A reader that is too slow loses events, and nobody waits for it. */

import type { Writable } from 'node:stream'
import type { AuditSink } from './event.ts'
import type { SinkParts } from './log-file.ts'

/** Bytes that wait for the reader. */
const BUFFER_BYTES_MAX = 16 * 1024 * 1024

export function streamLog(stream: Writable, { metrics }: Pick<SinkParts, 'metrics'>): AuditSink {
  return {
    accept({ text }) {
      if (stream.writableLength + text.length <= BUFFER_BYTES_MAX) stream.write(`${text}\n`)
      else metrics.errors({ plugin: 'log' })
      return true
    },
    [Symbol.asyncDispose]: () => new Promise((resolve) => stream.write('', () => resolve())),
  }
}
