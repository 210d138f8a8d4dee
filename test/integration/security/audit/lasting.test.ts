import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { notFound } from '../../../../src/machinery/meta/api-error.ts'
import type { ApiResponse } from '../../../../src/machinery/wire/message.ts'
import type { AuditEvent } from '../../../../src/server/audit/event.ts'
import type { Connect } from '../../../../src/server/streaming-proxy.ts'
import { type AuditedServer, auditedServer, everything } from './audited-server.ts'

// Goal: requests that last are logged when they begin and when they end, however they end; failures of the server as
// what they are; and what cannot be logged does not happen where the log is strict.

const CONFIG_MAPS = '/api/v1/namespaces/shop/configmaps'
const POD = '/api/v1/namespaces/shop/pods/web'

let server: AuditedServer
afterEach(() => server[Symbol.asyncDispose]())

const codes = () => server.logged().map(({ stage, responseStatus }) => `${stage} ${responseStatus?.code ?? ''}`)

describe('a watch', () => {
  const ended = async (response: ApiResponse, end: (iterator: AsyncIterator<unknown>) => Promise<unknown>) => {
    const { body } = response
    if (body.type !== 'stream' && body.type !== 'events') throw new Error(`a ${body.type} is no watch`)
    const items: AsyncIterable<unknown> = body.type === 'stream' ? body.chunks : body.events
    await end(items[Symbol.asyncIterator]())
  }

  test.each(['bytes', 'object'] as const)('begins and ends, for callers who take %s', async (wants) => {
    server = auditedServer(everything('RequestResponse'))
    const { response } = await server.send('GET', `${CONFIG_MAPS}?watch=true`, { wants })
    expect(codes()).toEqual(['RequestReceived ', 'ResponseStarted 200'])
    await ended(response, async (iterator) => iterator.return?.())
    const [complete, ...others] = server.logged()
    expect(others).toEqual([])
    expect(complete).toMatchObject({ stage: 'ResponseComplete', verb: 'watch', responseStatus: { code: 200 } })
    expect(complete).not.toHaveProperty('responseObject')
  })

  test('ends when its time is over', async () => {
    server = auditedServer(everything('Metadata'))
    const { response } = await server.send('GET', `${CONFIG_MAPS}?watch=true&timeoutSeconds=5`)
    const end = ended(response, async (iterator) => {
      while (!(await iterator.next()).done);
    })
    await server.api.clock.advance(5_000)
    await server.clock.advance(5_000)
    await end
    const event = server.logged().at(-1)
    expect(event).toMatchObject({ stage: 'ResponseComplete', responseStatus: { code: 200 } })
    // It has not been slow.
    expect(JSON.stringify(event)).not.toContain('latency')
  })

  test('ends when the caller leaves before it has read anything, and once', async () => {
    server = auditedServer(everything('Metadata'))
    const leaving = new AbortController()
    const { response } = await server.send('GET', `${CONFIG_MAPS}?watch=true`, { signal: leaving.signal })
    leaving.abort()
    await ended(response, async (iterator) => iterator.return?.())
    expect(codes()).toEqual(['RequestReceived ', 'ResponseStarted 200', 'ResponseComplete 200'])
  })

  test('that is refused has begun as well', async () => {
    server = auditedServer(everything('Metadata'))
    await server.send('GET', `${CONFIG_MAPS}?watch=true&fieldSelector=nonsense%3Da`)
    expect(codes()).toEqual(['RequestReceived ', 'ResponseStarted 400', 'ResponseComplete 400'])
  })
})

describe('a stream to a container', () => {
  const connected = (answer: ApiResponse) => {
    const connect: Connect = async () => answer
    server = auditedServer(everything('RequestResponse'), { connect })
  }

  test('of a log ends with its last byte', async () => {
    async function* chunks() {
      yield Buffer.from('line')
    }
    connected({ status: 200, headers: {}, body: { type: 'stream', chunks: chunks() } })
    const { response } = await server.send('GET', `${POD}/log`)
    expect(codes()).toEqual(['RequestReceived ', 'ResponseStarted 200'])
    if (response.body.type === 'stream') for await (const chunk of response.body.chunks) expect(chunk).toBeDefined()
    expect(codes()).toEqual(['ResponseComplete 200'])
  })

  test('of commands begins with the switch of protocols and ends with the connection', async () => {
    connected({ status: 101, headers: {}, body: { type: 'upgrade', connect: () => {} } })
    const { response } = await server.send('GET', `${POD}/exec?command=id&container=c`)
    expect(codes()).toEqual(['RequestReceived ', 'ResponseStarted 101'])
    const socket = new EventEmitter()
    // Of a connection only its end counts here.
    if (response.body.type === 'upgrade') response.body.connect({ socket } as never)
    socket.emit('close')
    await turn()
    const [event] = server.logged()
    expect(event).toMatchObject({
      stage: 'ResponseComplete',
      requestURI: `${POD}/exec?command=id&container=c`,
      verb: 'get',
      objectRef: { resource: 'pods', name: 'web', subresource: 'exec' },
      responseStatus: { code: 101 },
    })
  })

  test('that is passed on has the code of whoever answers', async () => {
    connected({ status: 200, headers: {}, body: { type: 'upgrade', connect: () => {} } })
    const { response } = await server.send('GET', `${POD}/proxy/`)
    expect(codes()).toEqual(['RequestReceived '])
    const answer = Object.assign(new EventEmitter(), { statusCode: 418 })
    if (response.body.type === 'upgrade') response.body.connect({ response: answer } as never)
    answer.emit('close')
    await turn()
    expect(codes()).toEqual(['ResponseStarted 418', 'ResponseComplete 418'])
  })
})

