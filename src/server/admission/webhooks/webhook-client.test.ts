import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { otherAuthority, startWebhookServer, type WebhookServer } from '../../../../test/support/webhook-server.ts'
import { systemClock } from '../../../base/clock.ts'
import { createFakeClock } from '../../../base/fake-clock.ts'
import { createWebhookClient, type WebhookAddress } from './webhook-client.ts'

// A real server on the loopback interface: what a call sends, what it takes, and what it says when there is no answer.

let server: WebhookServer
let port = 0
let caBundle = ''
let otherBundle = ''

beforeAll(async () => {
  server = await startWebhookServer('hook.default.svc')
  port = server.port
  caBundle = server.caBundle
  otherBundle = await otherAuthority()
})

afterAll(() => server[Symbol.asyncDispose]())

const SERVICE = { namespace: 'default', name: 'hook', path: '/check' }

/** The failure's text, or the answer. */
async function call(address: WebhookAddress, timeoutMs = 10_000): Promise<unknown> {
  using client = createWebhookClient({ clock: systemClock, resolve: async () => ({ host: '127.0.0.1', port }) })
  return await client.call(address, { hello: 'world' }, { timeoutMs }).catch((error: Error) => error.message)
}

describe('a call', () => {
  test('posts JSON to a Service under its own name, and says how long it waits', async () => {
    server.answer = ({ method, url, headers }, response, body) => {
      const type = headers['content-type']
      response.end(JSON.stringify({ method, url, host: headers.host, type, body: JSON.parse(body) }))
    }
    expect(await call({ service: { ...SERVICE, port: 8443 }, caBundle }, 9_001)).toEqual({
      method: 'POST',
      url: '/check?timeout=10s',
      host: 'hook.default.svc:8443',
      type: 'application/json',
      body: { hello: 'world' },
    })
  })

  test('goes to a URL just as well', async () => {
    server.answer = ({ url }, response) => response.end(JSON.stringify({ url }))
    expect(await call({ url: `https://127.0.0.1:${port}/a/b`, caBundle })).toEqual({ url: '/a/b?timeout=10s' })
  })

  test('keeps its connection for the next one', async () => {
    const ports: (number | undefined)[] = []
    server.answer = ({ socket }, response) => {
      ports.push(socket.remotePort)
      response.end('{}')
    }
    using client = createWebhookClient({ clock: systemClock, resolve: async () => ({ host: '127.0.0.1', port }) })
    await client.call({ service: SERVICE, caBundle }, {}, { timeoutMs: 10_000 })
    await client.call({ service: SERVICE, caBundle }, {}, { timeoutMs: 10_000 })
    expect(ports[0]).toBe(ports[1])
  })
})

describe('without an answer, a call says that', () => {
  const URL = 'Post "https://hook.default.svc:443/check?timeout=10s": '

  test('nobody vouches for the certificate', async () => {
    expect(await call({ service: SERVICE, caBundle: otherBundle })).toBe(
      `${URL}tls: failed to verify certificate: x509: certificate signed by unknown authority`,
    )
  })

  test('the certificate is for somebody else', async () => {
    expect(await call({ service: { ...SERVICE, name: 'other' }, caBundle })).toBe(
      'Post "https://other.default.svc:443/check?timeout=10s": tls: failed to verify certificate: ' +
        'x509: certificate is not valid for the name that was called',
    )
  })

  test('nobody listens', async () => {
    expect(await call({ url: 'https://127.0.0.1:1/', caBundle })).toBe(
      'Post "https://127.0.0.1:1/?timeout=10s": dial tcp 127.0.0.1:1: connect: connection refused',
    )
  })

  test('the Service is not there', async () => {
    const resolve = async () => Promise.reject(new Error('service "hook" not found'))
    using client = createWebhookClient({ clock: systemClock, resolve })
    const failed = client.call({ service: SERVICE, caBundle }, {}, { timeoutMs: 10_000 })
    await expect(failed).rejects.toThrow(`${URL}service "hook" not found`)
  })

  test('time is up', async () => {
    const clock = createFakeClock()
    server.answer = () => clock.advance(10_000)
    using client = createWebhookClient({ clock, resolve: async () => ({ host: '127.0.0.1', port }) })
    const failed = client.call({ service: SERVICE, caBundle }, {}, { timeoutMs: 10_000 })
    await expect(failed).rejects.toThrow(`${URL}context deadline exceeded`)
  })

  test('the caller has gone', async () => {
    const gone = new AbortController()
    server.answer = () => gone.abort()
    using client = createWebhookClient({ clock: systemClock, resolve: async () => ({ host: '127.0.0.1', port }) })
    const failed = client.call({ service: SERVICE, caBundle }, {}, { timeoutMs: 10_000, signal: gone.signal })
    await expect(failed).rejects.toThrow(`${URL}context canceled`)
  })

  test.each<readonly [number, string, string]>([
    [404, '', 'the server could not find the requested resource'],
    [500, 'oh no\n', 'an error on the server ("oh no") has prevented the request from succeeding'],
    [403, 'no', 'the server rejected our request for an unknown reason'],
    [429, '{"kind":"Status","message":"slow down"}', 'slow down'],
    [200, 'no JSON', "couldn't get version/kind; json parse error: the answer is no JSON"],
  ])('the answer is %d %s', async (status, body, expected) => {
    server.answer = (_, response) => {
      response.statusCode = status
      response.end(body)
    }
    expect(await call({ service: SERVICE, caBundle })).toBe(expected)
  })

  test('the answer is too large', async () => {
    server.answer = (_, response) => response.end(Buffer.alloc(9 * 1024 * 1024, ' '))
    expect(await call({ service: SERVICE, caBundle })).toBe('the answer is larger than 8388608 bytes')
  })
})
