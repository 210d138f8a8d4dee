/**
 * C5: patches of 10,000 realistic pods under 10 watchers, faster and faster until they take too long; then a second of
 * twice what a server can do, and how long after it until writes are quick again.
 */

import { openConnection } from '../connection.ts'
import { type Job, type JobResult, runJob } from '../generator.ts'
import { realisticPod } from '../objects.ts'
import { onSides } from '../on-sides.ts'
import type { Sample, ScenarioParts } from '../scenario.ts'
import { prepared } from './measure.ts'

const PODS = '/api/v1/namespaces/default/pods'
const COUNT = { quick: 1_000, full: 10_000 }
const WATCHERS = 10
const WORKERS = 100
/** Patches as fast as they are answered, which tell where to begin. */
const PROBES = { quick: 1_000, full: 3_000 }
/** Of that rate, the first that is tried, and by how much each is faster than the one before. */
const FIRST_SHARE = 0.6
const STEP = 1.15
const STEP_SECONDS = { quick: 2, full: 3 }
/** What upstream's service level objective allows a write, in ms. */
const LATE_MS = 1_000
/** Of the rate that is asked for: below, the server is at its limit. */
const KEPT_SHARE = 0.95
const SETTLE_MS = 60_000
const BURST = { times: 2, seconds: 1 }
const CALM_RATE = 50
const RECOVERY_SECONDS_MAX = 30

export const writeThroughput = onSides({
  name: 'write-throughput',
  about: 'C5: patches of 10,000 pods of 10 KB under 10 watchers, until the 99th percentile is a second; recovery',
  wish: {},
  async run(parts) {
    const size = parts.quick ? 'quick' : 'full'
    const count = COUNT[size]
    await prepared(parts, { method: 'POST', path: PODS, body: realisticPod('pod-{i}') }, count)
    const probe = await patched(parts, { operations: PROBES[size], count })
    let reached: Sample = {}
    let rate = (probe.operations / probe.seconds) * FIRST_SHARE
    for (; ; rate *= STEP) {
      const operations = Math.round(rate * STEP_SECONDS[size])
      const { latency, seconds } = await patched(parts, { rate, operations, count })
      if (latency.p99 > LATE_MS || operations / seconds < rate * KEPT_SHARE) break
      reached = { perSecond: operations / seconds, p50: latency.p50, p99: latency.p99 }
    }
    const burstRate = rate * BURST.times
    const burst = await patched(parts, { rate: burstRate, operations: Math.round(burstRate * BURST.seconds), count })
    // What was not answered by its end keeps the server busy beyond it.
    const behindMs = Math.max(0, burst.seconds - BURST.seconds) * 1_000
    return { [`C5 patches of ${count} pods`]: { ...reached, ms: behindMs + (await recovered(parts, count)) } }
  },
})

interface Patches {
  /** Absent: as fast as they are answered. */
  readonly rate?: number
  readonly operations: number
  /** Of the pods. */
  readonly count: number
}

async function patched(parts: ScenarioParts, { rate, operations, count }: Patches): Promise<JobResult> {
  const { access } = parts.side
  using connection = await openConnection(access.credentials)
  const { body } = await connection.send({ method: 'GET', path: `${PODS}?limit=1` })
  const version = /"resourceVersion":"(\d+)"/.exec(body.toString())?.[1] ?? '0'
  return runJob(parts.programs, access, parts.client, {
    ...{ workers: WORKERS, operations, requests: patches(count), ...(rate !== undefined && { rate }) },
    ...{ watchers: WATCHERS, watchPath: `${PODS}?watch=true&resourceVersion=${version}`, settleMs: SETTLE_MS },
  })
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
async function recovered({ side, programs, client }: ScenarioParts, count: number): Promise<number> {
  const startedAt = performance.now()
  for (let second = 0; second < RECOVERY_SECONDS_MAX; second++) {
    const before = performance.now()
    const job: Job = { workers: CALM_RATE, operations: CALM_RATE, rate: CALM_RATE, requests: patches(count) }
    const { latency } = await runJob(programs, side.access, client, job)
    if (latency.p99 <= LATE_MS) return before - startedAt
  }
  return RECOVERY_SECONDS_MAX * 1_000
}
