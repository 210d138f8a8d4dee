/** A3, B1, B2: what a whole control plane costs when nothing happens, empty and with many objects, and its restart. */

import { setTimeout as sleep } from 'node:timers/promises'
import { configMap } from '../objects.ts'
import { onSides, type Sample, type ScenarioParts } from '../scenario.ts'
import { measureBytes, prepared } from './measure.ts'

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
/** Until what starting left to do is done, in ms. */
const SETTLE_MS = { quick: 10_000, full: 30_000 }
const QUIET_MS = { quick: 20_000, full: 60_000 }
const OBJECTS = { quick: 10_000, full: 100_000 }
const WRITERS = 50

export const volume = onSides({
  name: 'volume',
  about: 'A3, B1, B2: idle memory and processor time, empty and with 100,000 objects; restart after SIGKILL',
  wish: { nodes: 0 },
  async run(parts) {
    const size = parts.quick ? 'quick' : 'full'
    const count = OBJECTS[size]
    const empty = await quiet(parts, size)
    await prepared(parts, { method: 'POST', path: CONFIG_MAPS, body: configMap('map-{i}') }, count, WRITERS)
    const full = await quiet(parts, size)
    const side = await parts.side.crash()
    try {
      const list = { method: 'GET', path: CONFIG_MAPS } as const
      const first = await measureBytes({ ...parts, side }, { workers: 1, operations: 1, requests: [list] })
      const restart = { ms: side.readyMs, peakMb: side.figures.peakMb() }
      return {
        'B1 B2 idle, empty': empty,
        [`B1 idle, ${count} objects`]: full,
        [`A3 restart with ${count} objects`]: restart,
        [`A3 first list of ${count} objects`]: first,
      }
    } finally {
      await side[Symbol.asyncDispose]()
    }
  },
})

/** Memory after a quiet stretch, and the share of a core that was used in it. */
export async function quiet({ side }: ScenarioParts, size: 'quick' | 'full'): Promise<Sample> {
  await sleep(SETTLE_MS[size])
  const before = side.figures.cpuMs()
  await sleep(QUIET_MS[size])
  const cpuPercent = ((side.figures.cpuMs() - before) / QUIET_MS[size]) * 100
  return { residentMb: side.figures.residentMb(), cpuPercent }
}
