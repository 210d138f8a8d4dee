/** Requests for an aggregated server: who is told to ask, what is taken away from what they say, and how bodies go. */

import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { apiServices } from '../../../src/apis/apiregistration/api-service.ts'
import { otherAuthority } from '../../support/webhook-server.ts'
import { GADGETS, GROUP, type Opened, openAggregation, ROOT, until } from './opened.ts'

let opened: Opened

beforeAll(async () => {
  opened = await openAggregation()
})
afterAll(() => opened?.[Symbol.asyncDispose]())
beforeEach(() => {
  opened.backend.received.length = 0
  opened.backend.answering = () => false
})

const ask = (method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: unknown) =>
  opened.plane.ask(method, path, { as: opened.admin, headers, body })
/** Requests of clients: the server asks for documents by itself. */
const received = () => opened.backend.received.filter(({ url }) => url.startsWith(`${ROOT}/`))
const values = (name: string) =>
  received().flatMap(({ headers }) => headers.filter(([header]) => header === name).map(([, value]) => value))
const head = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`

describe('the caller', () => {
  test('is named to the server by the front proxy', async () => {
    const body = { metadata: { name: 'one' } }
    expect(await ask('POST', `${GADGETS}?dryRun=All&fieldManager=a%2Fb`, {}, body)).toMatchObject({ status: 201 })
    const [request] = received()
    expect(request).toMatchObject({ method: 'POST', commonName: 'front-proxy-client', body: JSON.stringify(body) })
    expect(request?.url).toBe(`${GADGETS}?dryRun=All&fieldManager=a%2Fb`)
    expect(values('x-remote-user')).toEqual(['admin'])
    expect(values('x-remote-group')).toEqual(['system:masters', 'system:authenticated'])
    expect(values('x-remote-extra-authentication.kubernetes.io%2fcredential-id')).toEqual([
      expect.stringMatching(/^X509SHA256=/),
    ])
    expect(values('x-forwarded-for')).toEqual(['127.0.0.1'])
    expect(values('x-forwarded-uri')).toEqual([GADGETS])
    expect(values('x-forwarded-proto')).toEqual(['https'])
    expect(values('x-forwarded-host')).toEqual(values('host'))
    expect(values('audit-id')).toHaveLength(1)
  })

  test('asks for exactly what they ask for', async () => {
    const paths = ['/http:/x', '/a%20b;c', '/a/proxy/b%2Fc//d?e=f%26&g=%2B']
    for (const path of paths)
      await opened.exchange(head([`GET ${GADGETS}${path} HTTP/1.1`, 'Host: server', 'Connection: close']))
    expect(received().map(({ url }) => url.slice(GADGETS.length))).toEqual(paths)
  })

  test('may act as somebody else, and the server hears of nobody but them', async () => {
    const headers = { 'Impersonate-User': 'jane', 'Impersonate-Group': 'system:masters', 'Impersonate-Uid': 'u1' }
    expect(await ask('GET', GADGETS, { ...headers, 'Impersonate-Extra-Example.com%2Fteam': 'red' })).toMatchObject({
      status: 200,
    })
    expect(values('x-remote-user')).toEqual(['jane'])
    expect(values('x-remote-uid')).toEqual(['u1'])
    expect(values('x-remote-group')).toEqual(['system:masters', 'system:authenticated'])
    expect(values('x-remote-extra-example.com%2fteam')).toEqual(['red'])
    expect(received().flatMap(({ headers }) => headers.filter(([name]) => name.startsWith('impersonate-')))).toEqual([])
  })

  test('cannot say who they are, however they spell it', async () => {
    const heard = await opened.exchange(
      head([
        `GET ${GADGETS} HTTP/1.1`,
        'Host: server',
        'X-Remote-User: system:admin',
        'x-remote-user: root',
        'X-REMOTE-GROUP: system:nodes',
        'X-Remote-Group: a, b',
        'X-Remote-Extra-Scopes: all',
        'x-ReMoTe-extra-scopes: more',
        'X_Remote_User: root',
        'X-Remote_Group: system:nodes',
        'X-Remote-Uid: 0',
        'X-Forwarded-Proto: http',
        'X-Forwarded-Host: elsewhere',
        'Proxy-Authorization: Basic YTpi',
        'Connection: close, X-Remote-User, X-Remote-Group, X-Custom',
        'X-Custom: of this connection',
      ]),
    )
    expect(heard).toMatch(/^HTTP\/1.1 200 /)
    const names = received().flatMap(({ headers }) => headers.map(([name]) => name.replaceAll('_', '-')))
    expect(values('x-remote-user')).toEqual(['admin'])
    expect(values('x-remote-group')).toEqual(['system:masters', 'system:authenticated'])
    expect(values('x-forwarded-proto')).toEqual(['https'])
    expect(names.filter((name) => name === 'x-remote-user')).toHaveLength(1)
    expect(names.filter((name) => name === 'x-remote-uid' || name === 'x-custom')).toEqual([])
    expect(names.filter((name) => name.includes('scopes') || name === 'proxy-authorization')).toEqual([])
    expect(names).not.toContain('authorization')
  })

  test('whose name would be another one on the way is refused', async () => {
    const heard = await ask('GET', GADGETS, { 'Impersonate-User': 'jane', 'Impersonate-Group': 'a' })
    expect(heard.status).toBe(403)
    const spaced = await opened.plane.user('admin ', 'system:masters')
    expect(await opened.plane.ask('GET', GADGETS, { as: spaced })).toMatchObject({
      status: 403,
      json: { message: expect.stringContaining('cannot be passed on') },
    })
    expect(received()).toEqual([])
  })

  test('needs the right to what is asked for before anything is passed on', async () => {
    const jane = await opened.plane.user('jane')
    expect(await opened.plane.ask('GET', GADGETS, { as: jane })).toMatchObject({
      status: 403,
      json: { message: expect.stringContaining(`cannot list resource "gadgets" in API group "${GROUP}"`) },
    })
    expect(received()).toEqual([])
    // Everybody may see what there is.
    expect((await opened.plane.ask('GET', ROOT, { as: jane })).json).toMatchObject({ kind: 'APIResourceList' })
  })

  test.each([
    `${ROOT}/namespaces/default/../../../../../api/v1/secrets`,
    `${ROOT}//gadgets`,
    `${ROOT}/namespaces/default/gadgets/%2e%2e`,
    `${ROOT}/namespaces/default/gadgets/a%2fb`,
    `${GADGETS}/one/proxy/../../..`,
    `${GADGETS}/one/proxy/a%5c..%5cb`,
  ])('is not led to another path: %s', async (path) => {
    const heard = await opened.exchange(head([`GET ${path} HTTP/1.1`, 'Host: server', 'Connection: close']))
    expect(heard).toMatch(/^HTTP\/1.1 404 /)
    expect(received()).toEqual([])
  })
})

