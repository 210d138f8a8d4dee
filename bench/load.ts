/** Closed-loop load: so many workers, each on its own connection, share a number of calls. */

import type { KubeconfigEntry } from '../src/client/kubeconfig.ts'
import type { ClusterProcess } from './cluster-process.ts'
import { type Call, openConnection } from './connection.ts'
import type { Figure } from './row.ts'
import { dispersion, percentile } from './statistics.ts'

export interface Load {
  readonly calls: number
  readonly workers: number
  readonly call: (index: number) => Call
}

export interface LoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Of the server, per call. */
  readonly cpuMs: number
}

/** Throws at the first answer that is no success. */
export async function drive(cluster: ClusterProcess, credentials: KubeconfigEntry, load: Load): Promise<LoadResult> {
  using connections = new DisposableStack()
  const workers = await Promise.all(
    Array.from({ length: load.workers }, async () => connections.use(await openConnection(credentials))),
  )
  const latencies: number[] = []
  let next = 0
  const cpuBefore = cluster.process.cpuMs()
  const startedAt = performance.now()
  await Promise.all(
    workers.map(async (connection) => {
      while (next < load.calls) {
        const call = load.call(next++)
        const sentAt = performance.now()
        const { status, body } = await connection.send(call)
        latencies.push(performance.now() - sentAt)
        if (status >= 300) throw new Error(`${call.method} ${call.path}: ${status} ${body.toString().slice(0, 500)}`)
      }
    }),
  )
  const tookMs = performance.now() - startedAt
  latencies.sort((left, right) => left - right)
  return {
    perSecond: (load.calls / tookMs) * 1_000,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    cpuMs: (cluster.process.cpuMs() - cpuBefore) / load.calls,
  }
}

/** The figures of several rounds of one load. */
export function loadFigures(name: string, rounds: readonly LoadResult[]): readonly Figure[] {
  const of = (pick: (round: LoadResult) => number) => dispersion(rounds.map(pick))
  return [
    { name, unit: '1/s', direction: 'higher', ...of(({ perSecond }) => perSecond) },
    { name: `${name}, p50`, unit: 'ms', direction: 'lower', ...of(({ p50Ms }) => p50Ms) },
    { name: `${name}, p99`, unit: 'ms', direction: 'lower', ...of(({ p99Ms }) => p99Ms) },
    { name: `${name}, CPU of the server`, unit: 'ms', direction: 'lower', ...of(({ cpuMs }) => cpuMs) },
  ]
}
