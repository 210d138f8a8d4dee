/** Prefers nodes on which CPU and memory would be used in equal parts, so that neither is left stranded. */

import { type Plugin, SCORE_MAX } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import type { NodeInfo } from '../snapshot.ts'

export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  isLocal: true,
  prepare: (pod) => ({
    scoring() {
      // A pod that asks for neither balances nothing.
      if (!pod.requests.has('cpu') && !pod.requests.has('memory')) return undefined
      return { score: (node) => balance(pod, node) }
    },
  }),
}

function balance(pod: PodInfo, node: NodeInfo): number {
  const cpu = usedFraction(pod, node, 'cpu')
  const memory = usedFraction(pod, node, 'memory')
  const deviation = cpu === undefined || memory === undefined ? 0 : Math.abs(cpu - memory) / 2
  return Math.floor((1 - deviation) * SCORE_MAX)
}

/** Absent: the node has none of it. */
function usedFraction(pod: PodInfo, node: NodeInfo, name: string): number | undefined {
  const capacity = node.allocatable.get(name) ?? 0
  if (capacity === 0) return undefined
  return Math.min(1, ((node.requested.get(name) ?? 0) + (pod.requests.get(name) ?? 0)) / capacity)
}
