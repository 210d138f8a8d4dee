/**
 * disruption-controller's other half: a pod that was to be disrupted and is still there after a while is told that it
 * is not any more.
 */

import { pods } from '../../apis/core/pod/definition.ts'
import { isPodTerminal, isPodTerminating, podCondition } from '../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { setCondition } from '../../machinery/meta/conditions.ts'
import { formatTime, parseTime } from '../../machinery/meta/time.ts'
import { updateStatusAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'

/** How long the announcement may stand before the pod's deletion begins. */
const STALE_MS = 120_000

export const staleDisruptionController = defineController({
  name: 'disruption-controller',
  reconciles: pods,
  concerns: announcesDisruption,
  observe: (cache, key): Pod | undefined => {
    const pod = cache.get(pods, key)
    return pod && announcesDisruption(pod) ? pod : undefined
  },
  plan: planStaleDisruption,
})

/** What the kubelet announces may take any time. */
function announcesDisruption(pod: Pod): boolean {
  if (isPodTerminating(pod) || isPodTerminal(pod)) return false
  const condition = podCondition(pod, 'DisruptionTarget')
  return condition?.status === 'True' && condition.reason !== 'TerminationByKubelet'
}

function planStaleDisruption(pod: Pod, nowMs: number): Plan {
  const announcedMs = parseTime(podCondition(pod, 'DisruptionTarget')?.lastTransitionTime) ?? 0
  const staleInMs = announcedMs + STALE_MS - nowMs
  if (staleInMs > 0) return { actions: [], requeueAfterMs: staleInMs }
  const others = pod.status?.conditions?.filter(({ type }) => type !== 'DisruptionTarget')
  const condition = { type: 'DisruptionTarget', status: 'False', lastTransitionTime: formatTime(nowMs) }
  const conditions = setCondition(others, condition, formatTime(nowMs))
  return { actions: [updateStatusAction(pods, { ...pod, status: { ...pod.status, conditions } })] }
}
