/** The listener against real sockets on 127.0.0.1. */

import { once } from 'node:events'
import { connect as connectHttp2, constants } from 'node:http2'
import { type RequestOptions, request as requestHttps } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../base/clock.ts'
import { DeadlineExceeded } from '../base/deadline.ts'
import { createFakeClock } from '../base/fake-clock.ts'
import { silentLogger } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { notFound } from '../machinery/meta/api-error.ts'
import type { ApiRequest, ApiResponse, Handler } from '../machinery/wire/message.ts'
import { type CertificateAuthority, createCertificateAuthority, type KeyPair } from './auth/certificate-authority.ts'
import { type Listener, type ListenOptions, listen } from './http.ts'

let authority: CertificateAuthority
let server: KeyPair
let jane: KeyPair
let listener: Listener | undefined

beforeAll(async () => {
  authority = await createCertificateAuthority('ca', { clock: systemClock, random: systemRandom })
  server = await authority.issueServer({ commonName: 'server', names: ['127.0.0.1'] })
  jane = await authority.issueClient({ commonName: 'jane', organizations: ['a', 'b'] })
})
afterEach(async () => {
  await listener?.close(0)
  listener = undefined
})

async function start(handle: Handler, options: Partial<ListenOptions> = {}): Promise<Listener> {
  const tls = { certificate: server.certificate, key: server.key, clientCa: authority.certificate }
  const shared = { hosts: ['127.0.0.1'], port: 0, tls, clock: systemClock, log: silentLogger }
  listener = await listen({ ...shared, handle, http2: true, ...options })
  return listener
}

const text = (body: string, status = 200): ApiResponse => ({
  status,
  headers: { 'content-type': 'text/plain' },
  body: { type: 'bytes', bytes: Buffer.from(body) },
})

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: string
}

function fetchOver1(port: number, options: RequestOptions & { readonly send?: Uint8Array } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = requestHttps({ host: '127.0.0.1', port, ca: authority.certificate, agent: false, ...options })
    request.on('error', reject)
    request.on('response', async (response) => {
      const chunks = await response.toArray()
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() })
    })
    request.end(options.send)
  })
}

async function fetchOver2(port: number, headers: Record<string, string>, client?: KeyPair): Promise<Answer> {
  const credentials = client ? { cert: client.certificate, key: client.key } : {}
  const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.certificate, ...credentials })
  try {
    const stream = session.request(headers)
    const head = await new Promise<Record<string, unknown>>((resolve, reject) => {
      stream.on('response', resolve)
      stream.on('error', reject)
    })
    const body = Buffer.concat(await stream.toArray()).toString()
    return { status: Number(head[':status']), headers: head, body }
  } finally {
    session.close()
  }
}

/** Sends the half of a body to `/left`, and leaves when the server has begun to read it. */
async function leaveOver1(port: number, begun: () => Promise<unknown>): Promise<void> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: authority.certificate })
  socket.write(`POST /left HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n${'a'.repeat(8)}`)
  await begun()
  socket.destroy()
}

/** Frame by frame: Node's own client ends a stream before it resets it, so that what it sent is a whole body. */
async function leaveOver2(port: number, begun: () => Promise<unknown>): Promise<void> {
  const socket = connectTls({ host: '127.0.0.1', port, ca: authority.certificate, ALPNProtocols: ['h2'] })
  await once(socket, 'secureConnect')
  socket.resume()
  const frame = (type: number, flags: number, stream: number, payload: Buffer) => {
    const head = Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream])
    socket.write(Buffer.concat([head, payload]))
  }
  const [data, headers, reset, settings] = [0, 1, 3, 4]
  const endOfHeaders = 4
  // `:method: POST` and `:scheme: https` of the static table, `:authority` and `:path` with texts of their own.
  const post = Buffer.from('\x83\x87\x01\x01x\x04\x05/left', 'latin1')
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  frame(settings, 0, 0, Buffer.alloc(0))
  frame(headers, endOfHeaders, 1, post)
  frame(data, 0, 1, Buffer.alloc(8))
  await begun()
  frame(reset, 0, 1, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]))
}

function sendRaw(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca: authority.certificate })
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(received))
    socket.write(bytes)
  })
}

