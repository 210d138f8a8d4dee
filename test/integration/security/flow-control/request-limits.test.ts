/** What callers may take of the listener's time and memory, against real sockets on 127.0.0.1. */

import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { silentLogger } from '../../../../src/base/log.ts'
import { systemRandom } from '../../../../src/base/random.ts'
import type { ApiResponse, Handler } from '../../../../src/machinery/wire/message.ts'
import {
  type CertificateAuthority,
  createCertificateAuthority,
  type KeyPair,
} from '../../../../src/server/auth/certificate-authority.ts'
import { failureResponse } from '../../../../src/server/filters/failure-response.ts'
import { type HttpLimits, type Listener, listen } from '../../../../src/server/http.ts'

let authority: CertificateAuthority
let server: KeyPair
let listener: Listener | undefined

beforeAll(async () => {
  authority = await createCertificateAuthority('ca', { clock: systemClock, random: systemRandom })
  server = await authority.issueServer({ commonName: 'server', names: ['127.0.0.1'] })
})
afterEach(async () => {
  await listener?.close(0)
  listener = undefined
})

async function start(handle: Handler, limits: Partial<HttpLimits> = {}): Promise<number> {
  const tls = { certificate: server.certificate, key: server.key, clientCa: authority.certificate }
  const shared = { hosts: ['127.0.0.1'], port: 0, tls, clock: systemClock, log: silentLogger, http2: true }
  listener = await listen({ ...shared, handle, limits })
  return listener.port
}

const answer = (bytes: number): ApiResponse => ({
  status: 200,
  headers: {},
  body: { type: 'bytes', bytes: Buffer.alloc(bytes) },
})

/** As the filters do: what was wrong with the body is told by the handler. */
const taking: Handler = async ({ bodyFailure }) => (bodyFailure ? failureResponse(bodyFailure.status) : answer(2))

async function open(port: number): Promise<TLSSocket> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: authority.certificate })
  socket.on('error', () => {})
  await once(socket, 'secureConnect')
  return socket
}

/** Whether in peace or not. */
function closeOf(emitter: { once(event: 'close', listener: () => void): unknown }): Promise<void> {
  return new Promise((resolve) => emitter.once('close', resolve))
}

async function statusOf(port: number, body: Uint8Array): Promise<number> {
  const request = requestHttps({ host: '127.0.0.1', port, ca: authority.certificate, agent: false, method: 'POST' })
  request.on('error', () => {})
  request.end(body)
  const [response] = await once(request, 'response')
  response.resume()
  return response.statusCode
}

test('bodies of all callers together have a limit, and what is over is no part of it', async () => {
  const port = await start(taking, { bodiesBytesMax: 10_000 })
  const slow = await open(port)
  slow.write(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n${'a'.repeat(8_000)}`)
  await expect.poll(() => statusOf(port, Buffer.alloc(5_000))).toBe(429)
  expect(await statusOf(port, Buffer.alloc(1_000))).toBe(200)
  slow.destroy()
  await expect.poll(() => statusOf(port, Buffer.alloc(9_000))).toBe(200)
  for (let round = 0; round < 5; round++) expect(await statusOf(port, Buffer.alloc(9_000))).toBe(200)
  expect(await statusOf(port, Buffer.alloc(11_000))).toBe(429)
  expect(await statusOf(port, Buffer.alloc(9_000))).toBe(200)
})

test.each([
  ['nothing', ''],
  ['half a request line', 'GET / HT'],
  ['headers without an end', 'GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n'],
])('who sends %s is not waited for', async (_, bytes) => {
  const port = await start(taking, { headersTimeoutMs: 200, requestTimeoutMs: 400 })
  const socket = await open(port)
  socket.write(bytes)
  socket.resume()
  await closeOf(socket)
})

test('who does not finish a body is not waited for', async () => {
  const port = await start(taking, { headersTimeoutMs: 200, requestTimeoutMs: 400 })
  const socket = await open(port)
  socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc')
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await closeOf(socket)
  expect(text).toMatch(/^HTTP\/1\.1 (?:408|504)/)
})

test('who does not read an answer does not keep it', async () => {
  const port = await start(async () => answer(64 * 1024 * 1024), { sendingTimeoutMs: 400 })
  const socket = await open(port)
  const closed = closeOf(socket)
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const reading = systemClock.after(1_500, () => socket.resume())
  let bytes = 0
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  socket.pause()
  await closed
  reading.cancel()
  expect(bytes).toBeLessThan(64 * 1024 * 1024)
})

test('an answer that is read is sent to its end, and lasting ones are not cut', async () => {
  const stopped = new AbortController()
  async function* chunks() {
    yield Buffer.from('first')
    await systemClock.sleep(500, stopped.signal).catch(() => {})
    yield Buffer.from('last')
  }
  const port = await start(async () => ({ status: 200, headers: {}, body: { type: 'stream', chunks: chunks() } }), {
    sendingTimeoutMs: 200,
  })
  const socket = await open(port)
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  const text = Buffer.concat(await socket.toArray()).toString()
  expect(text).toContain('last')
  stopped.abort()
})

test('connections beyond the limit are closed at once, and come again when others have gone', async () => {
  const port = await start(taking, { connectionsMax: 2 })
  const [first] = [await open(port), await open(port)]
  const third = connectTls({ host: '127.0.0.1', port, ca: authority.certificate })
  third.on('error', () => {})
  await closeOf(third)
  first.destroy()
  await expect.poll(() => statusOf(port, Buffer.alloc(1)).catch(() => 0)).toBe(200)
})

test('a session of HTTP/2 is told how many streams it may have, and ends when it resets too many', async () => {
  const gate = Promise.withResolvers<ApiResponse>()
  const port = await start(() => gate.promise)
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.certificate })
  session.on('error', () => {})
  const [settings] = await once(session, 'remoteSettings')
  expect(settings.maxConcurrentStreams).toBe(100)
  const closed = closeOf(session)
  while (!session.closed && !session.destroyed) {
    const streams = Array.from({ length: 50 }, () => session.request({ ':path': '/' }))
    for (const stream of streams) stream.on('error', () => {})
    await new Promise((resolve) => setImmediate(resolve))
    for (const stream of streams) stream.close(8)
  }
  await closed
  gate.resolve(answer(1))
})
