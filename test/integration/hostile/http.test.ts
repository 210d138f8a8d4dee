/**
 * Goal: no bytes from a stranger bring the server down, make it grow without bound, or reach a handler they must
 * not. Method: a real listener with the real filters on 127.0.0.1, fed one hostile input after the other; after
 * each it still answers a well-behaved caller, in the same process.
 */

import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { request as requestHttps } from 'node:https'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { createMetrics } from '../../../src/base/metrics.ts'
import { systemRandom } from '../../../src/base/random.ts'
import { acceptRemoteCommand } from '../../../src/machinery/wire/channels.ts'
import type { ApiRequest, ApiResponse } from '../../../src/machinery/wire/message.ts'
import { acceptPortForward } from '../../../src/machinery/wire/port-forward.ts'
import { anonymous } from '../../../src/server/auth/anonymous.ts'
import { inOrder, peerIdentity } from '../../../src/server/auth/authenticator.ts'
import { bearerToken } from '../../../src/server/auth/bearer-token.ts'
import { createCertificateAuthority, type KeyPair } from '../../../src/server/auth/certificate-authority.ts'
import { createTokenKeys, generateSigningKey } from '../../../src/server/auth/json-web-token.ts'
import { rbacAuthorizer } from '../../../src/server/auth/rbac/rbac-authorizer.ts'
import { createServiceAccountTokens } from '../../../src/server/auth/service-account-token.ts'
import { superusers } from '../../../src/server/auth/superusers.ts'
import { unionOf } from '../../../src/server/auth/union.ts'
import { chain, filters } from '../../../src/server/filters/chain.ts'
import { createRequestMetrics } from '../../../src/server/filters/request-metrics.ts'
import { type Listener, listen } from '../../../src/server/http.ts'
import { requestInfo } from '../../../src/server/request-info.ts'
import { fixedRoles } from '../../support/fixed-roles.ts'

let listener: Listener
let ca: string
let admin: KeyPair
const handled: string[] = []

const ok: ApiResponse = { status: 200, headers: {}, body: { type: 'bytes', bytes: Buffer.from('ok') } }

async function handle({ path, body }: ApiRequest): Promise<ApiResponse> {
  handled.push(path)
  const length = body.type === 'bytes' ? body.bytes.length : 0
  if (path.endsWith('/exec'))
    return {
      status: 101,
      headers: {},
      body: {
        type: 'upgrade',
        connect: (upgraded) => {
          const wish = { stdin: true, stdout: true, stderr: true, tty: false }
          acceptRemoteCommand(upgraded, wish).then(
            ({ stdin }) => stdin?.resume(),
            () => upgraded.socket.destroy(),
          )
        },
      },
    }
  if (path.endsWith('/portforward'))
    return {
      status: 101,
      headers: {},
      body: {
        type: 'upgrade',
        connect: async (upgraded) => {
          for await (const { data, error } of acceptPortForward(upgraded).connections) {
            error.end()
            data.resume()
          }
        },
      },
    }
  return { ...ok, headers: { 'x-body-length': String(length) } }
}

beforeAll(async () => {
  const authority = await createCertificateAuthority('ca', { clock: systemClock, random: systemRandom })
  const server = await authority.issueServer({ commonName: 'server', names: ['127.0.0.1'] })
  admin = await authority.issueClient({ commonName: 'admin', organizations: ['system:masters'] })
  ca = authority.certificate
  const tokens = createServiceAccountTokens({
    keys: createTokenKeys([generateSigningKey()]),
    issuer: 'https://t8s',
    audiences: ['https://t8s'],
    clock: systemClock,
    random: systemRandom,
    bound: { bound: () => undefined },
  })
  const list = filters({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    authenticator: inOrder([peerIdentity, bearerToken(tokens, ['https://t8s'])], anonymous),
    authorizer: unionOf([superusers, rbacAuthorizer(fixedRoles())]),
    metrics: createRequestMetrics(createMetrics()),
  })
  listener = await listen({
    handle: chain(list, requestInfo, handle),
    hosts: ['127.0.0.1'],
    port: 0,
    tls: { certificate: server.certificate, key: server.key, clientCa: ca },
    http2: true,
    clock: systemClock,
    log: silentLogger,
  })
})
afterAll(() => listener.close(0))

