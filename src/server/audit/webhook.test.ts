import { setImmediate as turn } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { createMetrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { createAuditMetrics } from './auditing.ts'
import type { BatchLimits } from './batches.ts'
import type { Stage } from './event.ts'
import { batchingWebhook, blockingWebhook } from './webhook.ts'

// Goal: events arrive at the service in batches of the right size at the right time, again after failures, and what is
// lost is counted. Method: a service that is a list, and a clock that stands still.

let clock: FakeClock
let batches: string[][]
let answers: (() => Promise<void>)[]
let text: () => Promise<string>

function parts(limits: Partial<BatchLimits> = {}) {
  const metrics = createMetrics()
  text = () => metrics.text()
  const receiver = {
    async deliver(json: string) {
      await (answers.shift() ?? (async () => {}))()
      const { kind, apiVersion, items } = JSON.parse(json)
      expect([kind, apiVersion]).toEqual(['EventList', 'audit.k8s.io/v1'])
      batches.push(items.map(({ auditID }: { auditID: string }) => auditID))
    },
    [Symbol.dispose]() {},
  }
  const random = seededRandom(1)
  return { clock, random, log: silentLogger, metrics: createAuditMetrics(metrics), receiver, limits }
}

beforeEach(() => {
  clock = createFakeClock()
  batches = []
  answers = []
})

const event = (id: number | string, stage: Stage = 'ResponseComplete') => ({ stage, text: `{"auditID":"${id}"}` })
const refuse = () => Promise.reject(new Error('no'))

async function lost(plugin: string): Promise<number> {
  return Number(new RegExp(`error_total\\{plugin="${plugin}"\\} (\\d+)`).exec(await text())?.[1] ?? 0)
}

describe('in batches', () => {
  test('events wait for others, but not for long', async () => {
    await using sink = batchingWebhook(parts())
    for (let id = 1; id <= 3; id++) sink.accept(event(id))
    await clock.advance(29_999)
    expect(batches).toEqual([])
    await clock.advance(1)
    expect(batches).toEqual([['1', '2', '3']])
  })

  test('a full batch is sent at once', async () => {
    await using sink = batchingWebhook(parts({ batchEventsMax: 2 }))
    for (let id = 1; id <= 5; id++) sink.accept(event(id))
    await turn()
    expect(batches).toEqual([
      ['1', '2'],
      ['3', '4'],
    ])
  })

  test('batches are no more frequent than the limit', async () => {
    await using sink = batchingWebhook(parts({ batchEventsMax: 1, batchesPerSecond: 10, burst: 2 }))
    for (let id = 1; id <= 4; id++) sink.accept(event(id))
    await turn()
    expect(batches).toHaveLength(2)
    await clock.advance(100)
    expect(batches).toHaveLength(3)
    await clock.advance(100)
    expect(batches).toHaveLength(4)
  })

  test('a failure is tried again, five times with growing pauses', async () => {
    const sink = batchingWebhook(parts({ batchEventsMax: 1 }))
    answers = [refuse, refuse, refuse, refuse]
    sink.accept(event('late'))
    await clock.advance(9_999)
    expect(answers).toHaveLength(3)
    for (const pauseMs of [2_001, 18_000, 27_000, 40_500]) await clock.advance(pauseMs)
    expect([batches, await lost('webhook')]).toEqual([[['late']], 0])
    answers = Array.from({ length: 5 }, () => refuse)
    sink.accept(event('lost'))
    await clock.advance(120_000)
    expect([answers, batches, await lost('webhook')]).toEqual([[], [['late']], 1])
    await sink[Symbol.asyncDispose]()
  })

  test('what the buffer has no room for is lost and counted, and nobody waits', async () => {
    const sink = batchingWebhook(parts({ bufferEventsMax: 2 }))
    expect([1, 2, 3, 4].map((id) => sink.accept(event(id)))).toEqual([true, true, true, true])
    expect(await lost('buffered')).toBe(2)
    await sink[Symbol.asyncDispose]()
    expect(batches).toEqual([['1', '2']])
  })

  test('at the end what waits is sent, and a service that does not answer gets little time', async () => {
    const sink = batchingWebhook(parts())
    answers = [refuse]
    sink.accept(event(1))
    const end = sink[Symbol.asyncDispose]()
    await clock.advance(5_000)
    await end
    expect([batches, await lost('webhook')]).toEqual([[], 1])
  })
})

describe('one by one', () => {
  test('the request waits for its event', async () => {
    const arrival = Promise.withResolvers<void>()
    answers = [() => arrival.promise]
    await using sink = blockingWebhook(parts(), false)
    let isAccepted = false
    const accepted = Promise.resolve(sink.accept(event(1))).then(() => {
      isAccepted = true
    })
    await turn()
    expect(isAccepted).toBe(false)
    arrival.resolve()
    await accepted
    expect(batches).toEqual([['1']])
  })

  test.each([
    ['goes on when the service does not take its event', false, 'RequestReceived', true],
    ['is refused where the log is strict', true, 'RequestReceived', false],
    ['that has been done stays done', true, 'ResponseComplete', true],
  ] as const)('a request %s', async (_, isStrict, stage, expected) => {
    answers = Array.from({ length: 5 }, () => refuse)
    await using sink = blockingWebhook(parts(), isStrict)
    const accepted = sink.accept(event(1, stage))
    await clock.advance(120_000)
    expect([await accepted, await lost('webhook')]).toEqual([expected, 1])
  })
})
