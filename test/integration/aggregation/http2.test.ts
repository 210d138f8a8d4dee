/** Requests for an aggregated server that come over HTTP/2, several on one connection. */

import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GADGETS, type Opened, openAggregation } from './opened.ts'

let opened: Opened
let session: ClientHttp2Session

beforeAll(async () => {
  opened = await openAggregation({ http2: true })
  const { port, authority } = opened.plane.controlPlane
  const { certificate: cert, key } = opened.admin
  session = connect(`https://127.0.0.1:${port}`, { ca: authority.certificate, cert, key })
  await once(session, 'connect')
})
afterAll(async () => {
  session?.destroy()
  await opened?.[Symbol.asyncDispose]()
})

const ask = async (method: string, path: string, headers: object = {}, body?: string) => {
  const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  const [answered] = (await once(stream, 'response')) as [Readonly<Record<string, unknown>>]
  return { status: answered[':status'], text: method === 'HEAD' ? '' : await text(stream) }
}
const gadget = (name: string) => JSON.stringify({ metadata: { name } })

test('they are answered as over HTTP/1.1', async () => {
  const type = { 'content-type': 'application/json' }
  const length = (body: string) => ({ ...type, 'content-length': Buffer.byteLength(body) })
  const created = await Promise.all([
    ask('POST', GADGETS, type, gadget('one')),
    ask('POST', GADGETS, length(gadget('two')), gadget('two')),
  ])
  expect(created.map(({ status }) => status)).toEqual([201, 201])
  expect(JSON.parse((await ask('GET', GADGETS)).text).items).toHaveLength(2)
  expect((await ask('HEAD', GADGETS)).status).toBe(200)
  // A body without a length, on a method that seldom has one.
  expect((await ask('DELETE', `${GADGETS}/one`, type, '{"kind":"DeleteOptions"}')).status).toBe(200)
  const deletion = opened.backend.received.find(({ method }) => method === 'DELETE')
  expect(deletion).toMatchObject({ url: `${GADGETS}/one`, body: '{"kind":"DeleteOptions"}' })
  expect(deletion?.headers.filter(([name]) => name.startsWith(':'))).toEqual([])
})

test('a watch goes on beside them until it is left', async () => {
  const watch = session.request({ ':method': 'GET', ':path': `${GADGETS}?watch=true` })
  await once(watch, 'response')
  const first = once(watch, 'data')
  expect((await ask('POST', GADGETS, { 'content-type': 'application/json' }, gadget('three'))).status).toBe(201)
  expect(String((await first)[0])).toContain('"three"')
  const request = opened.backend.received.find(({ url }) => url.endsWith('watch=true'))
  if (!request) throw new Error('the watch was passed on')
  const gone = once(request.connection, 'close')
  watch.close()
  await gone
})
