/** What a DaemonSet reports: nodes by whether they should have a pod, have one, and whether it serves. */

import type { DaemonSetStatus } from '../../../apis/apps/types.gen.ts'
import { isPodAvailable, isPodReady } from '../../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { byCodeUnit } from '../../../base/group-by.ts'
import { fitOf, isUpdated } from './nodes.ts'
import type { DaemonNode, UpdateContext } from './update.ts'

export function daemonStatus({ daemonSet, hash, nowMs }: UpdateContext, nodes: readonly DaemonNode[]): DaemonSetStatus {
  const { minReadySeconds = 0 } = daemonSet.spec
  const existing = nodes.flatMap(({ node, pods }) => (node ? [{ belongs: fitOf(daemonSet, node).runs, pods }] : []))
  const desired = existing.filter(({ belongs }) => belongs)
  const serving = desired.flatMap(({ pods }) => [...pods].sort(bySeniority).slice(0, 1))
  const available = serving.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length
  return {
    ...daemonSet.status,
    observedGeneration: daemonSet.metadata.generation,
    desiredNumberScheduled: desired.length,
    currentNumberScheduled: serving.length,
    numberMisscheduled: existing.filter(({ belongs, pods }) => !belongs && pods.length > 0).length,
    numberReady: serving.filter(isPodReady).length,
    updatedNumberScheduled: positive(serving.filter((pod) => isUpdated(daemonSet, hash, pod)).length),
    numberAvailable: positive(available),
    numberUnavailable: positive(desired.length - available),
  }
}

/** Zero counts are absent, as upstream writes them. */
function positive(count: number): number | undefined {
  return count > 0 ? count : undefined
}

/** Pods with a node first, then the oldest. */
export function bySeniority(left: Pod, right: Pod): number {
  const waits = ({ spec }: Pod) => (spec?.nodeName ? 0 : 1)
  const [first, second] = [left.metadata, right.metadata]
  return (
    waits(left) - waits(right) ||
    byCodeUnit(first.creationTimestamp ?? '', second.creationTimestamp ?? '') ||
    byCodeUnit(first.name ?? '', second.name ?? '')
  )
}
