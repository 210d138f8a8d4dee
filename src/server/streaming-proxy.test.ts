/** The way through the server to a kubelet and to pods, over real sockets on 127.0.0.1. */

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { request as requestHttps } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { systemClock } from '../base/clock.ts'
import { silentLogger } from '../base/log.ts'
import { systemRandom } from '../base/random.ts'
import { toStatus } from '../machinery/meta/api-error.ts'
import { acceptRemoteCommand, exitStatus } from '../machinery/wire/channels.ts'
import { createSpdySession } from '../machinery/wire/spdy.ts'
import { type CertificateAuthority, createCertificateAuthority, type KeyPair } from './auth/certificate-authority.ts'
import { chooseContainer, commandPath, logPath, portForwardPath, type StreamedPod } from './container-choice.ts'
import { type Listener, listen } from './http.ts'
import { proxyRequest, rewritePage } from './http-proxy.ts'
import { createConnect, isProxyPath, parseProxyName } from './streaming-proxy.ts'

const pod = (spec: Partial<StreamedPod['spec']> = {}): StreamedPod => ({
  metadata: { namespace: 'd', name: 'web' },
  spec: { nodeName: 'n1', containers: [{ name: 'a' }], ...spec },
})
const two = pod({ containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'i' }] })

function messageOf(action: () => unknown): string | undefined {
  try {
    action()
    return undefined
  } catch (error) {
    return toStatus(error).message
  }
}

describe('which container', () => {
  test('is the only one, or the asked one', () => {
    expect(chooseContainer(pod(), '')).toBe('a')
    expect(chooseContainer(two, 'i')).toBe('i')
  })
  for (const [asked, message] of [
    ['', 'a container name must be specified for pod web, choose one of: [a b] or one of the init containers: [i]'],
    ['x', 'container x is not valid for pod web'],
  ] as const)
    test(message, () => expect(messageOf(() => chooseContainer(two, asked))).toBe(message))
})

test('paths of the kubelet', () => {
  const query = (text: string) => new URLSearchParams(text)
  expect(commandPath('exec', pod(), query('stdin=true&stdout=1&stderr=false&command=ls&command=-l a'))).toBe(
    '/exec/d/web/a?input=1&output=1&command=ls&command=-l+a',
  )
  expect(portForwardPath(pod(), query('ports=80&ports=81'))).toBe('/portForward/d/web?port=80&port=81')
  expect(logPath(pod(), query('follow=true&tailLines=5&pretty=1'))).toBe(
    '/containerLogs/d/web/a?follow=true&tailLines=5',
  )
  expect(messageOf(() => logPath(pod(), query('tailLines=-1')))).toContain('must be greater than or equal to 0')
})

test('names of proxies', () => {
  expect(parseProxyName('web')).toEqual({ scheme: 'http', name: 'web', port: '' })
  expect(parseProxyName('web:80')).toEqual({ scheme: 'http', name: 'web', port: '80' })
  expect(parseProxyName('https:web:api')).toEqual({ scheme: 'https', name: 'web', port: 'api' })
  for (const bad of ['', ':', 'ftp:web:80', 'a:b:c:d']) expect(parseProxyName(bad)).toBeUndefined()
})

test('links of pages lead through the proxy', () => {
  expect(rewritePage('<a href="/rewriteme">x</a><img src=\'/i\'><a href="//other/">', '/p')).toBe(
    '<a href="/p/rewriteme">x</a><img src=\'/p/i\'><a href="//other/">',
  )
})

