/** Remote commands over SPDY: the client opens one stream per channel; nothing starts before all are there. */

import { finished } from 'node:stream/promises'
import type { Clock } from '../../base/clock.ts'
import { type Status, timeout } from '../meta/api-error.ts'
import { encodeJson } from './json.ts'
import type { RemoteCommandStreams, RemoteCommandWish } from './remote-command.ts'
import type { SpdySession, SpdyStream } from './spdy.ts'
import { createSizeReader } from './terminal-sizes.ts'

/** Upstream's stream creation timeout. */
const STREAMS_TIMEOUT_MS = 30_000

type Wish = RemoteCommandWish & { readonly clock: Clock }

export async function spdyRemoteCommand(
  session: SpdySession,
  protocol: string,
  wish: Wish,
): Promise<RemoteCommandStreams> {
  const hasSizes = wish.tty && (protocol.startsWith('v3') || protocol.startsWith('v4'))
  const expected = ['error']
  if (wish.stdin) expected.push('stdin')
  if (wish.stdout) expected.push('stdout')
  if (wish.stderr) expected.push('stderr')
  if (hasSizes) expected.push('resize')
  const streams = await expectedStreams(session, expected, wish.clock)
  const resize = streams.get('resize')
  const outputs = [streams.get('stdout'), streams.get('stderr')].filter((stream) => stream !== undefined)
  return {
    stdin: streams.get('stdin'),
    stdout: streams.get('stdout'),
    stderr: streams.get('stderr'),
    resize: resize && sizesOf(resize),
    closed: session.closed,
    async exit(status) {
      await Promise.all(outputs.map(ended))
      const error = streams.get('error')
      error?.write(protocol.startsWith('v4') ? encodeJson(status) : plainResult(status))
      if (error) await ended(error)
      session.end()
    },
  }
}

async function expectedStreams(session: SpdySession, expected: readonly string[], clock: Clock) {
  const found = new Map<string, SpdyStream>()
  const timer = clock.after(STREAMS_TIMEOUT_MS, () => session.destroy())
  try {
    const incoming = session.streams[Symbol.asyncIterator]()
    while (expected.some((type) => !found.has(type))) {
      const { done, value } = await incoming.next()
      if (done) throw timeout('the client did not open its streams')
      const type = value.headers.get('streamtype') ?? ''
      if (!expected.includes(type) || found.has(type)) value.destroy()
      else found.set(type, value)
    }
    return found
  } finally {
    timer.cancel()
  }
}

/** Ends a writable and waits until that is written; a client that is gone is as good. */
async function ended(stream: SpdyStream): Promise<void> {
  stream.end()
  await finished(stream, { readable: false }).catch(() => {})
}

function sizesOf(stream: SpdyStream) {
  const reader = createSizeReader()
  stream.on('data', (data) => reader.receive(data))
  stream.on('close', () => reader.end())
  stream.on('end', () => reader.end())
  return reader.sizes
}

/** Before v4 the result was a text, and nothing at all for success. */
function plainResult(status: Status): Buffer {
  return Buffer.from(status.status === 'Success' ? '' : (status.message ?? 'the command failed'))
}
