import { expect, test } from 'vitest'
import { nodeCounts } from './cluster-plan.ts'

test.each([
  ['nothing', {}, 1, 0],
  ['--nodes=3', { nodes: 3 }, 3, 0],
  ['--simulated', { simulated: true }, 1, 0],
  ['--simulated=100', { simulated: 100 }, 0, 100],
  ['--nodes=2 --simulated=100', { nodes: 2, simulated: 100 }, 2, 100],
  ['--nodes=0', { nodes: 0 }, 0, 0],
] as const)('%s makes the nodes that were asked for', (_, flags, nodes, simulatedNodes) => {
  expect(nodeCounts(flags)).toEqual({ nodes, simulatedNodes })
})
