/** A3, B1: a whole control plane with many objects: its memory, and its restart after SIGKILL. */

import { configMap } from '../objects.ts'
import { onSides } from '../on-sides.ts'
import { quiet } from './idle.ts'
import { measureBytes, prepared } from './measure.ts'

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps'
const OBJECTS = { quick: 10_000, full: 100_000 }
const WRITERS = 50

export const volume = onSides({
  name: 'volume',
  about: 'A3, B1: memory with 100,000 objects; restart after SIGKILL',
  wish: { nodes: 0 },
  // A relaxed collector needs more memory; the restart has one nevertheless, as it is faster then.
  tunings: ['default'],
  async run(parts) {
    const count = parts.quick ? OBJECTS.quick : OBJECTS.full
    await prepared(parts, { method: 'POST', path: CONFIG_MAPS, body: configMap('map-{i}') }, count, WRITERS)
    const full = await quiet(parts)
    const side = await parts.side.crash()
    try {
      const list = { method: 'GET', path: CONFIG_MAPS } as const
      const peakMb = side.figures.peakMb()
      const first = await measureBytes({ ...parts, side }, { workers: 1, operations: 1, requests: [list] })
      return {
        [`B1 idle, ${count} objects`]: full,
        [`A3 restart with ${count} objects`]: { ms: side.readyMs, peakMb },
        [`A3 first list of ${count} objects`]: first,
      }
    } finally {
      await side[Symbol.asyncDispose]()
    }
  },
})
