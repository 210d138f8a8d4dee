/**
 * What nodes use, measured when somebody asks: nothing runs while nobody does. A rate takes two readings; the earlier
 * one is the oldest of the last half minute, and who asks first waits for it.
 */

import type { Clock } from '../../base/clock.ts'
import type { Logger } from '../../base/log.ts'
import { type NodeUsage, type Sample, type StatsSummary, usageBetween } from './samples.ts'

export interface UsageSource {
  /** Undefined: the node does not answer. */
  usageOf(nodeName: string): Promise<NodeUsage | undefined>
}

export interface UsageSourceParts {
  readonly fetchSummary: (nodeName: string) => Promise<StatsSummary>
  readonly clock: Clock
  readonly log: Logger
}

/** Between two readings of a node, at least. */
const PAUSE_MS = 1000
const WINDOW_MS_MAX = 30_000

export function createUsageSource({ fetchSummary, clock, log }: UsageSourceParts): UsageSource {
  const known = new Map<string, readonly Sample[]>()
  const underway = new Map<string, Promise<NodeUsage | undefined>>()

  async function read(nodeName: string): Promise<void> {
    const summary = await fetchSummary(nodeName)
    const sample = { atMs: clock.now(), summary }
    known.set(nodeName, [...recent(nodeName), sample])
  }

  function recent(nodeName: string): readonly Sample[] {
    const now = clock.now()
    return (known.get(nodeName) ?? []).filter(({ atMs }) => atMs <= now && now - atMs <= WINDOW_MS_MAX)
  }

  async function readAgain(nodeName: string): Promise<void> {
    const samples = recent(nodeName)
    const last = samples.at(-1)
    if (last === undefined) {
      await read(nodeName)
      await clock.sleep(PAUSE_MS)
      return read(nodeName)
    }
    const ageMs = clock.now() - last.atMs
    if (ageMs < PAUSE_MS && samples.length > 1) return
    if (ageMs < PAUSE_MS) await clock.sleep(PAUSE_MS - ageMs)
    await read(nodeName)
  }

  async function measure(nodeName: string): Promise<NodeUsage | undefined> {
    try {
      await readAgain(nodeName)
    } catch (error) {
      log.debug('a node tells nothing about its usage', { node: nodeName, error })
      known.delete(nodeName)
    }
    const samples = known.get(nodeName) ?? []
    const [first] = samples
    const latest = samples.at(-1)
    return first && latest && first !== latest ? usageBetween(first, latest) : undefined
  }

  return {
    usageOf(nodeName) {
      const running = underway.get(nodeName)
      if (running) return running
      const measured = measure(nodeName).finally(() => underway.delete(nodeName))
      underway.set(nodeName, measured)
      return measured
    },
  }
}