/** The well-behaved caller, after each hostile one. */
afterEach(async () => {
  const request = requestHttps({ host: '127.0.0.1', port: listener.port, ca, agent: false, path: '/livez' }).end()
  const [response] = await once(request, 'response')
  response.resume()
  expect(response.statusCode).toBe(200)
})

/** Sends bytes over TLS and collects what comes back until the server closes; `leaves`: the caller half-closes at once. */
function exchange(bytes: string | Uint8Array, { asAdmin = false, leaves = false } = {}): Promise<string> {
  return new Promise((resolve) => {
    const credentials = asAdmin ? { cert: admin.certificate, key: admin.key } : {}
    const socket = connectTls({ host: '127.0.0.1', port: listener.port, ca, ...credentials })
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
    if (leaves) socket.end(bytes)
    else socket.write(bytes)
  })
}

const get = (target: string, headers = '') => `GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${headers}\r\n`

describe('request lines and headers', () => {
  for (const [behaviour, bytes, status] of [
    ['no HTTP at all', '\x00\x01\x02\x03\r\n\r\n', 400],
    ['an unknown method', 'BREW / HTTP/1.1\r\nHost: x\r\n\r\n', 400],
    ['an unknown version', 'GET / HTTP/9.9\r\nHost: x\r\n\r\n', 400],
    ['a missing host', 'GET / HTTP/1.1\r\n\r\n', 400],
    ['a target of 100 KB', get(`/${'a'.repeat(100_000)}`), 431],
    ['20,000 headers', get('/livez', 'a: b\r\n'.repeat(20_000)), 431],
    ['a folded header', get('/livez', 'a: b\r\n c\r\n'), 400],
    ['a NUL in a header', get('/livez', 'a: \0\r\n'), 400],
    ['a bare line feed smuggling a request', 'GET /livez HTTP/1.1\nHost: x\n\n', 400],
    ['an invalid chunk size', 'POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 400],
    ['a negative length', 'POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n', 400],
  ] as const)
    test(`${behaviour} is answered with ${status}`, async () => {
      expect((await exchange(bytes)).slice(0, 12)).toBe(`HTTP/1.1 ${status}`)
    })

  test('a body beyond the limit gets a stranger no other refusal than a small one, and is not read', async () => {
    const head = 'POST /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 99999999999\r\n\r\n'
    expect(await exchange(head)).toContain('403 Forbidden')
  })
})

describe('paths', () => {
  const tricks = [
    ...['/../api', '/./livez/../api', '//api/v1/pods', '/api/v1/namespaces/../pods', '/livez/../api/v1/secrets'],
    ...['/livez%2f..%2fapi', '/livez/%2e%2e/api', '/api/v1/pods%00', '/api/v1/%', '/livez;/api', '/healthz/..;/api'],
    ...['/api/v1/namespaces/a%2fb/pods', '/LIVEZ', '/livez%20', '/api/v1/watch/../secrets', '/\\..\\api'],
  ]
  for (const path of tricks)
    test(`${path} gets a stranger nothing but a refusal or health`, async () => {
      handled.length = 0
      const [, status] = /^HTTP\/1\.1 (\d+)/.exec(await exchange(get(path))) ?? []
      expect(['200', '400', '401', '403', '404']).toContain(status)
      for (const reached of handled) expect(reached.startsWith('/livez/') || reached.startsWith('/healthz/')).toBe(true)
    })
})

describe('credentials', () => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: 'https://t8s', aud: ['https://t8s'], exp: 99_999_999_999, sub: 'system:serviceaccount:a:b' }
  for (const [behaviour, token] of [
    ['nothing', ''],
    ['garbage', 'garbage'],
    ['dots', '...'],
    ['an unsigned token', `${encode({ alg: 'none' })}.${encode(claims)}.`],
    ['another algorithm', `${encode({ alg: 'HS256' })}.${encode(claims)}.AAAA`],
    ['a key of its own', `${encode({ alg: 'ES256', jwk: { kty: 'EC' } })}.${encode(claims)}.AAAA`],
    ['claims that are no object', `${encode({ alg: 'ES256' })}.${Buffer.from('null').toString('base64url')}.AAAA`],
    ['40 KB', 'a'.repeat(40_000)],
  ] as const)
    test(`${behaviour} as a bearer token is 401`, async () => {
      expect((await exchange(get('/api', `Authorization: Bearer ${token}\r\n`))).slice(0, 12)).toBe('HTTP/1.1 401')
    })

  test('headers of a front proxy prove nothing', async () => {
    const headers = 'X-Remote-User: admin\r\nX-Remote-Group: system:masters\r\nImpersonate-User: admin\r\n'
    expect((await exchange(get('/api', headers))).slice(0, 12)).toBe('HTTP/1.1 401')
  })
})