test('a request becomes a value and the answer a response, over HTTP/1.1 and HTTP/2', async () => {
  const seen: ApiRequest[] = []
  const { port } = await start(async (request) => {
    seen.push(request)
    return text('hello')
  })
  expect((await fetchOver1(port, { path: '/a%2Fb?x=1&x=2', headers: { 'X-Test': 'y' } })).body).toBe('hello')
  expect((await fetchOver2(port, { ':path': '/a%2Fb?x=1&x=2', 'x-test': 'y' })).body).toBe('hello')
  for (const request of seen) {
    expect(request).toMatchObject({ method: 'GET', path: '/a%2Fb', body: { type: 'none' }, remoteAddress: '127.0.0.1' })
    expect(request.query.getAll('x')).toEqual(['1', '2'])
    expect(request.headers['x-test']).toBe('y')
    expect(request.headers.host).toBe(`127.0.0.1:${port}`)
    expect(request.peer).toBeUndefined()
  }
})

test('a header that comes twice is one with both values, over HTTP/1.1 and HTTP/2', async () => {
  const { port } = await start(async ({ headers }) => text(JSON.stringify([headers['x-test'], headers['set-cookie']])))
  const head = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Test: a\r\nX-Test: b\r\n'
  expect(await sendRaw(port, `${head}\r\n`)).toMatch(/\r\n\["a, b",null\]$/)
  expect(await sendRaw(port, `${head}Set-Cookie: c\r\nSet-Cookie: d\r\n\r\n`)).toMatch(/\["a, b","c, d"\]$/)
  expect((await fetchOver2(port, { ':path': '/', 'x-test': 'a', 'set-cookie': 'c' })).body).toBe('["a","c"]')
})

test('a client certificate names the peer; one of a stranger is a failure', async () => {
  const stranger = await createCertificateAuthority('other', { clock: systemClock, random: systemRandom })
  const mallory = await stranger.issueClient({ commonName: 'jane' })
  const { port } = await start(async ({ peer, peerFailure }) => text(JSON.stringify({ peer, peerFailure })))
  const expected = { peer: { name: 'jane', groups: ['a', 'b'] } }
  const told = (body: string) => JSON.parse(body) as unknown
  expect(told((await fetchOver1(port, { cert: jane.certificate, key: jane.key })).body)).toMatchObject(expected)
  expect(told((await fetchOver2(port, { ':path': '/' }, jane)).body)).toMatchObject(expected)
  expect((await fetchOver1(port, { cert: mallory.certificate, key: mallory.key })).body).toMatch(/peerFailure":"x509/)
})

test('what a certificate proves goes with the authorities of the moment, however often it has come', async () => {
  const proxies = await createCertificateAuthority('proxies', { clock: systemClock, random: systemRandom })
  const { port } = await start(({ peer, frontProxy }) => text(`${peer?.name} ${frontProxy}`))
  const ask = async () => (await fetchOver1(port, { cert: jane.certificate, key: jane.key })).body
  const known = { certificate: server.certificate, key: server.key, clientCa: authority.certificate }
  expect([await ask(), await ask()]).toEqual(['jane undefined', 'jane undefined'])
  listener?.renew({ ...known, clientCa: proxies.certificate, frontProxyCa: authority.certificate })
  expect([await ask(), await ask()]).toEqual(['undefined jane', 'undefined jane'])
  listener?.renew({ ...known, clientCa: proxies.certificate })
  expect(await ask()).toBe('undefined undefined')
  listener?.renew(known)
  expect(await ask()).toBe('jane undefined')
})

