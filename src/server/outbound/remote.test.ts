import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { systemClock } from '../../base/clock.ts'
import { createFakeClock } from '../../base/fake-clock.ts'
import { seededRandom } from '../../base/random.ts'
import { createRemoteCaller, type Remote, RemoteError } from './remote.ts'

interface Asked {
  readonly authorization: string | undefined
  readonly body: unknown
}

/** A service that answers each request with the next of these. */
async function service(...answers: readonly RequestListener[]) {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const answer = answers[Math.min(asked.length, answers.length - 1)]
      asked.push({ authorization: request.headers.authorization, body: JSON.parse(Buffer.concat(chunks).toString()) })
      answer?.(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/review`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const says =
  (status: number, body: string, headers: Readonly<Record<string, string>> = {}): RequestListener =>
  (_, response) =>
    void response.writeHead(status, headers).end(body)

const quick = { backoff: { initialMs: 1, factor: 1, maxMs: 1 }, attemptsMax: 3 }

function caller(remote: Remote, retry = quick) {
  return createRemoteCaller(remote, { clock: systemClock, random: seededRandom(1), retry })
}

const failure = (answer: Promise<unknown>) => answer.then(() => undefined).catch((error: unknown) => error)

test('posts JSON with the credentials and returns the JSON of the answer', async () => {
  await using there = await service(says(201, '{"allowed":true}'))
  using remote = caller({ url: there.url, authorization: 'Bearer abc' })
  expect(await remote.post({ kind: 'Review' }, { timeoutMs: 5_000 })).toEqual({ allowed: true })
  expect(there.asked).toEqual([{ authorization: 'Bearer abc', body: { kind: 'Review' } }])
})

test('an answer without a body is undefined', async () => {
  await using there = await service(says(200, ''))
  using remote = caller({ url: there.url })
  expect(await remote.post({}, { timeoutMs: 5_000 })).toBeUndefined()
})

test.each([
  ['is overloaded', says(429, '')],
  ['fails', says(500, 'oops')],
  ['asks to come again', says(503, '', { 'retry-after': '0' })],
  ['closes the connection', ((_, response) => response.destroy()) satisfies RequestListener],
])('asks again when the service %s', async (_, first) => {
  await using there = await service(first, says(200, '{"late":true}'))
  using remote = caller({ url: there.url })
  expect(await remote.post({}, { timeoutMs: 5_000 })).toEqual({ late: true })
  expect(there.asked).toHaveLength(2)
})

test('gives up after the last attempt with what the service said', async () => {
  await using there = await service(says(500, 'oops'))
  using remote = caller({ url: there.url })
  const error = await failure(remote.post({}, { timeoutMs: 5_000 }))
  expect(error).toMatchObject({ name: 'RemoteError', status: 500, message: 'the service answered with 500: "oops"' })
  expect(there.asked).toHaveLength(quick.attemptsMax)
})

test.each([
  ['a refusal', says(403, 'no'), 403],
  ['a redirect', says(302, '', { location: 'http://127.0.0.1:1/elsewhere' }), 302],
])('%s is final', async (_, answer, status) => {
  await using there = await service(answer)
  using remote = caller({ url: there.url })
  expect(await failure(remote.post({}, { timeoutMs: 5_000 }))).toMatchObject({ name: 'RemoteError', status })
  expect(there.asked).toHaveLength(1)
})

test('an answer that is no JSON, or without an end, is refused', async () => {
  const endless: RequestListener = (_, response) => {
    const more = () => response.write(Buffer.alloc(256 * 1024, 0x20))
    response.on('drain', more)
    while (more()) {}
  }
  for (const answer of [says(200, '<html>'), endless]) {
    await using there = await service(answer)
    using remote = caller({ url: there.url }, { ...quick, attemptsMax: 1 })
    expect(await failure(remote.post({}, { timeoutMs: 5_000 }))).toBeInstanceOf(RemoteError)
  }
})

test('a service that never answers is given up at the deadline of the attempt', async () => {
  const clock = createFakeClock()
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  await using there = await service(() => arrive())
  const parts = { clock, random: seededRandom(1), retry: { ...quick, attemptsMax: 1 } }
  using remote = createRemoteCaller({ url: there.url }, parts)
  const answer = failure(remote.post({}, { timeoutMs: 2_000 }))
  await arrived
  await clock.advance(2_000)
  expect(await answer).toMatchObject({ message: `Post ${JSON.stringify(there.url)}: context deadline exceeded` })
})
