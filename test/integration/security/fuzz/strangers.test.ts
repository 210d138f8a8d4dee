/**
 * Goal: nobody gets in. Method: seeded requests with paths, queries, headers, tokens and upgrades as an attacker would
 * try them, to the whole server but its sockets (those are in `sockets.test.ts`). Without a credential every answer is
 * 401 or a documented open path; without rights nothing is read and nothing written; a tenant sees nothing of others.
 */

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Random, seededRandom } from '../../../../src/base/random.ts'
import type { UserInfo } from '../../../../src/machinery/wire/message.ts'
import { chance, pick } from '../../../support/fuzz/draw.ts'
import { drawHeaders, drawUpgrade } from '../../../support/fuzz/headers.ts'
import { drawMethod, drawPath, drawQuery } from '../../../support/fuzz/paths.ts'
import { drawAuthorization, drawToken } from '../../../support/fuzz/tokens.ts'
import { liveHeapBytes } from '../../../support/live-heap.ts'
import {
  type Answered,
  CANARY,
  type FuzzCluster,
  type Input,
  OWN,
  openFuzzCluster,
  strangerGot,
  TENANT,
} from './fuzz-cluster.ts'

/** In the name of every test: a failure is found again with the same number. */
const SEED = 20_261_121

/** Growth of the live heap that a leak of a few hundred bytes per input would exceed. */
const HEAP_GROWTH_BYTES_MAX = 64 * 1024 * 1024

/** Lines of the metrics of a whole API server that has been asked for everything it has. */
const METRIC_LINES_MAX = 20_000

/** Lines of the log at `info` about a hundred thousand requests, most of them refused. */
const LOG_LINES_MAX = 2_000

let cluster: FuzzCluster
let heapBefore: number
beforeAll(async () => {
  cluster = await openFuzzCluster()
  heapBefore = liveHeapBytes()
})
afterAll(async () => cluster[Symbol.asyncDispose]())

type Judge = (input: Input, answer: Answered) => string | undefined

/** The first input of each kind of finding. Every status in `expected` must occur: else the inputs are of no use. */
async function feed(count: number, draw: () => Input, judge: Judge, expected: readonly number[]) {
  const findings = new Map<string, Input>()
  const seen = new Set<number>()
  for (let left = count; left > 0; left--) {
    const input = draw()
    const answer = await cluster.send(input)
    const finding = judge(input, answer)
    seen.add(answer.status)
    if (finding !== undefined && !findings.has(finding)) findings.set(finding, input)
  }
  return { findings: [...findings], missing: expected.filter((status) => !seen.has(status)) }
}

const NOTHING = { findings: [], missing: [] }

const PROTOTYPE_KEYS = Reflect.ownKeys(Object.prototype)

function body(random: Random): Input['body'] {
  const text = pick(random, [
    '{}',
    '',
    '{"kind":"Status"}',
    '{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"x"}}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"stranger"}}',
    '\0\xff',
  ])
  return chance(random, 0.5) ? { type: 'none' } : { type: 'bytes', bytes: Buffer.from(text, 'latin1') }
}

function request(random: Random, headers: Input['headers'], peer?: UserInfo): Input {
  return {
    method: drawMethod(random),
    path: drawPath(random),
    query: drawQuery(random),
    headers,
    body: body(random),
    peer,
  }
}

const STRANGERS: readonly (readonly [what: string, inputs: number, headers: (random: Random) => Input['headers']])[] = [
  ['paths and queries', 25_000, () => []],
  ["headers of others' proxies", 25_000, (random) => drawHeaders(random)],
  ['tokens', 15_000, (random) => [['Authorization', drawAuthorization(random, cluster.seeds)], ...drawHeaders(random)]],
  ['upgrades', 10_000, (random) => [...drawUpgrade(random, drawToken(random, cluster.seeds)), ...drawHeaders(random)]],
]

test('the tokens that the others are made of are good', async () => {
  const { valid, shared } = cluster.seeds
  for (const token of [valid, ...shared]) {
    const headers = [['Authorization', `Bearer ${token}`]] as const
    expect((await cluster.send({ method: 'GET', path: '/api', query: '', headers })).status).toBe(200)
  }
})