describe('a GET', () => {
  const two =
    'GET /one HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbodyGET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

  test.each([
    ['at once', ({ path }: ApiRequest) => text(path)],
    ['late', async ({ path }: ApiRequest) => text(path)],
  ])('with a body that nobody wants does not keep the next one waiting; answered %s', async (_, handle) => {
    const { port } = await start(handle, { http2: false })
    const received = await sendRaw(port, two)
    expect(received.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(2)
    expect(received.replaceAll(/\r\n\r\n|\r\n/g, '|')).toMatch(/\|\/oneHTTP\/1\.1 200 OK.*\|\/two$/)
  })

  test('is not kept waiting by one without a body, whatever that asks for', async () => {
    const { port } = await start(({ method, body }) => text(`${method} ${body.type}`), { http2: false })
    const asked = ['DELETE', 'POST', 'PATCH'].map((method) => `${method} / HTTP/1.1\r\nHost: x\r\n\r\n`).join('')
    const received = await sendRaw(port, `${asked}GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    expect(received.match(/[A-Z]+ none/g)).toEqual(['DELETE none', 'POST none', 'PATCH none', 'GET none'])
  })

  test('that is answered at once has an answer of its own to each failure', async () => {
    const { port } = await start(() => {
      throw notFound({ group: '', resource: 'pods' }, 'web')
    })
    expect((await fetchOver1(port)).status).toBe(404)
  })
})

describe('bodies', () => {
  test('arrive as bytes', async () => {
    const { port } = await start(async ({ body }) =>
      text(body.type === 'bytes' ? String(body.bytes.length) : body.type),
    )
    expect((await fetchOver1(port, { method: 'POST', send: Buffer.alloc(100_000) })).body).toBe('100000')
    expect((await fetchOver1(port, { method: 'POST' })).body).toBe('none')
  })

  test('are refused beyond the limit, declared or not', async () => {
    const handle: Handler = async ({ bodyFailure }) => {
      throw bodyFailure ?? new Error('there is a body')
    }
    const { port } = await start(handle, { limits: { bodyBytesMax: 1000 } })
    const declared = await fetchOver1(port, { method: 'POST', send: Buffer.alloc(1001) })
    const chunked = { 'Transfer-Encoding': 'chunked' }
    const undeclared = await fetchOver1(port, { method: 'POST', headers: chunked, send: Buffer.alloc(1001) })
    for (const answer of [declared, undeclared]) {
      expect(answer.status).toBe(413)
      expect(answer.body).toContain('Request entity too large: limit is 1000')
      expect(answer.headers.connection).toBe('close')
    }
  })

  test('that do not come in time are a failure, which is told', async () => {
    const clock = createFakeClock()
    const handle: Handler = async ({ bodyFailure }) => {
      throw bodyFailure ?? new Error('there is a body')
    }
    const { port } = await start(handle, { clock, http2: false })
    const answer = sendRaw(port, 'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nab')
    await expect.poll(() => clock.pending, { interval: 5 }).toBeGreaterThan(0)
    await clock.advance(60_000)
    expect(await answer).toMatch(/^HTTP\/1\.1 504 .*the request body did not arrive/s)
  })

  test.each([
    ['HTTP/1.1', leaveOver1],
    ['HTTP/2', leaveOver2],
  ])('of callers that leave midway over %s are let go, and handled by nobody', async (_, leave) => {
    const handled: string[] = []
    const handle: Handler = async ({ path, bodyFailure }) => {
      handled.push(path)
      if (bodyFailure) throw bodyFailure
      return text(path)
    }
    const clock = createFakeClock()
    const { port } = await start(handle, { clock, limits: { bodiesBytesMax: 10 } })
    await leave(port, () => expect.poll(() => clock.pending, { interval: 5 }).toBeGreaterThan(0))
    const next = () => fetchOver1(port, { method: 'POST', path: '/next', send: Buffer.alloc(8) })
    await expect.poll(async () => (await next()).status, { interval: 5 }).toBe(200)
    expect(new Set(handled)).toEqual(new Set(['/next']))
  })
})

test('several buffers make one body, and HEAD has none', async () => {
  const bytes = [Buffer.from('a'), Buffer.from('b'), Buffer.from('c')]
  const { port } = await start(async () => ({ status: 200, headers: {}, body: { type: 'bytes', bytes } }))
  expect(await fetchOver1(port)).toMatchObject({ body: 'abc', headers: { 'content-length': '3' } })
  expect((await fetchOver2(port, { ':path': '/' })).body).toBe('abc')
  expect(await fetchOver1(port, { method: 'HEAD' })).toMatchObject({ body: '', headers: { 'content-length': '3' } })
})

describe('pieces', () => {
  /** The same memory again and again, as a large list has it. */
  function* pieces(count: number, onEnd: () => void = () => {}) {
    const memory = Buffer.alloc(100_000)
    try {
      for (let index = 0; index < count; index++) yield memory.fill(0x61 + (index % 26))
    } finally {
      onEnd()
    }
  }
  const large = (count: number, onEnd?: () => void): ApiResponse => ({
    status: 200,
    headers: {},
    body: { type: 'pieces', length: count * 100_000, pieces: pieces(count, onEnd) },
  })

  test('are written one after the other, however slowly they are read', async () => {
    const { port } = await start(async () => large(100))
    const expected = Array.from(pieces(100), String).join('')
    const [first, second] = [await fetchOver1(port), await fetchOver2(port, { ':path': '/' })]
    expect(first.headers).toMatchObject({ 'content-length': '10000000' })
    expect([first.body === expected, second.body === expected]).toEqual([true, true])
    expect(await fetchOver1(port, { method: 'HEAD' })).toMatchObject({ headers: { 'content-length': '10000000' } })
  })

  test('end when the caller leaves', async () => {
    const ended = Promise.withResolvers<void>()
    const { port } = await start(async () => large(10_000, ended.resolve))
    const request = requestHttps({ host: '127.0.0.1', port, ca: authority.certificate, agent: false })
    request.on('error', () => {})
    request.on('response', (response) => response.once('data', () => request.destroy()))
    request.end()
    await ended.promise
  })
})

test('an error becomes its Status, an unknown one a 500 without details', async () => {
  const { port } = await start(async ({ path }) => {
    throw path === '/known' ? notFound({ group: '', resource: 'pods' }, 'x') : new Error('secret')
  })
  expect(await fetchOver1(port, { path: '/known' })).toMatchObject({ status: 404 })
  const unknown = await fetchOver1(port, { path: '/unknown' })
  expect(unknown.status).toBe(500)
  expect(unknown.body).not.toContain('secret')
})

describe('streams', () => {
  async function* ticks(signal: AbortSignal, onEnd: () => void) {
    try {
      yield Buffer.from('one\n')
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    } finally {
      onEnd()
    }
  }

  test('reach the caller at once, and end when it leaves', async () => {
    const ended = Promise.withResolvers<void>()
    const { port } = await start(async ({ signal }) => ({
      status: 200,
      headers: {},
      body: { type: 'stream', chunks: ticks(signal, ended.resolve) },
    }))
    const request = requestHttps({ host: '127.0.0.1', port, ca: authority.certificate, agent: false })
    request.on('error', () => {})
    request.on('response', (response) => response.once('data', () => request.destroy()))
    request.end()
    await ended.promise
  })

  test('end cleanly when the listener closes', async () => {
    const { port, close } = await start(async ({ signal }) => ({
      status: 200,
      headers: {},
      body: { type: 'stream', chunks: ticks(signal, () => {}) },
    }))
    const session = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.certificate })
    const stream = session.request({ ':path': '/' })
    const request = requestHttps({ host: '127.0.0.1', port, ca: authority.certificate, agent: false }).end()
    const [response] = await once(request, 'response')
    await Promise.all([once(stream, 'data'), once(response, 'data')])
    const ended = Promise.all([once(stream.resume(), 'end'), once(response.resume(), 'end')])
    await close(5_000)
    await ended
    expect(response.complete).toBe(true)
  })
})

test('who was kept waiting for too long is told so, though the signal of the request has aborted', async () => {
  const { port } = await start(async ({ ownAbort }) => {
    ownAbort?.abort(new DeadlineExceeded('late'))
    return text('late', 504)
  })
  expect(await fetchOver1(port)).toMatchObject({ status: 504, body: 'late' })
  expect((await fetchOver2(port, { ':path': '/' })).status).toBe(504)
})

test('closing waits for requests under way', async () => {
  const entered = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const { port, close } = await start(async () => {
    entered.resolve()
    await gate.promise
    return text('done')
  })
  const answer = fetchOver1(port)
  await entered.promise
  const closed = close(10_000)
  gate.resolve()
  expect(await answer).toMatchObject({ body: 'done', headers: { connection: 'close' } })
  await closed
})

describe('upgrades', () => {
  const upgrade = 'GET /exec HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n'

  test('hand the socket to the handler', async () => {
    const { port } = await start(async () => ({
      status: 101,
      headers: {},
      body: { type: 'upgrade', connect: ({ socket }) => socket.end('raw') },
    }))
    expect(await sendRaw(port, upgrade)).toBe('raw')
  })

  test('that are refused get a plain answer and a closed connection', async () => {
    const { port } = await start(async () => text('no', 403))
    const answer = await sendRaw(port, `${upgrade}GET /second HTTP/1.1\r\nHost: x\r\n\r\n`)
    expect(answer).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/)
    expect(answer).toMatch(/connection: close\r\n\r\nno$/)
  })
})

describe('what no parser accepts', () => {
  for (const [behaviour, bytes, status] of [
    ['garbage', 'garbage\r\n\r\n', 400],
    ['a broken header', 'GET / HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['a head beyond the limit', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'a'.repeat(70_000)}\r\n\r\n`, 431],
    ['a target that is no path', 'GET nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 400],
  ] as const)
    test(`${behaviour} is answered with ${status} and a Status`, async () => {
      const { port } = await start(async () => text('unreachable'))
      const answer = await sendRaw(port, bytes)
      expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
      expect(answer).toContain('"kind":"Status"')
    })
})