describe('bodies', () => {
  test('go there as they come', async () => {
    const first = Promise.withResolvers<IncomingMessage>()
    opened.backend.answering = (request, response) => {
      if (request.method !== 'POST') return false
      request.once('data', (chunk: Buffer) => {
        expect(chunk.toString()).toBe('begin')
        first.resolve(request)
      })
      request.on('end', () => response.end('all'))
      return true
    }
    const socket = await opened.dial()
    const fields = ['Host: server', 'Transfer-Encoding: chunked', 'Content-Type: text/plain']
    socket.write(`${head([`POST ${GADGETS} HTTP/1.1`, ...fields])}5\r\nbegin\r\n`)
    await first.promise
    socket.write('3\r\nend\r\n0\r\n\r\n')
    const [answer] = (await once(socket, 'data')) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1.1 200 /)
    socket.destroy()
  })

  test('come as they are sent, and nobody goes on when the caller has left', async () => {
    const left = Promise.withResolvers<void>()
    opened.backend.answering = (request, response) => {
      if (!request.url?.includes('watch=true')) return false
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write('{"type":"ADDED"}\n')
      response.on('close', () => left.resolve())
      return true
    }
    const heard = await opened.exchange(head([`GET ${GADGETS}?watch=true HTTP/1.1`, 'Host: server']), (text) =>
      text.includes('ADDED'),
    )
    expect(heard).toContain('{"type":"ADDED"}')
    await left.promise
  })

  test.each([
    ['DELETE', 'Transfer-Encoding: chunked', '25\r\n', '\r\n0\r\n\r\n'],
    ['GET', 'Transfer-Encoding: chunked', '25\r\n', '\r\n0\r\n\r\n'],
    ['OPTIONS', 'Transfer-Encoding: chunked', '25\r\n', '\r\n0\r\n\r\n'],
    ['GET', 'Content-Length: 37', '', ''],
    ['DELETE', 'Content-Length: 37', '', ''],
    ['POST', 'Transfer-Encoding: chunked', '25\r\n', '\r\n0\r\n\r\n'],
  ])('of %s with %s are never taken for requests', async (method, length, before, after) => {
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: a.b\r\n\r\n'
    expect(smuggled).toHaveLength(0x25)
    const bodies: string[] = []
    opened.backend.answering = (request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks).toString())
        response.end('{}')
      })
      return true
    }
    const sent = `${head([`${method} ${GADGETS}/one HTTP/1.1`, 'Host: server', length, 'Connection: close'])}`
    const heard = await opened.exchange(`${sent}${before}${smuggled}${after}`)
    expect(heard).toMatch(/^HTTP\/1.1 200 /)
    expect(bodies).toEqual([smuggled])
    expect(opened.backend.received.map(({ url }) => url)).toEqual([`${GADGETS}/one`])
  })

  test('that break off reach nobody as whole', async () => {
    opened.backend.answering = (_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      response.socket?.end()
      return true
    }
    await expect(ask('GET', `${GADGETS}/one`)).rejects.toThrow(/aborted|hang up/)
  })
})

