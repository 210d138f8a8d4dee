/** What a StatefulSet reports: pods by readiness and by revision. */

import type { StatefulSet, StatefulSetStatus } from '../../../apis/apps/types.gen.ts'
import { isPodAvailable, isPodReady, isPodTerminating } from '../../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { replicasOf, revisionOf } from './identity.ts'

export interface Revisions {
  /** The name of the revision that pods had before the update. */
  readonly current: string
  /** The name of the revision that pods shall have. */
  readonly update: string
}

export function isRunningAndReady(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod)
}

/** `updating`: pods that are about to be deleted for an update; they are not counted as current any more. */
export function setStatus(
  set: StatefulSet,
  pods: readonly Pod[],
  { current, update }: Revisions,
  updating: number,
  nowMs: number,
): StatefulSetStatus {
  const { minReadySeconds = 0 } = set.spec
  const ready = pods.filter(isRunningAndReady)
  const living = pods.filter((pod) => !isPodTerminating(pod))
  const counts = {
    replicas: pods.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length,
    currentReplicas: living.filter((pod) => revisionOf(pod) === current).length - updating,
    updatedReplicas: living.filter((pod) => revisionOf(pod) === update).length,
  }
  const isDone = isUpdated(set, counts)
  return {
    ...set.status,
    observedGeneration: set.metadata.generation,
    replicas: counts.replicas,
    readyReplicas: positive(counts.readyReplicas),
    availableReplicas: counts.availableReplicas,
    currentReplicas: positive(isDone ? counts.updatedReplicas : counts.currentReplicas),
    updatedReplicas: positive(counts.updatedReplicas),
    currentRevision: isDone ? update : current,
    updateRevision: update,
    collisionCount: set.status?.collisionCount ?? 0,
  }
}

type Counts = Readonly<Record<'replicas' | 'readyReplicas' | 'updatedReplicas', number>>

/** The update is done: from here on its revision is the current one. */
function isUpdated(set: StatefulSet, { replicas, readyReplicas, updatedReplicas }: Counts): boolean {
  const wanted = replicasOf(set)
  const isRolling = set.spec.updateStrategy?.type !== 'OnDelete'
  return isRolling && updatedReplicas === wanted && readyReplicas === wanted && replicas === wanted
}

/** Zero counts are absent, as upstream writes them. */
function positive(count: number): number | undefined {
  return count > 0 ? count : undefined
}