for (const [what, inputs, headers] of STRANGERS)
  test(`${inputs} ${what} from seed ${SEED} let nobody in`, { timeout: 120_000 }, async () => {
    const random = seededRandom(SEED)
    const { head } = cluster.controlPlane.storage
    expect(await feed(inputs, () => request(random, headers(random)), strangerGot, [200, 401, 403])).toEqual(NOTHING)
    expect(cluster.controlPlane.storage.head).toBe(head)
  })

const NOBODY: UserInfo = { name: 'nobody', groups: [] }

test(`15000 requests from seed ${SEED} of somebody without rights read and write nothing`, {
  timeout: 120_000,
}, async () => {
  const random = seededRandom(SEED)
  const { head } = cluster.controlPlane.storage
  const draw = () => request(random, drawHeaders(random), NOBODY)
  const judge = (_: Input, { status, text }: Answered) => {
    if (holdsCanary(text)) return 'a secret'
    if (text.startsWith('(')) return text.slice(0, 20)
    return status < 500 ? undefined : `an answer ${status}`
  }
  expect(await feed(15_000, draw, judge, [200, 400, 403, 404, 406])).toEqual(NOTHING)
  expect(cluster.controlPlane.storage.head).toBe(head)
})

test(`15000 requests from seed ${SEED} of a tenant show nothing of other namespaces`, {
  timeout: 120_000,
}, async () => {
  const random = seededRandom(SEED)
  const draw = (): Input => {
    const input = request(random, drawHeaders(random), TENANT)
    if (chance(random, 0.3)) return input
    const path = `/api/v1/namespaces/${OWN}/${pick(random, ['secrets', 'configmaps', 'pods', 'events'])}`
    const name = pick(random, ['', '/mine', '/mine/status', '/../../victim/secrets/canary', '/%2e%2e%2fvictim'])
    return {
      ...input,
      method: pick(random, ['GET', 'GET', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
      path: path + name,
    }
  }
  const judge = (_: Input, { status, text }: Answered) => {
    if (holdsCanary(text)) return 'a secret'
    return status < 500 || status === 504 ? undefined : `an answer ${status}: ${text.slice(0, 200)}`
  }
  expect(await feed(15_000, draw, judge, [200, 400, 403, 404])).toEqual(NOTHING)
})

test('the audit log has one line of JSON for each event, whatever was sent', async () => {
  const folder = cluster.config.directory
  const names = (await readdir(folder)).filter((name) => name.startsWith('audit'))
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  const lines = texts.flatMap((text) => text.split('\n').filter((line) => line !== ''))
  expect(lines.length).toBeGreaterThan(10_000)
  expect(lines.filter((line) => JSON.parse(line).kind !== 'Event')).toEqual([])
  const { valid, shared } = cluster.seeds
  const hidden = [valid.split('.')[2] ?? '', ...shared.map((token) => token.split('.').at(-1) ?? '')]
  expect(lines.filter((line) => hidden.some((token) => line.includes(token)))).toEqual([])
})

test('strangers have not filled the log', () => {
  expect(cluster.lines).toContain('a request could not be authenticated')
  expect(cluster.lines.length).toBeLessThan(LOG_LINES_MAX)
})

test('strangers have made no time series of their own', async () => {
  const { text } = await cluster.ask('GET', '/metrics', { as: await cluster.user('admin', 'system:masters') })
  const series = text.split('\n').filter((line) => line.startsWith('apiserver_request_total{'))
  expect(series.length).toBeGreaterThan(20)
  expect(series.filter((line) => /verb="M\d/.test(line))).toEqual([])
  expect(text.split('\n').length).toBeLessThan(METRIC_LINES_MAX)
})

test('the server has nothing to say against itself, and has not grown', async () => {
  expect(cluster.errors).toEqual([])
  expect(liveHeapBytes() - heapBefore).toBeLessThan(HEAP_GROWTH_BYTES_MAX)
  expect(Reflect.ownKeys(Object.prototype)).toEqual(PROTOTYPE_KEYS)
  expect((await cluster.ask('GET', '/readyz')).text).toBe('ok')
})

function holdsCanary(text: string): boolean {
  return text.includes(CANARY) || text.includes(Buffer.from(CANARY).toString('base64'))
}
