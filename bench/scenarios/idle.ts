/** B2: the processor time of simulated nodes that report that they are alive. */

import { onSides, type Scenario } from '../scenario.ts'
import { quiet } from './volume.ts'

export const idleNodes = (nodes: number): Scenario =>
  onSides({
    name: `idle-${nodes}`,
    about: `B2: ${nodes} simulated nodes that do nothing but report`,
    wish: { nodes },
    run: async (parts) => ({ [`B2 idle, ${nodes} nodes`]: await quiet(parts, parts.quick ? 'quick' : 'full') }),
  })
