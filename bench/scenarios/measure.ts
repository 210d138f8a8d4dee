/** A job of the load generator as figures: what came of it, and what it cost the server. */

import { availableParallelism } from 'node:os'
import { type Job, type JobResult, type RequestTemplate, runJob } from '../generator.ts'
import type { Sample, ScenarioParts } from '../scenario.ts'

const MEGA = 1e6

/** Throughput, latencies, the processor time of all the side's processes for each operation, and their memory. */
export async function measure(parts: ScenarioParts, job: Job): Promise<Sample> {
  const { result, cpuMs, shared } = await costOf(parts, job)
  const { operations, seconds, latency } = result
  const { p50, p99 } = latency
  return { perSecond: operations / seconds, p50, p99, cpuMs: cpuMs / operations, ...shared }
}

/** The same for answers that are so large that their bytes count. */
export async function measureBytes(parts: ScenarioParts, job: Job): Promise<Sample> {
  const { result, cpuMs, shared } = await costOf(parts, job)
  const { operations, seconds, latency, bytes } = result
  return { megabytesPerSecond: bytes / MEGA / seconds, p50: latency.p50, cpuMs: cpuMs / operations, ...shared }
}

export interface Cost {
  readonly result: JobResult
  readonly cpuMs: number
  readonly shared: Pick<Sample, 'peakMb' | 'clientPercent'>
}

export async function costOf({ side, programs, client }: ScenarioParts, job: Job): Promise<Cost> {
  const { figures, access } = side
  figures.resetPeak()
  const result = await runJob(programs, access, client, { ...job, pids: figures.pids() })
  const clientPercent = (result.clientCpuMs / (result.seconds * 1_000) / availableParallelism()) * 100
  return { result, cpuMs: result.serverCpuMs, shared: { peakMb: figures.peakMb(), clientPercent } }
}

/** Sends requests that are no figures: what a row finds when it begins. */
export async function prepared(
  { side, programs, client }: ScenarioParts,
  request: RequestTemplate,
  operations: number,
  workers = SEED_WORKERS,
): Promise<void> {
  const job = { workers: Math.min(workers, operations), operations, requests: [request] }
  await runJob(programs, side.access, client, job)
}

const SEED_WORKERS = 20

/** What `work` takes: time, and processor time of the server. */
export async function timed(
  { side }: Pick<ScenarioParts, 'side'>,
  work: () => Promise<void>,
): Promise<{ ms: number; cpuMs: number }> {
  const before = side.figures.cpuMs()
  const startedAt = performance.now()
  await work()
  return { ms: performance.now() - startedAt, cpuMs: side.figures.cpuMs() - before }
}