test('an answer that another server gives ends with its last byte', async () => {
  async function* chunks() {
    yield Buffer.from('{}')
  }
  const handle = () => ({ status: 200, headers: {}, body: { type: 'stream', chunks: chunks() } }) as const
  server = auditedServer(everything('Metadata'), { paths: [{ handle }] })
  const { response } = await server.send('GET', '/apis/metrics.example.com/v1/pods')
  expect(codes()).toEqual(['RequestReceived '])
  if (response.body.type === 'stream') for await (const chunk of response.body.chunks) expect(chunk).toBeDefined()
  expect(codes()).toEqual(['ResponseComplete 200'])
})

describe('at each level', () => {
  const shown = ({ stage, ...event }: AuditEvent) =>
    [stage, 'requestObject' in event && 'sent', 'responseObject' in event && 'answered'].filter(Boolean).join(' ')

  test.each([
    ['None', []],
    ['Metadata', ['RequestReceived', 'ResponseStarted', 'ResponseComplete']],
    ['Request', ['RequestReceived', 'ResponseStarted', 'ResponseComplete']],
    ['RequestResponse', ['RequestReceived', 'ResponseStarted answered', 'ResponseComplete answered']],
  ])('%s a refused log begins and ends', async (level, expected) => {
    const connect: Connect = () => Promise.reject(notFound({ group: '', resource: 'pods' }, 'web'))
    server = auditedServer(everything(level), { connect })
    await server.send('GET', `${POD}/log`)
    expect(server.logged().map(shown)).toEqual(expected)
  })

  test.each([
    ['None', []],
    ['Metadata', ['RequestReceived', 'Panic']],
    ['Request', ['RequestReceived', 'Panic sent']],
    ['RequestResponse', ['RequestReceived', 'Panic sent answered']],
  ])('%s a creation breaks', async (level, expected) => {
    const broken = { name: 'broken', operations: ['CREATE'], validate: () => Promise.reject(new Error('oh')) } as const
    server = auditedServer(everything(level), { plugins: () => [broken] })
    expect((await server.send('POST', CONFIG_MAPS, { body: { metadata: { name: 'prices' } } })).status).toBe(500)
    expect(server.logged().map(shown)).toEqual(expected)
  })

  test.each(['ResponseStarted', 'ResponseComplete', 'Panic'])('%s is left out where a rule says so', async (stage) => {
    const connect: Connect = () => Promise.reject(new Error('oh'))
    server = auditedServer(everything('Metadata', { omitStages: ['RequestReceived', stage] }), { connect })
    await server.send('GET', `${POD}/log`)
    await server.send('GET', `${CONFIG_MAPS}?watch=true&fieldSelector=nonsense%3Da`)
    const all = ['Panic', 'ResponseStarted', 'ResponseComplete']
    expect(server.logged().map((event) => event.stage)).toEqual(all.filter((name) => name !== stage))
  })
})

test('a handler that breaks is logged as a panic, without what it said', async () => {
  const connect: Connect = () => Promise.reject(new TypeError('the token is hunter2'))
  server = auditedServer(everything('RequestResponse'), { connect })
  expect((await server.send('GET', `${POD}/log`)).status).toBe(500)
  const [, event, ...others] = server.logged()
  expect(others).toEqual([])
  expect(event).toMatchObject({
    stage: 'Panic',
    responseStatus: { status: 'Failure', message: "APIServer panic'd: TypeError", reason: 'InternalError', code: 500 },
  })
  expect(JSON.stringify(event)).not.toContain('hunter2')
})

describe('where the log is strict', () => {
  test('a request whose coming cannot be logged is refused and does nothing', async () => {
    server = auditedServer(everything('Metadata'), { accepts: () => false })
    const { status, text } = await server.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'shop' } } })
    expect([status, text]).toEqual([500, 'Internal Server Error: "/api/v1/namespaces": failed to store audit event\n'])
    expect(server.api.storage.head).toBe(0)
    expect(await server.metrics()).toContain('apiserver_audit_requests_rejected_total 1')
  })

  test('one whose end cannot be logged has happened', async () => {
    server = auditedServer(everything('Metadata'), { accepts: (stage) => stage === 'RequestReceived' })
    const { status } = await server.send('POST', '/api/v1/namespaces', { body: { metadata: { name: 'shop' } } })
    expect(status).toBe(201)
  })
})