describe('TLS and HTTP/2', () => {
  test('no TLS, broken TLS and silence close nothing but their own connection', async () => {
    for (const bytes of [Buffer.from(get('/livez')), Buffer.from([22, 3, 1, 255, 255]), randomBytes(2_000)]) {
      const socket = connectTcp(listener.port, '127.0.0.1')
      socket.on('error', () => {})
      socket.end(bytes)
      socket.resume()
      await once(socket, 'close')
    }
  })

  test('garbage instead of HTTP/2 frames ends that session', async () => {
    for (let round = 0; round < 20; round++) {
      const socket = connectTls({ host: '127.0.0.1', port: listener.port, ca, ALPNProtocols: ['h2'] })
      socket.on('error', () => {})
      await once(socket, 'secureConnect')
      socket.end(Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), randomBytes(500)]))
      socket.resume()
      await once(socket, 'close')
    }
  })

  test('streams that are opened and reset at once do not pile up', async () => {
    const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { ca })
    session.on('error', () => {})
    for (let count = 0; count < 500 && !session.destroyed; count++) {
      const stream = session.request({ ':path': '/livez' })
      stream.on('error', () => {})
      stream.close(8)
    }
    session.destroy()
  })
})

describe('upgrades', () => {
  const upgrade = (path: string, headers: string, after: Uint8Array = Buffer.alloc(0)) =>
    Buffer.concat([Buffer.from(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n${headers}\r\n`), after])
  const webSocket = 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n'

  test('by a stranger are refused, and nothing after them is read', async () => {
    const second = Buffer.from(get('/livez'))
    const answer = await exchange(upgrade('/api/v1/namespaces/a/pods/b/exec', webSocket, second))
    expect(answer.slice(0, 12)).toBe('HTTP/1.1 401')
    expect(answer.match(/HTTP\/1\.1/g)).toHaveLength(1)
  })

  for (const [behaviour, headers] of [
    ['a bad key', 'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x\r\n'],
    [
      'a bad version',
      'Upgrade: websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n',
    ],
    ['a bad protocol', `${webSocket}Sec-WebSocket-Protocol: ,,,/\r\n`],
    ['an unknown SPDY protocol', 'Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v99\r\n'],
  ] as const)
    test(`with ${behaviour} are refused`, async () => {
      const answer = await exchange(upgrade('/api/v1/namespaces/a/pods/b/exec', headers), { asAdmin: true })
      expect(answer).toMatch(/^HTTP\/1\.1 4\d\d/)
    })

  test('followed by bad WebSocket frames end that connection', async () => {
    for (const frame of [
      Buffer.from([0xff, 0xff]),
      Buffer.from([0x82, 0x7f, 255, 255, 255, 255, 255, 255, 255, 255]),
      randomBytes(300),
    ])
      for (const path of ['exec', 'portforward?port=80'])
        await exchange(upgrade(`/api/v1/namespaces/a/pods/b/${path}`, webSocket, frame), {
          asAdmin: true,
          leaves: true,
        })
  })

  test('followed by SPDY garbage end that connection', async () => {
    for (let round = 0; round < 20; round++) {
      const headers = 'Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n'
      await exchange(upgrade('/api/v1/namespaces/a/pods/b/portforward', headers, randomBytes(2_000)), {
        asAdmin: true,
        leaves: true,
      })
    }
  })
})
