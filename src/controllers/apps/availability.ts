/** When a pod that is ready will count as available. */

import { isPodAvailable, isPodReady, podCondition } from '../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../apis/core/types.gen.ts'
import { parseTime } from '../../machinery/meta/time.ts'

/** Until the next of the pods will have been ready for long enough; undefined when none is on its way. */
export function nextAvailabilityMs(
  pods: readonly Pod[],
  minReadySeconds: number | undefined,
  nowMs: number,
): number | undefined {
  const minReadyMs = (minReadySeconds ?? 0) * 1_000
  const waits = pods
    .filter((pod) => isPodReady(pod) && !isPodAvailable(pod, minReadySeconds ?? 0, nowMs))
    .map((pod) => (parseTime(podCondition(pod, 'Ready')?.lastTransitionTime) ?? nowMs) + minReadyMs - nowMs)
  return waits.length > 0 ? Math.min(...waits) : undefined
}
