import { expect, test } from 'vitest'
import { createFakeClock } from '../../base/fake-clock.ts'
import { silentLogger } from '../../base/log.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { type StatsSummary, usageBetween } from './samples.ts'
import { createUsageSource } from './usage-source.ts'

const STARTED = '2026-01-01T00:00:00Z'

/** The summary of one pod with one container that has used so many seconds of CPU. */
const summary = (cpuSeconds: number, startTime = STARTED): StatsSummary => ({
  pods: [
    {
      podRef: { namespace: 'default', name: 'web', uid: 'u' },
      containers: [
        {
          name: 'app',
          startTime,
          cpu: { usageCoreNanoSeconds: cpuSeconds * 1e9 },
          memory: { workingSetBytes: 4096 },
        },
      ],
    },
  ],
})

/** A node whose container uses half a CPU. */
function node() {
  const clock = createFakeClock()
  const began = clock.now()
  const asked = { count: 0, fails: false }
  const source = createUsageSource({
    async fetchSummary() {
      asked.count++
      if (asked.fails) throw new Error('gone')
      return summary((clock.now() - began) / 2000 + 100)
    },
    clock,
    log: silentLogger,
  })
  return { clock, asked, source }
}

const halfACpu = [['u', [{ name: 'app', cpu: 500_000_000n, memoryBytes: 4096 }]]]

test('who asks first waits for a second reading; all who ask meanwhile get the same', async () => {
  const { clock, asked, source } = node()
  const answers = Promise.all([source.usageOf('one'), source.usageOf('one')])
  await clock.advance(1000)
  const [usage, same] = await answers
  expect(usage).toBe(same)
  expect(usage).toMatchObject({ windowMs: 1000, atMs: clock.now() })
  expect([...(usage?.pods ?? [])]).toEqual(halfACpu)
  await source.usageOf('one')
  expect(asked.count).toBe(2)
})

test('later answers are about the time since an earlier one, half a minute at most', async () => {
  const { clock, source } = node()
  const first = source.usageOf('one')
  await clock.advance(1000)
  await first
  await clock.advance(15_000)
  const second = await source.usageOf('one')
  expect(second?.windowMs).toBe(16_000)
  expect([...(second?.pods ?? [])]).toEqual(halfACpu)
  await clock.advance(29_500)
  expect((await source.usageOf('one'))?.windowMs).toBe(29_500)
})

test('a node that does not answer is forgotten', async () => {
  const { asked, source } = node()
  asked.fails = true
  expect(await source.usageOf('one')).toBeUndefined()
})

test('a restarted container has used all of its time since it started', () => {
  const atMs = Date.parse('2026-01-01T00:00:10Z')
  const before = { atMs, summary: summary(1000) }
  const after = { atMs: atMs + 10_000, summary: summary(1, formatTime(atMs + 6000)) }
  expect(usageBetween(before, after).pods.get('u')).toEqual([{ name: 'app', cpu: 250_000_000n, memoryBytes: 4096 }])
})
