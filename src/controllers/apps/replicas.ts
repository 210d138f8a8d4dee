/** So many pods of one template, no more and no less: what ReplicaSets and ReplicationControllers have in common. */

import { pods } from '../../apis/core/pod/definition.ts'
import {
  isPodActive,
  isPodAvailable,
  isPodReady,
  isPodTerminal,
  isPodTerminating,
} from '../../apis/core/pod/pod-status.ts'
import type { Pod, PodTemplateSpec } from '../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../apis/definition.ts'
import { findCondition, removeCondition } from '../../machinery/meta/conditions.ts'
import { type Selector, selectorFromLabels } from '../../machinery/meta/labels.ts'
import type { KubeObject, ObjectKey } from '../../machinery/meta/object.ts'
import { keyOf } from '../../machinery/meta/object.ts'
import { controllerOf, isControlledBy } from '../../machinery/meta/owner.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import type { Action } from '../runtime/action.ts'
import { claim } from '../runtime/claim.ts'
import type { Cache, Plan, Watch } from '../runtime/controller.ts'
import { isNamespaceTerminating, isTellingFailure, statusActions, withCondition } from '../runtime/status.ts'
import { nextAvailabilityMs } from './availability.ts'
import { podsToDelete } from './pod-ranking.ts'
import { createPodAction, deletePodAction, podFromTemplate } from './pod-template.ts'

export interface ReplicaCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly lastTransitionTime?: string | null | undefined
}

export interface ReplicaStatus {
  readonly replicas: number
  readonly fullyLabeledReplicas?: number | undefined
  readonly readyReplicas?: number | undefined
  readonly availableReplicas?: number | undefined
  readonly terminatingReplicas?: number | undefined
  readonly observedGeneration?: number | undefined
  readonly conditions?: readonly ReplicaCondition[] | undefined
}

/** The shape that ReplicaSets and ReplicationControllers share. */
export interface Replicated extends KubeObject {
  readonly spec: {
    readonly replicas?: number | undefined
    readonly minReadySeconds?: number | undefined
    readonly template?: PodTemplateSpec | undefined
  }
  readonly status?: ReplicaStatus | undefined
}

/** What differs between the two. */
export interface ReplicaKind<T extends Replicated> {
  readonly definition: ResourceDefinition<T>
  selectorOf(owner: T): Selector
  /** Whether the status has terminatingReplicas. */
  readonly countsTerminating: boolean
}

export interface ReplicasView<T extends Replicated> {
  readonly kind: ReplicaKind<T>
  readonly owner: T
  /** The owner's pods and the namespace's orphans. */
  readonly candidates: readonly Pod[]
  /** Pods of all owners with the same controller; they tell which nodes have many. */
  readonly related: readonly Pod[]
}

/** Pods that are created or deleted before the world is looked at again. */
const BURST_REPLICAS = 500
const REPLICA_FAILURE = 'ReplicaFailure'

export function planReplicas<T extends Replicated>(view: ReplicasView<T>, nowMs: number, failure?: Error): Plan {
  const { kind, owner, candidates } = view
  const { definition } = kind
  const selector = kind.selectorOf(owner)
  const { owned: active, actions } = claim({
    owner,
    ownerDefinition: definition,
    definition: pods,
    selector,
    candidates: candidates.filter(isPodActive),
  })
  if (actions.length > 0) return { actions }
  const terminating = candidates.filter(
    (pod) =>
      isPodTerminating(pod) &&
      !isPodTerminal(pod) &&
      isControlledBy(pod, owner) &&
      selector.matches(pod.metadata.labels),
  )
  const status = replicaStatus(kind, owner, { active, terminating }, nowMs, failure)
  const isLeftAlone = Boolean(owner.metadata.deletionTimestamp) || isNamespaceTerminating(failure)
  return {
    actions: [...(isLeftAlone ? [] : resize(view, active, nowMs)), ...statusActions(definition, owner, status)],
    requeueAfterMs: nextAvailabilityMs(active, owner.spec.minReadySeconds, nowMs),
  }
}

function resize<T extends Replicated>(
  { kind: { definition }, owner, related }: ReplicasView<T>,
  active: readonly Pod[],
  nowMs: number,
): readonly Action[] {
  const missing = (owner.spec.replicas ?? 1) - active.length
  if (missing >= 0) {
    const pod = podFromTemplate(definition, owner, owner.spec.template)
    return Array.from({ length: Math.min(missing, BURST_REPLICAS) }, () => createPodAction(definition, owner, pod))
  }
  return podsToDelete(active, related, Math.min(-missing, BURST_REPLICAS), nowMs).map((pod) =>
    deletePodAction(definition, owner, pod),
  )
}

interface OwnedPods {
  readonly active: readonly Pod[]
  readonly terminating: readonly Pod[]
}

function replicaStatus<T extends Replicated>(
  kind: ReplicaKind<T>,
  owner: T,
  { active, terminating }: OwnedPods,
  nowMs: number,
  failure: Error | undefined,
): ReplicaStatus {
  const { template, minReadySeconds = 0 } = owner.spec
  const fullLabels = selectorFromLabels(template?.metadata?.labels)
  const conditions = failureConditions(owner, active.length, nowMs, failure)
  return {
    ...owner.status,
    replicas: active.length,
    fullyLabeledReplicas: positive(active.filter(({ metadata }) => fullLabels.matches(metadata.labels)).length),
    readyReplicas: positive(active.filter(isPodReady).length),
    availableReplicas: positive(active.filter((pod) => isPodAvailable(pod, minReadySeconds, nowMs)).length),
    terminatingReplicas: kind.countsTerminating ? terminating.length : undefined,
    observedGeneration: owner.metadata.generation,
    conditions: conditions.length > 0 ? conditions : undefined,
  }
}

/** Zero counts are absent, as upstream writes them. */
function positive(count: number): number | undefined {
  return count > 0 ? count : undefined
}

function failureConditions(
  { spec, status }: Replicated,
  activeCount: number,
  nowMs: number,
  failure: Error | undefined,
): readonly ReplicaCondition[] {
  const conditions = status?.conditions ?? []
  const surplus = activeCount - (spec.replicas ?? 1)
  if (surplus === 0 || !failure) return removeCondition(conditions, REPLICA_FAILURE)
  if (!isTellingFailure(failure) || findCondition(conditions, REPLICA_FAILURE)) return conditions
  return withCondition(conditions, {
    type: REPLICA_FAILURE,
    status: 'True',
    lastTransitionTime: formatTime(nowMs),
    reason: surplus < 0 ? 'FailedCreate' : 'FailedDelete',
    message: failure.message,
  })
}

/** Wakes every owner that could adopt a pod without a controller. */
export function orphanWatch<T extends KubeObject, P extends KubeObject>(
  definition: ResourceDefinition<T>,
  selectorOf: (owner: T) => Selector,
  orphanDefinition: ResourceDefinition<P>,
): Watch {
  return {
    definition: orphanDefinition,
    keysOf(object: KubeObject, cache: Cache): readonly ObjectKey[] {
      if (controllerOf(object)) return []
      const owners = cache.list(definition, object.metadata.namespace)
      return owners.filter((owner) => selectorOf(owner).matches(object.metadata.labels)).map(keyOf)
    },
  }
}
