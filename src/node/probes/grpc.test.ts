import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2'
import { afterEach, expect, test } from 'vitest'
import { checkGrpc } from './grpc.ts'

const servers: Http2Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

/** A health service that answers with this status and notes what it was asked for. */
async function serve(status: number | undefined, grpcStatus = '0') {
  const asked: string[] = []
  const server = createServer()
  servers.push(server)
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () => {
      const message = Buffer.concat(chunks)
      asked.push(`${headers[':path']} ${message.subarray(7).toString()}`)
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': grpcStatus }))
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
      stream.end(status === undefined ? undefined : Buffer.from([0, 0, 0, 0, 2, 0x08, status]))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return { port, asked }
}

const check = (port: number, service = '') => checkGrpc('127.0.0.1', port, service, new AbortController().signal)

test('a service that serves is healthy', async () => {
  const { port, asked } = await serve(1)
  expect(await check(port, 'db')).toMatchObject({ ok: true })
  expect(asked).toEqual(['/grpc.health.v1.Health/Check db'])
})

test('a service that does not serve is not', async () => {
  const { port } = await serve(2)
  expect(await check(port)).toMatchObject({
    ok: false,
    output: expect.stringContaining('service unhealthy (responded with "NOT_SERVING")'),
  })
})

test('an error of the call is a failure', async () => {
  const { port } = await serve(undefined, '12')
  expect(await check(port)).toMatchObject({ ok: false })
})

test('nobody at the port is an error', async () => {
  await expect(check(1)).rejects.toThrow(/ECONNREFUSED/)
})
