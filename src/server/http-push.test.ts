/** Pushed answers over real sockets. */

import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { silentLogger } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { type ChunkSink, chunkOfFrames } from '../machinery/wire/chunk.ts'
import { createCertificateAuthority } from './auth/certificate-authority.ts'
import { type Listener, listen } from './http.ts'

let certificate: string
let port: number
let listener: Listener
/** What the next watch does with its sink. */
let watch: (sink: ChunkSink) => void
const afters: (() => void)[] = []

async function* unread(): AsyncGenerator<Uint8Array> {}

beforeAll(async () => {
  const authority = await createCertificateAuthority('ca', { clock: systemClock, random: systemRandom })
  const pair = await authority.issueServer({ commonName: 'server', names: ['127.0.0.1'] })
  certificate = authority.certificate
  listener = await listen({
    ...{ hosts: ['127.0.0.1'], port: 0, clock: systemClock, log: silentLogger, http2: true },
    tls: { certificate: pair.certificate, key: pair.key, clientCa: certificate },
    handle: async ({ path, signal }) => {
      if (path !== '/watch') return { status: 200, headers: {}, body: { type: 'bytes', bytes: Buffer.from('plain') } }
      const push = (sink: ChunkSink) => {
        signal.addEventListener('abort', () => afters.push(() => sink.write(chunkOfFrames([Buffer.from('late')]))))
        watch(sink)
      }
      return { status: 200, headers: {}, body: { type: 'stream', chunks: unread(), push } }
    },
  })
  port = listener.port
  return () => listener.close(0)
})
afterEach(() => {
  for (const after of afters.splice(0)) after()
})

const words = (sink: ChunkSink, ...texts: readonly string[]) => {
  for (const text of texts) sink.write(chunkOfFrames([Buffer.from(text)]))
}

/** Sends plain text, and collects what comes until it ends with `last`. */
async function spoken(request: string, last: string): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: certificate })
  await once(socket, 'secureConnect')
  socket.write(request)
  const heard: Buffer[] = []
  for await (const data of socket) {
    heard.push(data)
    if (Buffer.concat(heard.slice(-2)).toString().endsWith(last)) break
  }
  return Buffer.concat(heard).toString()
}

const get = (path: string, version = '1.1') => `GET ${path} HTTP/${version}\r\nHost: x\r\n\r\n`
const bodyOf = (heard: string) => heard.slice(heard.indexOf('\r\n\r\n') + 4)

test('over HTTP/1.1 chunks keep their frames, and the connection goes on after the last', async () => {
  watch = (sink) => {
    words(sink, 'one\n', 'two and three\n')
    sink.end()
  }
  const heard = bodyOf(await spoken(get('/watch') + get('/plain'), 'plain'))
  expect(heard.startsWith('4\r\none\n\r\ne\r\ntwo and three\n\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n')).toBe(true)
})

test('a watch behind another answer of its connection waits for that', async () => {
  const later = Promise.withResolvers<ChunkSink>()
  watch = (sink) => {
    watch = (second) => {
      words(second, 'second\n')
      later.resolve(sink)
      second.end()
    }
  }
  later.promise.then((sink) => {
    words(sink, 'first\n')
    sink.end()
  })
  const heard = await spoken(get('/watch') + get('/watch'), 'second\n\r\n0\r\n\r\n')
  expect(heard.indexOf('6\r\nfirst\n')).toBeLessThan(heard.indexOf('7\r\nsecond\n'))
})

test('over HTTP/1.0 there are no chunks, and the end is the end of the connection', async () => {
  watch = (sink) => {
    words(sink, 'one\n', 'two\n')
    sink.end()
  }
  expect(bodyOf(await spoken(get('/watch', '1.0'), 'nothing'))).toBe('one\ntwo\n')
})

test('over HTTP/2 the bytes are those of the chunks', async () => {
  watch = (sink) => {
    words(sink, 'one\n', 'two\n')
    sink.end()
  }
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: certificate })
  const body = Buffer.concat(await session.request({ ':path': '/watch' }).toArray()).toString()
  session.close()
  expect(body).toBe('one\ntwo\n')
})

test('a sink is full while the caller does not read, and nothing is lost', async () => {
  const piece = Buffer.alloc(64 * 1024, 'x')
  const piecesMax = 100
  let waits = 0
  watch = (sink) => {
    let sent = 0
    const more = () => {
      while (sent < piecesMax) {
        sent++
        if (sink.write(chunkOfFrames([piece]))) continue
        waits++
        return sink.whenDrained(more)
      }
      sink.end()
    }
    more()
  }
  const heard = await spoken(get('/watch'), '\r\n0\r\n\r\n')
  expect(waits).toBeGreaterThan(0)
  expect(heard.match(/x/g)?.length).toBe(piecesMax * piece.length)
})
