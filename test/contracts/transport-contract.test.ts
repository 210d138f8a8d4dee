/** Both transports against one server each: a function call, and TLS on 127.0.0.1. */

import { describe, expect, test } from 'vitest'
import { configMaps } from '../../src/apis/core/config-map.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLogger } from '../../src/base/log.ts'
import { systemRandom } from '../../src/base/random.ts'
import { createHttpTransport } from '../../src/client/http-transport.ts'
import { createLoopbackTransport } from '../../src/client/loopback-transport.ts'
import { createClient } from '../../src/client/resource-client.ts'
import type { Handler } from '../../src/machinery/wire/message.ts'
import { createCertificateAuthority } from '../../src/server/auth/certificate-authority.ts'
import { listen } from '../../src/server/http.ts'
import { ADMIN, createTestServer } from '../support/test-server.ts'
import { CONTRACT_DEFINITIONS, describeTransport } from './transport-contract.ts'

describeTransport('loopback', async () => {
  const server = createTestServer(CONTRACT_DEFINITIONS)
  return {
    transport: createLoopbackTransport(server.server.handle, ADMIN),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
})

test('a loopback client gets the objects of the cache themselves', async () => {
  await using server = createTestServer(CONTRACT_DEFINITIONS)
  const maps = createClient(createLoopbackTransport(server.server.handle, ADMIN)).of(configMaps)
  await maps.create({ metadata: { name: 'a', namespace: 'default' } })
  const [first, second] = [await maps.list(), await maps.list()]
  expect(first.items[0]).toBe(second.items[0])
  expect(first.items[0]).toBe(await maps.get({ namespace: 'default', name: 'a' }))
})

const authority = createCertificateAuthority('ca', { clock: systemClock, random: systemRandom })

async function listening(handle: Handler, http2 = true) {
  const { certificate, key } = await (await authority).issueServer({ commonName: 'server', names: ['127.0.0.1'] })
  const clientCa = (await authority).certificate
  const tls = { certificate, key, clientCa }
  const options = { hosts: ['127.0.0.1'], port: 0, tls, http2, clock: systemClock, log: silentLogger }
  const listener = await listen({ ...options, handle })
  const transport = createHttpTransport({
    server: `https://127.0.0.1:${listener.port}/`,
    certificateAuthority: clientCa,
    userAgent: 'test/1.0',
  })
  return {
    transport,
    listener,
    async [Symbol.asyncDispose]() {
      transport[Symbol.dispose]()
      await listener.close(0)
    },
  }
}

describeTransport('HTTP', async () => {
  const server = createTestServer(CONTRACT_DEFINITIONS)
  const opened = await listening(server.server.handle)
  return {
    transport: opened.transport,
    async [Symbol.asyncDispose]() {
      await opened[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
})

describe('HTTP transport alone', () => {
  const list = (transport: Parameters<typeof createClient>[0]) => createClient(transport).of(configMaps).list()

  test('nobody there is a 503', async () => {
    const opened = await listening(async () => ({ status: 200, headers: {}, body: { type: 'none' } }))
    await opened.listener.close(0)
    await expect(list(opened.transport)).rejects.toMatchObject({ code: 503, reason: 'ServiceUnavailable' })
    await opened[Symbol.asyncDispose]()
  })

  test('a server whose certificate is of another authority is a 503', async () => {
    await using opened = await listening(async () => ({ status: 200, headers: {}, body: { type: 'none' } }))
    const other = await createCertificateAuthority('other', { clock: systemClock, random: systemRandom })
    using transport = createHttpTransport({
      server: `https://127.0.0.1:${opened.listener.port}`,
      certificateAuthority: other.certificate,
      userAgent: 'test/1.0',
    })
    await expect(list(transport)).rejects.toMatchObject({ code: 503 })
  })

  test.each([
    [502, '<html>Bad Gateway</html>', { code: 502, message: expect.stringContaining('no Status') }],
    [200, '<html>Welcome</html>', { name: 'DecodeError' }],
    [429, '{"kind":"Status","code":429,"reason":"TooManyRequests","message":"later"}', { code: 429, message: 'later' }],
  ])('an answer %d %s is an error', async (status, text, error) => {
    await using opened = await listening(async () => ({
      status,
      headers: { 'content-type': 'text/html' },
      body: { type: 'bytes', bytes: Buffer.from(text) },
    }))
    await expect(list(opened.transport)).rejects.toMatchObject(error)
  })

  test('a path prefix, a token and the query arrive', async () => {
    const seen: string[] = []
    await using opened = await listening(async ({ path, query, headers }) => {
      seen.push(path, query.toString(), headers.authorization ?? '', headers['user-agent'] ?? '')
      return { status: 200, headers: {}, body: { type: 'bytes', bytes: Buffer.from('{"items":[],"metadata":{}}') } }
    })
    using transport = createHttpTransport({
      server: `https://127.0.0.1:${opened.listener.port}/forks/a/`,
      certificateAuthority: (await authority).certificate,
      token: 'secret',
      userAgent: 'test/2.0',
    })
    await createClient(transport).of(configMaps).list({ labelSelector: 'a in (b, c)' })
    expect(seen).toEqual(['/forks/a/api/v1/configmaps', 'labelSelector=a+in+%28b%2C+c%29', 'Bearer secret', 'test/2.0'])
  })

  test('a connection that the server closed while it was idle is replaced', async () => {
    const handle: Handler = async () => ({
      status: 200,
      headers: {},
      body: { type: 'bytes', bytes: Buffer.from('{"items":[],"metadata":{}}') },
    })
    await using first = await listening(handle)
    await list(first.transport)
    const { port } = first.listener
    await first.listener.close(0)
    const { certificate, key } = await (await authority).issueServer({ commonName: 'server', names: ['127.0.0.1'] })
    const tls = { certificate, key, clientCa: (await authority).certificate }
    const again = await listen({
      handle,
      hosts: ['127.0.0.1'],
      port,
      tls,
      http2: true,
      clock: systemClock,
      log: silentLogger,
    })
    expect((await list(first.transport)).items).toEqual([])
    await again.close(0)
  })

  test('a body that is cut is a failure, not a short answer', async () => {
    await using opened = await listening(async () => ({
      status: 200,
      headers: {},
      body: {
        type: 'stream',
        chunks: (async function* () {
          yield Buffer.from('{"items":[')
          throw new Error('the source failed')
        })(),
      },
    }))
    await expect(list(opened.transport)).rejects.toMatchObject({ code: 503 })
  })
})
