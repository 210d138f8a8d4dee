/** Remote commands and port forwards over real sockets, driven as kubectl does. */

import { once } from 'node:events'
import { createServer, request as requestHttp, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { createWebSocketStream, WebSocket } from 'ws'
import { acceptRemoteCommand, exitStatus } from './channels.ts'
import type { UpgradedSocket } from './message.ts'
import { acceptPortForward, type PortForward } from './port-forward.ts'
import type { RemoteCommandStreams, RemoteCommandWish } from './remote-command.ts'
import { createSpdySession, type SpdySession } from './spdy.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

async function serve(onUpgrade: (upgraded: UpgradedSocket) => unknown): Promise<number> {
  server = createServer()
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    onUpgrade({ request, socket, head })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

/** A command that echoes its input to stdout, its sizes to stderr, and exits with 3. */
async function echo(streams: RemoteCommandStreams): Promise<void> {
  if (streams.stdin && streams.stdout) await pipeline(streams.stdin, streams.stdout)
  else streams.stdout?.write('hello')
  streams.stderr?.write('warned')
  await streams.exit(exitStatus(3))
}

const serveCommand = (wish: RemoteCommandWish) =>
  serve((upgraded) => acceptRemoteCommand(upgraded, wish).then(echo, () => {}))

async function dialSpdy(port: number, protocols: readonly string[]) {
  const request = requestHttp({
    port,
    method: 'POST',
    headers: { Connection: 'Upgrade', Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': [...protocols] },
  }).end()
  const [response, socket, head]: [{ headers: Record<string, string> }, Duplex, Buffer] = await new Promise(
    (resolve, reject) => {
      request.on('upgrade', (...parts) => resolve(parts as never))
      request.on('response', (refused) => reject(new Error(String(refused.statusCode))))
      request.on('error', reject)
    },
  )
  return { version: response.headers['x-stream-protocol-version'], session: createSpdySession(socket, 'client', head) }
}

function open(session: SpdySession, headers: Record<string, string>) {
  return session.open(new Map(Object.entries(headers)))
}

async function received(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk) => chunks.push(chunk))
  await once(stream, 'end')
  return Buffer.concat(chunks).toString()
}

const failure = {
  status: 'Failure',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: '3' }] },
}

describe('a remote command over SPDY', () => {
  test('has its streams, its half-close and its exit code', async () => {
    const port = await serveCommand({ stdin: true, stdout: true, stderr: true, tty: false })
    const { version, session } = await dialSpdy(port, ['v5.channel.k8s.io', 'v4.channel.k8s.io', 'channel.k8s.io'])
    expect(version).toBe('v4.channel.k8s.io')
    const streams = ['error', 'stdin', 'stdout', 'stderr'].map((streamtype) => open(session, { streamtype }))
    const [error, stdin, stdout, stderr] = streams
    if (!error || !stdin || !stdout || !stderr) throw new Error('unreachable')
    error.end()
    const results = Promise.all([received(error), received(stdout), received(stderr)])
    stdin.end('x'.repeat(200_000))
    const [result, output, warned] = await results
    expect(output).toBe('x'.repeat(200_000))
    expect(warned).toBe('warned')
    expect(JSON.parse(result)).toMatchObject(failure)
  })

  test('has sizes instead of stderr with a terminal', async () => {
    const sizes: unknown[] = []
    const port = await serve(async (upgraded) => {
      const streams = await acceptRemoteCommand(upgraded, { stdin: false, stdout: true, stderr: true, tty: true })
      expect(streams.stderr).toBeUndefined()
      for await (const size of streams.resize ?? []) if (sizes.push(size) === 2) break
      await streams.exit(exitStatus(0))
    })
    const { session } = await dialSpdy(port, ['v4.channel.k8s.io'])
    const [error, stdout, resize] = ['error', 'stdout', 'resize'].map((streamtype) => open(session, { streamtype }))
    resize?.write('{"Width":80,"Height":24}\n{"Width":1')
    resize?.write('00,"Height":30}\n')
    stdout?.resume()
    if (error) expect(JSON.parse(await received(error))).toMatchObject({ status: 'Success' })
    expect(sizes).toEqual([
      { width: 80, height: 24 },
      { width: 100, height: 30 },
    ])
  })

  test('is refused without a protocol in common', async () => {
    const port = await serveCommand({ stdin: false, stdout: true, stderr: false, tty: false })
    await expect(dialSpdy(port, ['v9.channel.k8s.io'])).rejects.toThrow('403')
  })
})

