/**
 * Goal: what `strangers.test.ts` holds for requests holds for bytes. Method: thousands of connections over real TLS that
 * say what no parser should take: lengths in disagreement, requests hidden in bodies and behind refused upgrades, frames
 * of HTTP/2 out of order. Every answer is a refusal or a documented open path, every connection ends, the server lives.
 */

import { connect, createSecureContext, type SecureContext } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../../../src/base/clock.ts'
import { type Random, seededRandom } from '../../../../src/base/random.ts'
import { drawHttp2, drawRawRequests } from '../../../support/fuzz/raw-requests.ts'
import { drawToken } from '../../../support/fuzz/tokens.ts'
import { CANARY, type FuzzCluster, openFuzzCluster } from './fuzz-cluster.ts'

const SEED = 20_261_122

/** Connections at a time. */
const CONCURRENT = 24

/** A connection that its caller has ended is ended by the server within this, in ms, however busy the machine is. */
const ENDS_WITHIN_MS = 20_000

let cluster: FuzzCluster
let secureContext: SecureContext
beforeAll(async () => {
  cluster = await openFuzzCluster()
  secureContext = createSecureContext({ ca: cluster.controlPlane.authority.certificate })
})
afterAll(async () => cluster[Symbol.asyncDispose]())

/** Sends the bytes, half-closes, and collects what comes back; undefined: the server did not end the connection. */
async function exchange(bytes: Buffer, protocol: 'http/1.1' | 'h2'): Promise<string | undefined> {
  const { port } = cluster.controlPlane
  const chunks: Buffer[] = []
  const socket = connect({ host: '127.0.0.1', port, secureContext, ALPNProtocols: [protocol] })
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {})
  const closed = new Promise<boolean>((resolve) => socket.on('close', () => resolve(true)))
  const late = new AbortController()
  socket.end(bytes)
  const ended = await Promise.race([
    closed,
    systemClock.sleep(ENDS_WITHIN_MS, late.signal).then(
      () => false,
      () => true,
    ),
  ])
  late.abort()
  socket.destroy()
  return ended ? Buffer.concat(chunks).toString('latin1') : undefined
}

/** 200, 403 and 404 are for open paths alone, which `strangers.test.ts` tells apart. */
const ANSWERS: ReadonlySet<string> = new Set([
  '200',
  '400',
  '401',
  '403',
  '404',
  '405',
  '406',
  '408',
  '413',
  '415',
  '417',
  '431',
])

function broken(received: string | undefined): string | undefined {
  if (received === undefined) return 'a connection that stays'
  if (received.includes(CANARY) || received.includes(Buffer.from(CANARY).toString('base64'))) return 'a secret'
  const statuses = [...received.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status = '']) => status)
  const odd = statuses.find((status) => !ANSWERS.has(status))
  return odd === undefined ? undefined : `an answer ${odd}`
}

async function feed(count: number, draw: (random: Random) => Buffer, protocol: 'http/1.1' | 'h2') {
  const random = seededRandom(SEED)
  const findings = new Map<string, string>()
  let left = count
  let answered = 0
  const caller = async () => {
    while (left-- > 0) {
      const bytes = draw(random)
      const received = await exchange(bytes, protocol)
      if (received !== '') answered++
      const finding = broken(received)
      if (finding !== undefined && !findings.has(finding)) findings.set(finding, bytes.toString('latin1'))
    }
  }
  await Promise.all(Array.from({ length: CONCURRENT }, caller))
  return { findings: [...findings], answered }
}

test(`2000 connections of HTTP/1.1 from seed ${SEED} are refused and ended`, { timeout: 120_000 }, async () => {
  const draw = (random: Random) => drawRawRequests(random, drawToken(random, cluster.seeds).replace(/[^ -~]/g, ''))
  const { findings, answered } = await feed(2_000, draw, 'http/1.1')
  expect(findings).toEqual([])
  expect(answered).toBeGreaterThan(1_500)
})

test(`500 connections of HTTP/2 from seed ${SEED} are refused and ended`, { timeout: 120_000 }, async () => {
  const { findings, answered } = await feed(500, drawHttp2, 'h2')
  expect(findings).toEqual([])
  expect(answered).toBeGreaterThan(400)
})

test('the server has nothing to say against itself, and answers', async () => {
  expect(cluster.errors).toEqual([])
  expect((await cluster.ask('GET', '/readyz')).text).toBe('ok')
})
