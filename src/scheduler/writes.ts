/** What the scheduler writes to pods besides bindings: the PodScheduled condition, nominations, evictions. */

import { pods } from '../apis/core/pod/definition.ts'
import { podCondition } from '../apis/core/pod/pod-status.ts'
import type { Pod, PodCondition } from '../apis/core/types.gen.ts'
import type { Client } from '../client/client.ts'
import { keyOf } from '../machinery/meta/object.ts'
import { formatTime } from '../machinery/meta/time.ts'

/** The condition of a pod that was not scheduled; its time stays while it stays False. */
export function scheduledCondition(pod: Pod, reason: string, message: string, nowMs: number): PodCondition {
  const before = podCondition(pod, 'PodScheduled')
  const since = before?.status === 'False' ? before.lastTransitionTime : undefined
  return {
    type: 'PodScheduled',
    status: 'False',
    reason,
    message,
    lastTransitionTime: since ?? formatTime(nowMs),
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
  }
}

/** A strategic merge patch of the status; undefined when the pod says all that already. */
export function statusPatch(pod: Pod, condition: PodCondition, nominatedNodeName?: string): object | undefined {
  const before = podCondition(pod, condition.type)
  const same = before?.reason === condition.reason && before?.message === condition.message
  const nominated = nominatedNodeName === undefined || nominatedNodeName === pod.status?.nominatedNodeName
  if (same && nominated && before?.status === condition.status) return undefined
  return {
    metadata: { uid: pod.metadata.uid },
    status: { conditions: [condition], ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }) },
  }
}

/** Marks the pod as disrupted and deletes it. */
export async function deleteVictim(client: Client, victim: Pod, preemptor: Pod, nowMs: number): Promise<void> {
  const writer = client.because({
    by: 'default-scheduler',
    about: `pods ${preemptor.metadata.namespace}/${preemptor.metadata.name}`,
  })
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'PreemptionByScheduler',
    message: 'default-scheduler: preempting to accommodate a higher priority pod',
    lastTransitionTime: formatTime(nowMs),
  }
  const body = { metadata: { uid: victim.metadata.uid }, status: { conditions: [condition] } }
  await writer.of(pods).patch(keyOf(victim), { type: 'strategic', body }, { subresource: 'status' })
  await writer.of(pods).delete(keyOf(victim), { uid: victim.metadata.uid })
}
