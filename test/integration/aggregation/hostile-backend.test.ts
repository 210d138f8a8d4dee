/** Aggregated servers that mean ill, or are confused: nobody is sent elsewhere, and no connection serves two masters. */

import { once } from 'node:events'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { apiServices } from '../../../src/apis/apiregistration/api-service.ts'
import { GADGETS, GROUP, type Opened, openAggregation, until } from './opened.ts'

let opened: Opened

beforeAll(async () => {
  opened = await openAggregation()
})
afterAll(() => opened?.[Symbol.asyncDispose]())
beforeEach(() => {
  opened.backend.received.length = 0
  opened.backend.answering = () => false
})

const ELSEWHERE = 'https://169.254.169.254/latest/meta-data'
const urls = () => opened.backend.received.map(({ url }) => url).filter((url) => url.startsWith(GADGETS))
const head = (lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`
const upgradeRequest = (path: string, protocol = 'websocket') =>
  head([
    `GET ${path} HTTP/1.1`,
    'Host: server',
    'Connection: Upgrade',
    `Upgrade: ${protocol}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol: v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0',
    'X-Remote-User: root',
  ])

describe('redirects', () => {
  const methods: readonly { readonly method: string; readonly body?: object }[] = [
    ...['GET', 'HEAD', 'DELETE', 'OPTIONS'].map((method) => ({ method })),
    ...['POST', 'PUT', 'PATCH'].map((method) => ({ method, body: {} })),
  ]
  const codes = [301, 302, 303, 307, 308]

  test.each(methods)('are neither followed nor passed on: $method', async ({ method, body }) => {
    for (const code of codes) {
      opened.backend.answering = (_request, response) => {
        response.writeHead(code, { location: ELSEWHERE, 'set-cookie': 'a=b' })
        response.end('gone')
        return true
      }
      const answer = await opened.plane.ask(method, `${GADGETS}/one`, { as: opened.admin, body })
      expect(answer.status).toBe(502)
      expect(answer.text).not.toContain(ELSEWHERE)
      if (method !== 'HEAD')
        expect(answer.text).toBe('the backend attempted to redirect this request, which is not permitted')
    }
    expect(urls()).toEqual(codes.map(() => `${GADGETS}/one`))
  })

  test('to nowhere are what they say', async () => {
    opened.backend.answering = (_request, response) => {
      response.writeHead(304, { etag: '"1"' })
      response.end()
      return true
    }
    expect(await opened.plane.ask('GET', `${GADGETS}/one`, { as: opened.admin })).toMatchObject({
      status: 304,
      text: '',
    })
  })

  test.each(codes)('of an upgrade end the connection: %i', async (code) => {
    opened.backend.upgrading = (_, socket) => {
      socket.write(`HTTP/1.1 ${code} Moved\r\nLocation: ${ELSEWHERE}\r\nContent-Length: 0\r\n\r\n`)
    }
    const heard = await opened.exchange(upgradeRequest(`${GADGETS}/one/exec`))
    expect(heard).toMatch(/^HTTP\/1.1 503 /)
    expect(heard).toContain(`invalid upgrade response: status code ${code}`)
    expect(heard).not.toContain(ELSEWHERE)
    expect(urls()).toEqual([`${GADGETS}/one/exec`])
  })
})

describe('answers', () => {
  test('keep nothing in browsers, and give nobody leave to read', async () => {
    opened.backend.answering = (_request, response) => {
      response.writeHead(200, {
        ...{
          'set-cookie': 'session=1',
          'access-control-allow-origin': '*',
          'access-control-allow-credentials': 'true',
        },
        ...{ 'alt-svc': 'h3=":443"', 'x-own': 'yes', 'audit-id': 'of the server' },
      })
      response.end('{}')
      return true
    }
    const heard = await opened.exchange(
      head([`GET ${GADGETS}/one HTTP/1.1`, 'Host: server', 'Audit-ID: mine', 'Connection: close']),
    )
    expect(heard.toLowerCase()).toContain('x-own: yes')
    expect(heard).toContain('audit-id: mine')
    expect(heard.toLowerCase()).not.toMatch(/set-cookie|access-control-allow|alt-svc|of the server/)
  })

  test('without end are read no further than the caller wants', async () => {
    opened.backend.answering = (_request, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(64 * 1024, 0x20)));
      }
      response.on('drain', more)
      more()
      return true
    }
    const heard = await opened.exchange(
      head([`GET ${GADGETS}/one HTTP/1.1`, 'Host: server']),
      (text) => text.length > 1024 * 1024,
    )
    expect(heard.length).toBeGreaterThan(1024 * 1024)
    opened.backend.answering = () => false
    expect((await opened.plane.ask('GET', GADGETS, { as: opened.admin })).status).toBe(200)
  })
})