describe('a remote command over WebSocket', () => {
  async function run(protocol: string | undefined, send: (socket: WebSocket) => void) {
    const port = await serveCommand({ stdin: protocol !== undefined, stdout: true, stderr: true, tty: false })
    const socket = new WebSocket(`ws://127.0.0.1:${port}/exec`, protocol === undefined ? [] : [protocol])
    const channels = new Map<number, string>()
    const base64 = protocol?.includes('base64') ?? false
    socket.on('message', (data: Buffer) => {
      const channel = (data[0] ?? 0) - (base64 ? 0x30 : 0)
      const part = base64 ? Buffer.from(data.toString().slice(1), 'base64') : data.subarray(1)
      channels.set(channel, (channels.get(channel) ?? '') + part.toString())
    })
    await once(socket, 'open')
    send(socket)
    await once(socket, 'close')
    expect(socket.protocol).toBe(protocol ?? '')
    return channels
  }

  test('v5 closes standard input by message', async () => {
    const channels = await run('v5.channel.k8s.io', (socket) => {
      socket.send(Buffer.concat([Buffer.from([0]), Buffer.from('abc')]))
      socket.send(Buffer.from([255, 0]))
    })
    expect(channels.get(1)).toBe('abc')
    expect(channels.get(2)).toBe('warned')
    expect(JSON.parse(channels.get(3) ?? '')).toMatchObject(failure)
  })

  test('without a protocol is the first version, with a text as result', async () => {
    const channels = await run(undefined, () => {})
    expect(Object.fromEntries(channels)).toEqual({
      1: 'hello',
      2: 'warned',
      3: 'command terminated with non-zero exit code: exit status 3',
    })
  })

  test('base64 carries text messages', async () => {
    const port = await serveCommand({ stdin: false, stdout: true, stderr: false, tty: false })
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ['v4.base64.channel.k8s.io'])
    const messages: string[] = []
    socket.on('message', (data) => messages.push(data.toString()))
    await once(socket, 'close')
    expect(messages.slice(0, 2)).toEqual(['1', `1${Buffer.from('hello').toString('base64')}`])
  })

  test('ends its input when the client goes away', async () => {
    const gone = Promise.withResolvers<string>()
    const port = await serve(async (upgraded) => {
      const streams = await acceptRemoteCommand(upgraded, { stdin: true, stdout: true, stderr: false, tty: false })
      if (streams.stdin) gone.resolve(await received(streams.stdin))
    })
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ['v4.channel.k8s.io'])
    await once(socket, 'open')
    socket.send(Buffer.from('\0ab'), () => socket.terminate())
    expect(await gone.promise).toBe('ab')
  })
})

describe('port forwarding', () => {
  const echoPorts = async ({ connections }: PortForward) => {
    for await (const { port, data, error } of connections) {
      if (port === 81) error.write('refused')
      error.end()
      data.write(`${port}:`)
      data.pipe(data)
    }
  }
  const servePorts = () =>
    serve((upgraded) => {
      try {
        echoPorts(acceptPortForward(upgraded)).catch(() => {})
      } catch {
        // Answered already.
      }
    })

  async function overSpdy(session: SpdySession) {
    const error = open(session, { streamtype: 'error', port: '80', requestid: '0' })
    const data = open(session, { streamtype: 'data', port: '80', requestid: '0' })
    const refused = open(session, { streamtype: 'error', port: '81', requestid: '1' })
    open(session, { streamtype: 'data', port: '81', requestid: '1' })
    error.end()
    data.end('ping')
    expect(await received(data)).toBe('80:ping')
    expect(await received(refused)).toBe('refused')
  }

  test('works over SPDY', async () => {
    const { version, session } = await dialSpdy(await servePorts(), ['portforward.k8s.io'])
    expect(version).toBe('portforward.k8s.io')
    await overSpdy(session)
  })

  test('works over SPDY tunnelled through a WebSocket', async () => {
    const port = await servePorts()
    const headers = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
      'Sec-WebSocket-Protocol': 'SPDY/3.1+portforward.k8s.io',
    }
    const request = requestHttp({ port, headers }).end()
    const [response, raw, head] = await once(request, 'upgrade')
    expect(response.headers['sec-websocket-protocol']).toBe('SPDY/3.1+portforward.k8s.io')
    // `ws` refuses to offer a protocol with a slash, so the handshake is by hand and the client made around its socket.
    const socket: WebSocket = Reflect.construct(WebSocket, [null, undefined, { autoPong: true }])
    Reflect.set(socket, '_isServer', false)
    Reflect.get(socket, 'setSocket').call(socket, raw, head, { maxPayload: 1e8, skipUTF8Validation: false })
    await overSpdy(createSpdySession(createWebSocketStream(socket), 'client'))
  })

  test('works over the older WebSocket protocol', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${await servePorts()}/?port=80`, ['v4.channel.k8s.io'])
    const messages: string[] = []
    const done = new Promise<void>((resolve) =>
      socket.on('message', (data: Buffer) => {
        messages.push(data.toString('latin1'))
        if (messages.length === 2) socket.send(Buffer.from('\0ping'))
        if (messages.some((message) => message.endsWith('ping'))) resolve()
      }),
    )
    await done
    expect(messages).toEqual(['\0P\0', '\x01P\0', '\x0080:', '\0ping'])
    socket.terminate()
  })

  test('without ports is refused', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${await servePorts()}/`, ['v4.channel.k8s.io'])
    const [error] = await once(socket, 'error')
    expect(String(error)).toContain('400')
  })
})
