import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { duplexPair, type Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createDeflate } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createSpdySession, type SpdySession, type SpdyStream } from './spdy.ts'
import { SPDY_DICTIONARY } from './spdy-dictionary.ts'
import { controlFrame, createHeaderReader, createHeaderWriter, FRAME, parseHeaders, words } from './spdy-frames.ts'

function pair(): { readonly client: SpdySession; readonly server: SpdySession } {
  const [a, b] = duplexPair()
  return { client: createSpdySession(a, 'client'), server: createSpdySession(b, 'server') }
}

async function next(session: SpdySession): Promise<SpdyStream> {
  const { value } = await session.streams[Symbol.asyncIterator]().next()
  return value
}

/** `for await` would destroy both directions at the end of one. */
async function received(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  stream.on('data', (chunk) => chunks.push(chunk))
  await once(stream, 'end')
  return Buffer.concat(chunks)
}

describe('header blocks', () => {
  test('survive writing and reading, one after the other', async () => {
    const write = createHeaderWriter()
    const reader = createHeaderReader()
    for (const headers of [
      new Map([['streamtype', 'error']]),
      new Map(),
      new Map([
        ['port', '80'],
        ['x', 'ü'],
      ]),
    ])
      expect(await reader.read(write(headers))).toEqual(headers)
    reader.close()
  })

  test('are read when compressed with the dictionary', async () => {
    const deflate = createDeflate({ dictionary: SPDY_DICTIONARY })
    const reader = createHeaderReader()
    for (const type of ['error', 'stdin']) {
      deflate.write(Buffer.concat([words(1, 10), Buffer.from('streamtype'), words(5), Buffer.from(type)]))
      await new Promise<void>((resolve) => deflate.flush(resolve))
      const parts: Buffer[] = []
      for (let part = deflate.read(); part !== null; part = deflate.read()) parts.push(part)
      expect(await reader.read(Buffer.concat(parts))).toEqual(new Map([['streamtype', type]]))
    }
    reader.close()
  })

  for (const [behaviour, block] of [
    ['nothing', Buffer.alloc(0)],
    ['a length beyond the end', words(1, 1_000_000)],
    ['too many names', words(0xffffffff)],
  ] as const)
    test(`refuse ${behaviour}`, () => expect(() => parseHeaders(block)).toThrow())

  test('refuse what inflates without end', async () => {
    const deflate = createDeflate({ dictionary: SPDY_DICTIONARY })
    deflate.end(Buffer.alloc(10_000_000))
    const reader = createHeaderReader()
    await expect(reader.read(await buffer(deflate))).rejects.toThrow(/too large/)
  })
})

describe('a session', () => {
  test('carries streams both ways, each half closing on its own', async () => {
    const { client, server } = pair()
    const mine = client.open(
      new Map([
        ['streamtype', 'data'],
        ['port', '80'],
      ]),
    )
    mine.end('question')
    const theirs = await next(server)
    expect(Object.fromEntries(theirs.headers)).toEqual({ streamtype: 'data', port: '80' })
    expect(String(await received(theirs))).toBe('question')
    theirs.end('answer')
    expect(String(await received(mine))).toBe('answer')
  })

  test('carries megabytes intact', async () => {
    const { client, server } = pair()
    const bytes = randomBytes(3_000_000)
    const mine = client.open(new Map())
    mine.end(bytes)
    const theirs = await next(server)
    theirs.pipe(theirs)
    expect((await received(mine)).equals(bytes)).toBe(true)
  })

  test('reads no further than the buffer of a stream nobody reads', async () => {
    const { client, server } = pair()
    const stuck = client.open(new Map())
    const theirs = await next(server)
    let written = 0
    while (stuck.write(Buffer.alloc(64 * 1024)) && written < 100) written++
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(theirs.readableLength).toBeLessThan(512 * 1024)
    theirs.resume()
  })

  test('tells the other side of a reset', async () => {
    const { client, server } = pair()
    const mine = client.open(new Map())
    const theirs = await next(server)
    const closed = once(theirs, 'close')
    mine.destroy()
    await closed
  })

  test('ends with its connection', async () => {
    const { client, server } = pair()
    const mine = client.open(new Map())
    await next(server)
    const closed = once(mine, 'close')
    server.destroy()
    await closed
    expect(client.closed.aborted).toBe(true)
  })

  test('answers pings', async () => {
    const [a, b] = duplexPair()
    createSpdySession(b, 'server')
    a.write(controlFrame(FRAME.ping, 0, words(7)))
    expect((await once(a, 'data'))[0]).toEqual(controlFrame(FRAME.ping, 0, words(7)))
  })
})

describe('garbage', () => {
  for (const [behaviour, bytes] of [
    ['text', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1000))],
    ['another version', Buffer.concat([words(0x80020001, 0)])],
    ['a huge control frame', words(0x80030001, 0x00ffffff)],
    ['a short SYN_STREAM', controlFrame(FRAME.synStream, 0, words(1))],
    ['headers that are no zlib', controlFrame(FRAME.synStream, 0, Buffer.concat([words(1, 0), Buffer.alloc(40, 7)]))],
  ] as const)
    test(`${behaviour} closes the session or is ignored, and never throws`, async () => {
      const [a, b] = duplexPair()
      const session = createSpdySession(b, 'server')
      a.on('error', () => {})
      a.end(bytes)
      a.resume()
      if (!session.closed.aborted) await once(session.closed, 'abort')
    })

  test('random bytes after a good start do no harm', async () => {
    for (let round = 0; round < 50; round++) {
      const [a, b] = duplexPair()
      const session = createSpdySession(b, 'server')
      const good = controlFrame(
        FRAME.synStream,
        0,
        Buffer.concat([words(1, 0), Buffer.alloc(2), createHeaderWriter()(new Map())]),
      )
      a.on('error', () => {})
      a.resume()
      a.end(Buffer.concat([good, randomBytes(500)]))
      if (!session.closed.aborted) await once(session.closed, 'abort')
    }
  })
})
