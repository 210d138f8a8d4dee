/** Watches that are opened as WebSockets, as browsers and fabric8's informers open them, against a real listener. */

import { once } from 'node:events'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { configMaps } from '../../../src/apis/core/config-map.ts'
import { systemClock } from '../../../src/base/clock.ts'
import { silentLogger } from '../../../src/base/log.ts'
import { systemRandom } from '../../../src/base/random.ts'
import { createCertificateAuthority } from '../../../src/server/auth/certificate-authority.ts'
import { type Listener, listen } from '../../../src/server/http.ts'
import { createTestServer, type TestServer } from '../../support/test-server.ts'

let listener: Listener
let target: TestServer
let ca: string

beforeAll(async () => {
  const authority = await createCertificateAuthority('ca', { clock: systemClock, random: systemRandom })
  const server = await authority.issueServer({ commonName: 'server', names: ['127.0.0.1'] })
  ca = authority.certificate
  target = createTestServer([configMaps])
  listener = await listen({
    handle: target.server.handle,
    hosts: ['127.0.0.1'],
    port: 0,
    tls: { certificate: server.certificate, key: server.key, clientCa: ca },
    http2: true,
    clock: systemClock,
    log: silentLogger,
  })
})
afterAll(async () => {
  await listener.close(0)
  await target[Symbol.asyncDispose]()
})

const create = (name: string) =>
  target.send('POST', '/api/v1/namespaces/default/configmaps', { body: { metadata: { name } } })

interface Watch {
  readonly socket: WebSocket
  /** The next message: an event, and whether it came as text. */
  next(): Promise<{ readonly data: Buffer; readonly text: boolean }>
}

async function open(query: string, protocols: readonly string[] = [], headers = {}): Promise<Watch> {
  const url = `wss://127.0.0.1:${listener.port}/api/v1/namespaces/default/configmaps?watch=true&${query}`
  const socket = new WebSocket(url, [...protocols], { ca, headers })
  const messages: { readonly data: Buffer; readonly text: boolean }[] = []
  socket.on('message', (data: Buffer, binary) => void messages.push({ data, text: !binary }))
  await once(socket, 'open')
  return {
    socket,
    async next() {
      if (messages.length === 0) await once(socket, 'message')
      const message = messages.shift()
      if (!message) throw new Error('there is no message')
      return message
    },
  }
}

describe('a watch over a WebSocket', () => {
  test('opens before anything happens, and tells one event a message, as text', async () => {
    const { json } = await target.send('GET', '/api/v1/namespaces/default/configmaps')
    const { socket, next } = await open(`resourceVersion=${json.metadata.resourceVersion}`)
    await create('one')
    await create('two')
    for (const name of ['one', 'two']) {
      const { data, text } = await next()
      expect(text).toBe(true)
      expect(JSON.parse(data.toString())).toMatchObject({ type: 'ADDED', object: { metadata: { name } } })
    }
    socket.close()
    await once(socket, 'close')
  })

  test('in protobuf, messages are binary and have no length before them', async () => {
    const { socket, next } = await open('', [], { accept: 'application/vnd.kubernetes.protobuf' })
    const { data, text } = await next()
    expect(text).toBe(false)
    // Field 1 of WatchEvent: its type.
    expect(data.subarray(0, 7).toString('latin1')).toBe('\n\x05ADDED')
    socket.close()
    await once(socket, 'close')
  })

  test('ends when its time is over', async () => {
    const { next, socket } = await open('timeoutSeconds=1')
    const closed = once(socket, 'close')
    await create('three')
    expect(JSON.parse((await next()).data.toString())).toMatchObject({ type: 'ADDED' })
    await target.clock.advance(1_000)
    await closed
  })

  test('ends the connection of a watcher that does not answer the goodbye', async () => {
    const socket = connect({ port: listener.port, host: '127.0.0.1', ca })
    const key = Buffer.alloc(16).toString('base64')
    const head = [
      'GET /api/v1/configmaps?watch=true&timeoutSeconds=1 HTTP/1.1',
      ...['Host: server', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'],
      `Sec-WebSocket-Key: ${key}`,
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    const [answer] = await once(socket, 'data')
    expect(String(answer)).toMatch(/^HTTP\/1.1 101 /)
    const ended = once(socket, 'end')
    await target.clock.advance(1_000)
    await ended
  })

  test.each([
    ['the one that a watcher names', ['base64.binary.k8s.io'], 'base64.binary.k8s.io'],
    ['not the one that holds a token', ['base64url.bearer.authorization.k8s.io.dG9rZW4', 'any'], 'any'],
  ])('repeats the protocol: %s', async (_, protocols, expected) => {
    const { socket } = await open('', protocols)
    expect(socket.protocol).toBe(expected)
    socket.terminate()
  })
})
