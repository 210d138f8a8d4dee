/** B1, B2: the memory and the processor time of a whole control plane when nothing happens. */

import { setTimeout as sleep } from 'node:timers/promises'
import { onSides } from '../on-sides.ts'
import type { Sample, Scenario, ScenarioParts } from '../scenario.ts'

/** Until what starting left to do is done, in ms. */
const SETTLE_MS = { quick: 3_000, full: 5_000 }
/** Longer than simulated nodes wait between two signs of life. */
const QUIET_MS = { quick: 10_000, full: 15_000 }

/** No goal hangs on them. */
const REPORTING_ROUNDS_MAX = 2

/** With one setup of the other side: it has nothing to collect, and no limit to run into. */
export const idle: readonly Scenario[] = [0, 100, 1_000].map((nodes) =>
  onSides({
    name: `idle-${nodes}`,
    about: nodes === 0 ? 'B1, B2: all components, no nodes' : `B2: ${nodes} simulated nodes that only report`,
    wish: { nodes },
    tunings: ['default'],
    roundsMax: nodes === 0 ? undefined : REPORTING_ROUNDS_MAX,
    run: async (parts) => ({ [nodes === 0 ? 'B1 B2 idle, empty' : `B2 idle, ${nodes} nodes`]: await quiet(parts) }),
  }),
)

/** Memory after a quiet stretch, and the share of a core that was used in it. */
export async function quiet({ side, quick }: Pick<ScenarioParts, 'side' | 'quick'>): Promise<Sample> {
  const [settleMs, quietMs] = quick ? [SETTLE_MS.quick, QUIET_MS.quick] : [SETTLE_MS.full, QUIET_MS.full]
  await sleep(settleMs)
  const before = side.figures.cpuMs()
  await sleep(quietMs)
  const cpuPercent = ((side.figures.cpuMs() - before) / quietMs) * 100
  return { residentMb: side.figures.residentMb(), cpuPercent }
}