describe('documents', () => {
  const AGGREGATED = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList' }
  const freshness = async (): Promise<string> => {
    const { json } = await opened.plane.ask('GET', '/apis', { as: opened.admin, headers: AGGREGATED })
    const group = json.items.find(({ metadata }: { metadata: { name: string } }) => metadata.name === GROUP)
    return group.versions[0].freshness
  }
  /** Whatever is said anew about a server is a reason to read what it says. */
  const readAnew = async (versionPriority: number) => {
    const { spec, ...others } = await opened.client.of(apiServices).get({ name: `v1.${GROUP}` })
    await opened.client.of(apiServices).update({ ...others, spec: { ...spec, versionPriority } })
  }

  test.each<readonly [string, string]>([
    ['no JSON', 'nothing'],
    ['no end of depth', `${'{"items":['.repeat(100_000)}${']}'.repeat(100_000)}`],
    ['more than anybody reads', ' '.repeat(40 * 1024 * 1024)],
    ['something else', '{"kind":"APIGroupDiscoveryList","items":{"paths":7},"paths":[],"definitions":"none"}'],
  ])('that are %s harm nobody', async (title, text) => {
    opened.backend.answering = (request, response) => {
      if (request.url?.startsWith(GADGETS)) return false
      response.on('error', () => {})
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(text)
      return true
    }
    await readAnew(title.length)
    const expected = title === 'something else' ? 'Current' : 'Stale'
    await until(async () => (await freshness()) === expected)
    expect((await opened.plane.ask('GET', '/openapi/v2', { as: opened.admin })).status).toBe(200)
    expect((await opened.plane.ask('GET', '/openapi/v3', { as: opened.admin })).status).toBe(200)
    expect((await opened.plane.ask('GET', GADGETS, { as: opened.admin })).status).toBe(200)
  })

  test('are believed again when they make sense', async () => {
    await readAnew(11)
    await until(async () => (await freshness()) === 'Current')
  })
})

describe('an upgrade', () => {
  test.each([200, 400, 500])('that is answered with %i ends the connection, whatever follows on it', async (code) => {
    const later: string[] = []
    opened.backend.upgrading = (_, socket) => {
      socket.on('data', (chunk: Buffer) => later.push(chunk.toString()))
      socket.write(`HTTP/1.1 ${code} No\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nwhy?`)
    }
    const second = head([`GET ${GADGETS}/second HTTP/1.1`, 'Host: server', 'X-Remote-User: root'])
    const heard = await opened.exchange(`${upgradeRequest(`${GADGETS}/one/exec`)}${second}`)
    expect(heard).toMatch(code < 400 ? /^HTTP\/1.1 503 / : new RegExp(`^HTTP/1.1 ${code} `))
    expect(heard).toContain(code < 400 ? 'invalid upgrade response: status code 200' : 'why?')
    expect(heard.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(heard.toLowerCase()).toContain('connection: close')
    expect(later).toEqual([])
    expect(urls()).toEqual([`${GADGETS}/one/exec`])
  })

  test('that is answered with 500 leaves no way for what comes afterwards', async () => {
    opened.backend.upgrading = (_, socket) => {
      socket.write('HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n')
    }
    const socket = await opened.dial()
    socket.on('error', () => {})
    socket.write(upgradeRequest(`${GADGETS}/one/exec`))
    await once(socket, 'data')
    socket.write(head([`GET ${GADGETS}/second HTTP/1.1`, 'Host: server']))
    if (!socket.destroyed) await once(socket, 'close')
    expect(urls()).toEqual([`${GADGETS}/one/exec`])
  })

  test('leads both ways, in the name of the caller, without their token', async () => {
    opened.backend.upgrading = (_, socket) => {
      socket.write(
        head([
          'HTTP/1.1 101 Switching Protocols',
          'Connection: Upgrade',
          'Upgrade: websocket',
          'Sec-WebSocket-Protocol: v5.channel.k8s.io',
          'Set-Cookie: a=b',
        ]),
      )
      socket.on('data', (chunk: Buffer) => socket.write(`heard ${chunk.toString()}`))
    }
    const socket = await opened.dial()
    let heard = ''
    const hears = (text: string) =>
      new Promise<void>((resolve) => {
        const look = () => {
          if (heard.includes(text)) resolve()
          else socket.once('data', look)
        }
        look()
      })
    socket.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
    })
    socket.write(`${upgradeRequest(`${GADGETS}/one/exec?command=sh`)}early `)
    await hears('heard early ')
    socket.write('later')
    await hears('heard later')
    expect(heard).toMatch(/^HTTP\/1.1 101 /)
    expect(heard).not.toContain('Set-Cookie')
    const [request] = opened.backend.received.filter(({ url }) => url === `${GADGETS}/one/exec?command=sh`)
    const values = (name: string) => request?.headers.filter(([key]) => key === name).map(([, value]) => value)
    expect(values('x-remote-user')).toEqual(['admin'])
    expect(values('sec-websocket-protocol')).toEqual(['v5.channel.k8s.io'])
    const gone = once(request?.connection ?? socket, 'close')
    socket.destroy()
    await gone
  })

  test('to what is not available is refused', async () => {
    await opened.backend.stop()
    const heard = await opened.exchange(upgradeRequest(`${GADGETS}/one/exec`))
    expect(heard).toMatch(/^HTTP\/1.1 503 /)
    expect(heard).toContain('error dialing backend: dial tcp')
  })
})