describe('through the server', () => {
  let authority: CertificateAuthority
  let certificate: KeyPair
  let kubelet: Server
  let listener: Listener
  const seen: { url: string; authorization: string | undefined }[] = []

  beforeAll(async () => {
    authority = await createCertificateAuthority('ca', { clock: systemClock, random: systemRandom })
    certificate = await authority.issueServer({ commonName: 's', names: ['127.0.0.1'] })
  })
  beforeEach(async () => {
    seen.length = 0
    kubelet = createServer(async (request, response) => {
      seen.push({ url: request.url ?? '', authorization: request.headers.authorization })
      if (request.url?.startsWith('/containerLogs')) return void response.end('line\n')
      const body = Buffer.concat(await request.toArray()).toString()
      response.setHeader('content-type', 'text/html')
      response.writeHead(302, { location: '/next' }).end(`<a href="/x">${request.method} ${body}</a>`)
    })
    kubelet.on('upgrade', async (request, socket, head) => {
      if (request.url?.includes('refused'))
        return void socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\nno')
      const wish = { stdin: true, stdout: true, stderr: false, tty: false }
      const streams = await acceptRemoteCommand({ request, socket, head }, wish)
      streams.stdin?.pipe(streams.stdout ?? process.stdout, { end: false })
      streams.stdin?.once('end', () => streams.exit(exitStatus(7)))
    })
    kubelet.listen(0, '127.0.0.1')
    await once(kubelet, 'listening')
    const { port } = kubelet.address() as AddressInfo
    const backend = { host: '127.0.0.1', port }
    const connect = createConnect({
      pod: async () => pod(),
      serviceEndpoints: async (_key, name) => (name === 'none' ? [] : undefined),
      dialNode: async () => backend,
      random: systemRandom,
      log: silentLogger,
    })
    listener = await listen({
      handle: async (request) => {
        const [, , , , namespace = '', resource = '', name = '', subresource = '', ...rest] = request.path.split('/')
        if (resource === 'raw') return proxyRequest({ backend, path: '/raw', prefix: '/p' }, request, silentLogger)
        const tail = rest.length === 0 ? '' : `/${rest.join('/')}`
        return connect({ resource, namespace, name, subresource, rest: tail }, request)
      },
      hosts: ['127.0.0.1'],
      port: 0,
      tls: { certificate: certificate.certificate, key: certificate.key, clientCa: authority.certificate },
      http2: true,
      clock: systemClock,
      log: silentLogger,
      leavesBody: (path) => isProxyPath(path) || path.includes('/raw'),
    })
  })
  afterEach(async () => {
    kubelet.closeAllConnections()
    kubelet.close()
    await listener.close(0)
  })

  const url = (path: string) => `127.0.0.1:${listener.port}/api/v1/namespaces/d/${path}`

  async function fetchText(path: string, options: { readonly method?: string; readonly body?: string } = {}) {
    const request = requestHttps(`https://${url(path)}`, {
      ca: authority.certificate,
      agent: false,
      method: options.method ?? 'GET',
      headers: { authorization: 'Bearer secret' },
    })
    request.end(options.body)
    const [response] = await once(request, 'response')
    return {
      status: response.statusCode,
      location: response.headers.location,
      text: Buffer.concat(await response.toArray()).toString(),
    }
  }

  test('logs are relayed', async () => {
    expect(await fetchText('pods/web/log?tailLines=1')).toMatchObject({ status: 200, text: 'line\n' })
    expect(seen).toEqual([{ url: '/containerLogs/d/web/a?tailLines=1', authorization: undefined }])
  })

  for (const [protocol, expected, isBinary] of [
    ['binary.k8s.io', 'line\n', true],
    ['base64.binary.k8s.io', Buffer.from('line\n').toString('base64'), false],
  ] as const) {
    test(`logs come as messages of a WebSocket that speaks ${protocol}`, async () => {
      const options = { ca: authority.certificate }
      const socket = new WebSocket(`wss://${url('pods/web/log?tailLines=1')}`, [protocol], options)
      const messages: [string, boolean][] = []
      socket.on('message', (data: Buffer, binary) => messages.push([data.toString(), binary]))
      await once(socket, 'close')
      expect(messages).toEqual([
        ['', true],
        [expected, isBinary],
      ])
    })
  }

  test('exec over WebSocket reaches the kubelet and its exit code comes back', async () => {
    const socket = new WebSocket(`wss://${url('pods/web/exec?command=cat&stdin=1&stdout=1')}`, ['v5.channel.k8s.io'], {
      ca: authority.certificate,
    })
    const messages: string[] = []
    socket.on('message', (data: Buffer) => messages.push(data.toString()))
    await once(socket, 'open')
    socket.send(Buffer.from('\0hello'))
    socket.send(Buffer.from([255, 0]))
    await once(socket, 'close')
    expect(messages).toContain('\x01hello')
    expect(messages.at(-1)).toContain('"message":"7"')
  })

  test('exec over SPDY too', async () => {
    const request = requestHttps(`https://${url('pods/web/exec?command=cat&stdin=1&stdout=1')}`, {
      ca: authority.certificate,
      method: 'POST',
      headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' },
    }).end()
    const [, socket, head] = await once(request, 'upgrade')
    const session = createSpdySession(socket, 'client', head)
    const [error, stdin, stdout] = ['error', 'stdin', 'stdout'].map((type) =>
      session.open(new Map([['streamtype', type]])),
    )
    let output = ''
    stdout?.on('data', (data) => {
      output += data
    })
    stdin?.end('x'.repeat(100_000))
    if (!error) throw new Error('unreachable')
    const [result] = await once(error, 'data')
    expect(String(result)).toContain('"message":"7"')
    expect(output.length).toBe(100_000)
  })

  test('exec without an upgrade is refused, and a kubelet that does not upgrade ends the connection', async () => {
    expect(await fetchText('pods/web/exec?command=x')).toMatchObject({ status: 400 })
    const socket = new WebSocket(`wss://${url('pods/web/exec?command=refused')}`, { ca: authority.certificate })
    expect(String(await once(socket, 'error'))).toContain('400')
  })

  test('a proxied request is passed with its body, and its answer leads back through the proxy', async () => {
    const answer = await fetchText('raw', { method: 'POST', body: 'body' })
    expect(answer).toEqual({ status: 302, location: '/p/next', text: '<a href="/p/x">POST body</a>' })
    expect(seen[0]?.authorization).toBeUndefined()
  })

  test('and over HTTP/2 alike', async () => {
    const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { ca: authority.certificate })
    const stream = session.request({ ':path': '/api/v1/namespaces/d/raw', ':method': 'POST' })
    stream.end('body')
    const [head] = await once(stream, 'response')
    expect(head[':status']).toBe(302)
    expect(head.location).toBe('/p/next')
    expect(Buffer.concat(await stream.toArray()).toString()).toBe('<a href="/p/x">POST body</a>')
    session.close()
  })

  test.each(['POST', 'DELETE', 'OPTIONS', 'GET'])(
    'a body without a length is a body all the same: %s',
    async (method) => {
      const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { ca: authority.certificate })
      const stream = session.request({ ':path': '/api/v1/namespaces/d/raw', ':method': method }, { endStream: false })
      stream.end('GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n')
      const text = Buffer.concat(await stream.toArray()).toString()
      expect(text).toBe(`<a href="/p/x">${method} GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n</a>`)
      session.close()
    },
  )

  test('a service without endpoints is unavailable', async () => {
    expect((await fetchText('services/web:none/proxy/')).text).toContain('no endpoints available for service')
    expect((await fetchText('services/web:x/proxy/')).text).toContain('no service port')
  })

  test('a pod with an address of the server itself is not reached', async () => {
    expect((await fetchText('pods/web:80/proxy/')).text).toContain('address not allowed')
  })
})
