/** Objects that are kept for a time only: events go an hour after they were last written. */

import type { Clock } from '../../base/clock.ts'
import { every } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { isConflict, isNotFound } from '../../machinery/meta/api-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { parseResourceVersion } from '../../machinery/meta/resource-version.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import { keyOfStored, type Stored } from './codec.ts'
import { ownWrites } from './context.ts'
import { ALL_NOW } from './list.ts'
import type { Registry } from './registry.ts'

export interface Expiry {
  /** Undefined while the resource is not served. */
  registry(): Registry | undefined
  readonly afterMs: number
}

/** Upstream's `event-ttl`. */
export const EVENT_LIFETIME_MS = 60 * 60 * 1_000

/** How often is looked, in ms: an object outlives its time by at most this. */
const SWEEP_PERIOD_MS = 60_000

/** Objects deleted per sweep: the rest of a flood goes with the next ones, between the work of everyone else. */
const SWEEP_DELETES_MAX = 1_000

/** Objects deleted in one turn of the event loop: they share a sync of the storage. */
const TURN_DELETES = 100

const EXPIRING = ownWrites('expiry')

export function startExpiry(expiries: readonly Expiry[], clock: Clock, log: Logger, signal: AbortSignal): void {
  const sweeps = expiries.map(sweepOf)
  every(clock, SWEEP_PERIOD_MS, signal, async () => {
    for (const sweep of sweeps) {
      try {
        await sweep(clock.now())
      } catch (error) {
        log.warn('expired objects could not be removed', { error })
      }
    }
  })
}

/** What the revision was at some time. */
interface Mark {
  readonly revision: number
  readonly atMs: number
}

/** One sweep after the other. Objects are only looked into when they were there a lifetime ago: most are younger. */
function sweepOf({ registry: registryOf, afterMs }: Expiry): (nowMs: number) => Promise<void> {
  /** Of the sweeps that are not a lifetime ago, oldest first. */
  let marks: readonly Mark[] = []
  return async (nowMs) => {
    const registry = registryOf()
    if (!registry) return
    const { items, metadata } = await registry.list({ ...ALL_NOW, namespace: '' })
    const mark = { revision: parseResourceVersion(metadata.resourceVersion), atMs: nowMs }
    marks = [...marks.filter(({ atMs }) => atMs + afterMs > nowMs), mark]
    const { revision: youngAfter } = marks[0] ?? mark
    const expired = items.filter(
      (item) => item.revision <= youngAfter && lastWrittenMs(item.object()) + afterMs <= nowMs,
    )
    for (let start = 0; start < Math.min(expired.length, SWEEP_DELETES_MAX); start += TURN_DELETES)
      await Promise.all(expired.slice(start, start + TURN_DELETES).map((item) => removeExpired(registry, item)))
  }
}

async function removeExpired(registry: Registry, item: Stored): Promise<void> {
  const wish = { uid: item.uid, resourceVersion: String(item.revision) }
  try {
    await registry.delete(keyOfStored(item), wish, EXPIRING)
  } catch (error) {
    // Written again, or gone already: either way it is not ours any more.
    if (!isConflict(error) && !isNotFound(error)) throw error
  }
}

/** The newest of what the object says about its own writes. */
function lastWrittenMs({ metadata }: KubeObject): number {
  const times = [metadata.creationTimestamp, ...(metadata.managedFields ?? []).map(({ time }) => time)]
  return Math.max(...times.map((time) => parseTime(time) ?? 0))
}
