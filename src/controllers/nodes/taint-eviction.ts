/** taint-eviction-controller: a pod leaves a node with NoExecute taints that it does not tolerate, or not for longer. */

import { nodes } from '../../apis/core/node.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import { findToleration } from '../../apis/core/pod/node-fit.ts'
import type { Node, Pod, PodCondition, Taint } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { setCondition } from '../../machinery/meta/conditions.ts'
import { keyOf } from '../../machinery/meta/object.ts'
import { formatTime, parseTime } from '../../machinery/meta/time.ts'
import { type Action, deleteAction, updateStatusAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'
import { plannedEvent } from '../runtime/status.ts'
import { podsOfNode } from './pods-of-node.ts'

export interface EvictionView {
  readonly pod: Pod
  readonly node: Node
}

export const taintEvictionController = defineController({
  name: 'taint-eviction-controller',
  reconciles: pods,
  concerns: ({ spec }, cache) => {
    const node = spec?.nodeName ? cache.get(nodes, { name: spec.nodeName }) : undefined
    return node?.spec?.taints?.some(({ effect }) => effect === 'NoExecute') ?? false
  },
  watches: [
    {
      definition: nodes,
      keysOf: ({ metadata }, cache) => podsOfNode(cache, metadata.name ?? '').map(keyOf),
      ignores: (node: Node, previous: Node) => deepEqual(node.spec?.taints ?? [], previous.spec?.taints ?? []),
    },
  ],
  observe: (cache, key): EvictionView | undefined => {
    const pod = cache.get(pods, key)
    if (!pod?.spec?.nodeName || pod.metadata.deletionTimestamp) return undefined
    const node = cache.get(nodes, { name: pod.spec.nodeName })
    return node && { pod, node }
  },
  plan: planEviction,
})

export function planEviction({ pod, node }: EvictionView, nowMs: number): Plan {
  const leaveAtMs = leaveAt(pod, node.spec?.taints ?? [], nowMs)
  if (leaveAtMs === undefined) return { actions: [] }
  if (leaveAtMs > nowMs) return { actions: [], requeueAfterMs: leaveAtMs - nowMs }
  const announced = announcement(pod, nowMs)
  // Its deletion follows when the announcement has come back: nobody is to see the one without the other.
  if (announced) return { actions: [announced] }
  const message = `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`
  const success = () => plannedEvent(pods, pod, { type: 'Normal', reason: 'TaintManagerEviction', message })
  return { actions: [deleteAction(pods, pod, { success })] }
}

/** Tells controllers that it was not the pod's fault. */
function announcement(pod: Pod, nowMs: number): Action | undefined {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
  }
  const before = pod.status?.conditions ?? []
  const conditions = setCondition<PodCondition>(before, condition, formatTime(nowMs))
  if (conditions === before) return undefined
  return updateStatusAction(pods, { ...pod, status: { ...pod.status, conditions } })
}

/** When the first NoExecute taint is no longer tolerated; undefined: never. */
function leaveAt({ metadata, spec }: Pod, taints: readonly Taint[], nowMs: number): number | undefined {
  const createdMs = parseTime(metadata.creationTimestamp) ?? 0
  const times = taints
    .filter(({ effect }) => effect === 'NoExecute')
    .map((taint) => {
      // The first that matches counts, as upstream does it.
      const toleration = findToleration(spec?.tolerations, taint)
      if (!toleration) return nowMs
      const { tolerationSeconds = Number.POSITIVE_INFINITY } = toleration
      const sinceMs = Math.max(parseTime(taint.timeAdded) ?? nowMs, createdMs)
      return tolerationSeconds <= 0 ? nowMs : sinceMs + tolerationSeconds * 1_000
    })
  const soonest = Math.min(...times)
  return Number.isFinite(soonest) ? soonest : undefined
}