describe('a server that is not to be reached', () => {
  const change = async (spec: object, status?: 'True' | 'False') => {
    const current = await opened.client.of(apiServices).get({ name: `v1.${GROUP}` })
    const updated = await opened.client.of(apiServices).update({ ...current, spec: { ...current.spec, ...spec } })
    if (status === undefined) return
    const condition = { type: 'Available', status, reason: 'Test', message: 'said by the test' }
    await opened.client
      .of(apiServices)
      .update({ ...updated, status: { conditions: [condition] } }, { subresource: 'status' })
  }

  /** The server follows what is registered: it may be a moment behind. */
  const answered = async (status: number) => {
    await until(async () => (await ask('GET', GADGETS)).status === status)
    opened.backend.received.length = 0
    return ask('GET', GADGETS)
  }

  test('that is not available is not asked', async () => {
    await change({}, 'False')
    const answer = await answered(503)
    expect(answer).toMatchObject({ status: 503, text: 'service unavailable\n' })
    expect(received()).toEqual([])
    await expect(opened.client.raw({ path: GADGETS })).resolves.toMatchObject({
      status: 503,
      body: { object: { message: 'the server is currently unable to handle the request' } },
    })
    await change({}, 'True')
    await answered(200)
  })

  test('is not believed without the certificate of its authority', async () => {
    await change({ caBundle: await otherAuthority() })
    expect((await answered(503)).text).toMatch(
      /^error trying to reach service: tls: failed to verify certificate: x509: /,
    )
    await change({ caBundle: undefined, insecureSkipTLSVerify: true })
    await answered(200)
    await change({ caBundle: opened.backend.caBundle, insecureSkipTLSVerify: undefined })
    await answered(200)
  })

  test('that has no Service is unavailable', async () => {
    const { service } = (await opened.client.of(apiServices).get({ name: `v1.${GROUP}` })).spec
    await change({ service: { ...service, name: 'missing' } })
    expect((await answered(503)).text).toBe('service unavailable\n')
    await change({ service })
  })
})
