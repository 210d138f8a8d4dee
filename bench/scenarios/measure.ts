/** A job of the load generator as figures: what came of it, and what it cost the server. */

import { type Job, type JobResult, type RequestTemplate, runJob } from '../generator.ts'
import type { Sample, ScenarioParts } from '../scenario.ts'

const MEGA = 1e6

/** Throughput, latencies and the processor time of all the side's processes for each operation. */
export async function measure(parts: ScenarioParts, job: Job): Promise<Sample> {
  const { result, cpuMs } = await costOf(parts, job)
  const { operations, seconds, latency } = result
  return { perSecond: operations / seconds, p50: latency.p50, p99: latency.p99, cpuMs: cpuMs / operations }
}

/** The same for answers that are so large that their bytes count. */
export async function measureBytes(parts: ScenarioParts, job: Job): Promise<Sample> {
  const { result, cpuMs } = await costOf(parts, job)
  const { operations, seconds, latency, bytes } = result
  return { megabytesPerSecond: bytes / MEGA / seconds, p50: latency.p50, cpuMs: cpuMs / operations }
}

export async function costOf({ side, programs }: ScenarioParts, job: Job) {
  const before = side.figures.cpuMs()
  const result: JobResult = await runJob(programs.generator, side.access, job)
  return { result, cpuMs: side.figures.cpuMs() - before }
}

/** Sends requests that are no figures: what a row finds when it begins. */
export async function prepared(
  { side, programs }: ScenarioParts,
  request: RequestTemplate,
  operations: number,
  workers = SEED_WORKERS,
): Promise<void> {
  await runJob(programs.generator, side.access, {
    workers: Math.min(workers, operations),
    operations,
    requests: [request],
  })
}

const SEED_WORKERS = 20

/** What `work` takes: time, and processor time of the server. */
export async function timed(
  { side }: ScenarioParts,
  work: () => Promise<void>,
): Promise<{ ms: number; cpuMs: number }> {
  const before = side.figures.cpuMs()
  const startedAt = performance.now()
  await work()
  return { ms: performance.now() - startedAt, cpuMs: side.figures.cpuMs() - before }
}
