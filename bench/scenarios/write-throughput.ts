/** C5: patches of 10,000 realistic pods under 10 watchers, faster and faster until they take too long; then recovery. */

import { openConnection } from '../connection.ts'
import { type Job, runJob } from '../generator.ts'
import { realisticPod } from '../objects.ts'
import { onSides, type Sample, type ScenarioParts } from '../scenario.ts'
import { prepared } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const COUNT = { quick: 1_000, full: 10_000 }
const WATCHERS = 10
const WORKERS = 100
const FIRST_RATE = 100
const STEP = 1.4
const STEP_SECONDS = { quick: 3, full: 10 }
/** What upstream's service level objective allows a write, in ms. */
const LATE_MS = 1_000
/** Of the rate that is asked for: below, the server is at its limit. */
const KEPT_SHARE = 0.95
const SETTLE_MS = 60_000
const PROBE_RATE = 50
const RECOVERY_SECONDS_MAX = 30

export const writeThroughput = onSides({
  name: 'write-throughput',
  about: 'C5: patches of 10,000 pods of 10 KB under 10 watchers, until the 99th percentile is a second; recovery',
  wish: {},
  async run(parts) {
    const count = parts.quick ? COUNT.quick : COUNT.full
    await prepared(parts, { method: 'POST', path: PODS, body: realisticPod('pod-{i}') }, count)
    const seconds = parts.quick ? STEP_SECONDS.quick : STEP_SECONDS.full
    let reached: Sample = {}
    let rate = FIRST_RATE
    for (; ; rate *= STEP) {
      const { latency, perSecond } = await patched(parts, rate, Math.round(rate * seconds), count)
      if (latency.p99 > LATE_MS || perSecond < rate * KEPT_SHARE) break
      reached = { perSecond, p50: latency.p50, p99: latency.p99 }
    }
    // The step that was too fast was the burst: how long until writes are quick again?
    return { [`C5 patches of ${count} pods`]: { ...reached, ms: await recovered(parts, count) } }
  },
})

async function patched({ side, programs }: ScenarioParts, rate: number, operations: number, count: number) {
  using connection = await openConnection(side.access.credentials)
  const { body } = await connection.send({ method: 'GET', path: `${PODS}?limit=1` })
  const version = /"resourceVersion":"(\d+)"/.exec(body.toString())?.[1] ?? '0'
  const job: Job = {
    ...{ workers: WORKERS, operations, rate, requests: patches(count) },
    ...{ watchers: WATCHERS, watchPath: `${PODS}?watch=true&resourceVersion=${version}`, settleMs: SETTLE_MS },
  }
  const { latency, seconds } = await runJob(programs.generator, side.access, job)
  return { latency, perSecond: operations / seconds }
}

/** In turn, so that no pod is patched twice at a time. */
function patches(count: number): Job['requests'] {
  return Array.from({ length: count }, (_, index) => ({
    method: 'PATCH',
    path: `${PODS}/pod-${index}`,
    contentType: 'application/merge-patch+json',
    body: '{"metadata":{"annotations":{"bench/sent":"{now}"}}}',
  }))
}

/** Until a second of few writes has none that is late, in ms. */
async function recovered({ side, programs }: ScenarioParts, count: number): Promise<number> {
  const startedAt = performance.now()
  for (let second = 0; second < RECOVERY_SECONDS_MAX; second++) {
    const before = performance.now()
    const job: Job = { workers: PROBE_RATE, operations: PROBE_RATE, rate: PROBE_RATE, requests: patches(count) }
    const { latency } = await runJob(programs.generator, side.access, job)
    if (latency.p99 <= LATE_MS) return before - startedAt
  }
  return RECOVERY_SECONDS_MAX * 1_000
}
