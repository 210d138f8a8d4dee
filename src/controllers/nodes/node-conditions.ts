/** What a node reports about itself, and what is said for it when it is silent. */

import type { Node, NodeCondition } from '../../apis/core/types.gen.ts'
import { formatTime } from '../../machinery/meta/time.ts'

/** All of it is unknown when the kubelet is silent. */
const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

export function readyCondition({ status }: Node): NodeCondition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')
}

export function isNodeReady(node: Node): boolean {
  return readyCondition(node)?.status === 'True'
}

/** The conditions of a node whose kubelet is silent, each in its place. */
export function unknownConditions({ metadata, status }: Node, nowMs: number): readonly NodeCondition[] {
  const existing = status?.conditions ?? []
  const never = REPORTED.filter((type) => !existing.some((condition) => condition.type === type))
  const lastTransitionTime = formatTime(nowMs)
  return [
    ...existing.map((condition): NodeCondition => {
      if (!REPORTED.includes(condition.type) || condition.status === 'Unknown') return condition
      const message = 'Kubelet stopped posting node status.'
      return { ...condition, status: 'Unknown', reason: 'NodeStatusUnknown', message, lastTransitionTime }
    }),
    ...never.map(
      (type): NodeCondition => ({
        type,
        status: 'Unknown',
        reason: 'NodeStatusNeverUpdated',
        message: 'Kubelet never posted node status.',
        lastHeartbeatTime: metadata.creationTimestamp,
        lastTransitionTime,
      }),
    ),
  ]
}
