/** taint-eviction-controller: a pod leaves a node with NoExecute taints that it does not tolerate, or not for longer. */

import { nodes } from '../../apis/core/node.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { Node, Pod, Taint, Toleration } from '../../apis/core/types.gen.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import { deleteAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'

const POD_NODE_INDEX = 'spec.nodeName'

export interface EvictionView {
  readonly pod: Pod
  readonly node: Node
}

export const taintEvictionController = defineController({
  name: 'taint-eviction-controller',
  reconciles: pods,
  watches: [
    {
      definition: nodes,
      keysOf: ({ metadata }, cache) => {
        const informer = cache.informer(pods)
        informer.addIndex(POD_NODE_INDEX, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []))
        return informer
          .byIndex(POD_NODE_INDEX, metadata.name ?? '')
          .map((pod) => ({ namespace: pod.metadata.namespace, name: pod.metadata.name ?? '' }))
      },
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
  const leaveAtMs = leaveAt(pod.spec?.tolerations ?? [], node.spec?.taints ?? [], nowMs)
  if (leaveAtMs === undefined) return { actions: [] }
  if (leaveAtMs > nowMs) return { actions: [], requeueAfterMs: leaveAtMs - nowMs }
  const message = `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`
  const success = () => ({ regarding: pod, type: 'Normal' as const, reason: 'TaintManagerEviction', message })
  return { actions: [deleteAction(pods, pod, { success })] }
}

/** When the first NoExecute taint is no longer tolerated; undefined: never. */
function leaveAt(tolerations: readonly Toleration[], taints: readonly Taint[], nowMs: number): number | undefined {
  const times = taints
    .filter(({ effect }) => effect === 'NoExecute')
    .map((taint) => {
      const matching = tolerations.filter((toleration) => tolerates(toleration, taint))
      if (matching.length === 0) return nowMs
      const seconds = matching.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? [])
      if (seconds.length < matching.length && seconds.length === 0) return Number.POSITIVE_INFINITY
      const sinceMs = taint.timeAdded ? (parseTime(taint.timeAdded) ?? nowMs) : nowMs
      return sinceMs + Math.max(0, Math.min(...seconds)) * 1000
    })
  const soonest = Math.min(...times)
  return Number.isFinite(soonest) ? soonest : undefined
}

function tolerates({ key, operator, value, effect }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false
  if (key && key !== taint.key) return false
  if (operator === 'Exists') return true
  return Boolean(key) && (value ?? '') === (taint.value ?? '')
}
