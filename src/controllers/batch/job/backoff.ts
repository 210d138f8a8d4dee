/** How long a job waits before it makes another pod: 10 s after the first failure, twice as long after each further one. */

import type { Job } from '../../../apis/batch/types.gen.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { type Backoff, backoffMs } from '../../../base/backoff.ts'
import { finishedMs, ignoredIndexFailures, indexFailures, isPodFailed, isPodSucceeded } from './job-pods.ts'

const POD_FAILURE: Backoff = { initialMs: 10_000, factor: 2, maxMs: 600_000 }

/** Failures since the last success, and when the last of them was. */
export interface Failures {
  readonly count: number
  readonly lastMs: number
}

export const noFailures: Failures = { count: 0, lastMs: 0 }

export function remainingMs({ count, lastMs }: Failures, nowMs: number): number {
  return count === 0 ? 0 : Math.max(0, lastMs + backoffMs(POD_FAILURE, count - 1) - nowMs)
}

/** For an index whose last pod failed, `undefined` if none has: its pods say how many did before them. */
export function remainingIndexMs(lastFailed: Pod | undefined, nowMs: number): number {
  if (!lastFailed) return 0
  const count = indexFailures(lastFailed) + ignoredIndexFailures(lastFailed) + 1
  return remainingMs({ count, lastMs: finishedMs(lastFailed) }, nowMs)
}

interface Memory {
  readonly uid: string
  readonly failures: Failures
  /** The finished pods that were there at the last look, all of them counted. */
  readonly seen: ReadonlySet<string>
}

/**
 * Remembers the failures of jobs, by the jobs' keys: pods that are deleted take theirs with them. A new process begins
 * with the pods that are there.
 */
export class FailureMemory {
  readonly #jobs = new Map<string, Memory>()

  /** The job's failures once these pods of it are known. */
  note(key: string, job: Job, pods: readonly Pod[]): Failures {
    const uid = job.metadata.uid ?? ''
    const known = this.#jobs.get(key)
    const memory = known?.uid === uid ? known : { uid, failures: noFailures, seen: new Set<string>() }
    const finished = pods.filter((pod) => isPodSucceeded(pod) || isPodFailed(pod, job))
    const news = finished.filter(({ metadata }) => !memory.seen.has(metadata.uid ?? ''))
    const failures = withFinished(memory.failures, news)
    this.#jobs.set(key, { uid, failures, seen: new Set(finished.map(({ metadata }) => metadata.uid ?? '')) })
    return failures
  }

  forget(key: string): void {
    this.#jobs.delete(key)
  }
}

function withFinished(failures: Failures, pods: readonly Pod[]): Failures {
  const succeeded = pods.filter(isPodSucceeded).map(finishedMs)
  const failed = pods.filter((pod) => !isPodSucceeded(pod)).map(finishedMs)
  if (succeeded.length === 0) {
    if (failed.length === 0) return failures
    return { count: failures.count + failed.length, lastMs: Math.max(...failed) }
  }
  const lastSuccessMs = Math.max(...succeeded)
  const since = failed.filter((time) => time > lastSuccessMs)
  return since.length === 0 ? noFailures : { count: since.length, lastMs: Math.max(...since) }
}
