/**
 * The arithmetic of a Deployment's ReplicaSets: how far a rolling update may go at once, and how a change of size in
 * the middle of one is shared out. All pure; sizes go in and ReplicaSets with new sizes come out.
 */

import type { Deployment, ReplicaSet } from '../../../apis/apps/types.gen.ts'
import { scaledValue } from '../../../machinery/meta/int-or-string.ts'
import { annotatedReplicas, byAge, withReplicaAnnotations } from './revisions.ts'

/** A Deployment's ReplicaSets at one moment. Planning makes new ones of it; what differs in the end is written. */
export interface Rollout {
  readonly deployment: Deployment
  /** The ReplicaSet of the current template. */
  readonly current: ReplicaSet | undefined
  readonly old: readonly ReplicaSet[]
}

export function allOf({ current, old }: Rollout): readonly ReplicaSet[] {
  return current ? [...old, current] : old
}

export function sizeOf({ spec }: ReplicaSet): number {
  return spec.replicas ?? 0
}

export function desiredSize({ spec }: Deployment): number {
  return spec.replicas ?? 1
}

export function totalSize(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((sum, replicaSet) => sum + sizeOf(replicaSet), 0)
}

export function totalAvailable(replicaSets: readonly ReplicaSet[]): number {
  return replicaSets.reduce((sum, replicaSet) => sum + availableIn(replicaSet), 0)
}

function availableIn({ status }: ReplicaSet): number {
  return status?.availableReplicas ?? 0
}

/** Pods above the desired number that may exist during an update. */
export function maxSurge(deployment: Deployment): number {
  return limits(deployment).surge
}

/** Pods below the desired number that may be missing during an update. */
export function maxUnavailable(deployment: Deployment): number {
  const desired = desiredSize(deployment)
  return desired === 0 ? 0 : Math.min(limits(deployment).unavailable, desired)
}

/** Surge rounds up, unavailability down; when both come out as nothing, one pod may be missing, or nothing moved. */
function limits({ spec }: Deployment): { readonly surge: number; readonly unavailable: number } {
  if (spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 }
  const { maxSurge: surgeShare = 0, maxUnavailable: unavailableShare = 0 } = spec.strategy?.rollingUpdate ?? {}
  const total = spec.replicas ?? 1
  const surge = scaledValue(surgeShare, total, 'up') ?? 0
  const unavailable = scaledValue(unavailableShare, total, 'down') ?? 0
  return surge === 0 && unavailable === 0 ? { surge, unavailable: 1 } : { surge, unavailable }
}

/** How large the current ReplicaSet may be when it has `size` pods of a total of `total`. */
export function nextCurrentSize(deployment: Deployment, size: number, total: number): number {
  const desired = desiredSize(deployment)
  if (size >= desired || deployment.spec.strategy?.type === 'Recreate') return desired
  const room = Math.max(0, desired + maxSurge(deployment) - total)
  return size + Math.min(room, desired - size)
}

/** Grows the new first; when that is as large as it may be, shrinks the old. The same rollout when it has to wait. */
export function rollOn(rollout: Rollout): Rollout {
  const { deployment, current } = rollout
  if (!current) return rollout
  const size = nextCurrentSize(deployment, sizeOf(current), totalSize(allOf(rollout)))
  if (size !== sizeOf(current)) return { ...rollout, current: resized(current, size, deployment) }
  return shrinkOld(rollout, current)
}

function shrinkOld(rollout: Rollout, current: ReplicaSet): Rollout {
  const { deployment, old } = rollout
  if (totalSize(old) === 0) return rollout
  const minAvailable = desiredSize(deployment) - maxUnavailable(deployment)
  const unavailableNew = sizeOf(current) - availableIn(current)
  const removable = totalSize(allOf(rollout)) - minAvailable - unavailableNew
  if (removable <= 0) return rollout
  const healthy = shrink(deployment, [...old].sort(byAge), removable, (replicaSet) =>
    Math.max(0, sizeOf(replicaSet) - availableIn(replicaSet)),
  )
  const spare = totalAvailable([...healthy, current]) - minAvailable
  return { ...rollout, old: shrink(deployment, healthy, spare, sizeOf) }
}

/** Takes up to `count` pods, from each at most what `spareOf` says, oldest first. */
function shrink(
  deployment: Deployment,
  replicaSets: readonly ReplicaSet[],
  count: number,
  spareOf: (replicaSet: ReplicaSet) => number,
): readonly ReplicaSet[] {
  let left = Math.max(0, count)
  return replicaSets.map((replicaSet) => {
    const taken = Math.min(left, spareOf(replicaSet), sizeOf(replicaSet))
    left -= taken
    return resized(replicaSet, sizeOf(replicaSet) - taken, deployment)
  })
}

/** Every old ReplicaSet at nothing. */
export function withoutOldPods(rollout: Rollout): Rollout {
  return { ...rollout, old: rollout.old.map((replicaSet) => resized(replicaSet, 0, rollout.deployment)) }
}

/** Whether somebody changed the number of replicas since its ReplicaSets were last sized. */
export function isScaling(rollout: Rollout): boolean {
  const desired = desiredSize(rollout.deployment)
  return active(allOf(rollout)).some((replicaSet) => {
    const annotated = annotatedReplicas(replicaSet).desired
    return annotated !== undefined && annotated !== desired
  })
}

/** Brings the ReplicaSets to the desired number without rolling on: all to one, or to each its share. */
export function scaled(rollout: Rollout): Rollout {
  const { deployment, current } = rollout
  const running = active(allOf(rollout))
  const only = running.length > 1 ? undefined : (running[0] ?? current ?? [...rollout.old].sort(byAge).at(-1))
  if (only) return replaced(rollout, [withSize(only, desiredSize(deployment), deployment)])
  const isRecreated = deployment.spec.strategy?.type === 'Recreate'
  if (isRecreated || (current && isSaturated(deployment, current))) return withoutOldPods(rollout)
  return replaced(rollout, shares(deployment, running))
}

function active(replicaSets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  return replicaSets.filter((replicaSet) => sizeOf(replicaSet) > 0)
}

function isSaturated(deployment: Deployment, current: ReplicaSet): boolean {
  const desired = desiredSize(deployment)
  return (
    sizeOf(current) === desired && annotatedReplicas(current).desired === desired && availableIn(current) === desired
  )
}

/** The larger a ReplicaSet the more it gains or loses; what rounding leaves over is the largest one's. */
function shares(deployment: Deployment, running: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const desired = desiredSize(deployment)
  const allowed = desired > 0 ? desired + maxSurge(deployment) : 0
  const difference = allowed - totalSize(running)
  const largestFirst = [...running].sort(
    (left, right) => sizeOf(right) - sizeOf(left) || (difference > 0 ? byAge(right, left) : byAge(left, right)),
  )
  let left = difference
  const changes = largestFirst.map((replicaSet) => {
    const share = shareOf(deployment, replicaSet)
    const change = difference > 0 ? Math.min(share, left) : difference < 0 ? Math.max(share, left) : 0
    left -= change
    return change
  })
  return largestFirst.map((replicaSet, index) => {
    const change = (changes[index] ?? 0) + (index === 0 ? left : 0)
    return withSize(replicaSet, Math.max(0, sizeOf(replicaSet) + change), deployment)
  })
}

function shareOf(deployment: Deployment, replicaSet: ReplicaSet): number {
  const size = sizeOf(replicaSet)
  const desired = desiredSize(deployment)
  if (desired === 0) return -size
  const totalBefore = annotatedReplicas(replicaSet).max || (deployment.status?.replicas ?? 0)
  if (totalBefore === 0) return 0
  return Math.round((size * (desired + maxSurge(deployment))) / totalBefore) - size
}

/** The ReplicaSet with this size; the same when it has it. */
export function resized(replicaSet: ReplicaSet, size: number, deployment: Deployment): ReplicaSet {
  return sizeOf(replicaSet) === size ? replicaSet : withSize(replicaSet, size, deployment)
}

/** The ReplicaSet with this size and a note of the whole Deployment's. */
export function withSize(replicaSet: ReplicaSet, size: number, deployment: Deployment): ReplicaSet {
  const desired = desiredSize(deployment)
  const annotated = withReplicaAnnotations(replicaSet, desired, desired + maxSurge(deployment))
  return { ...annotated, spec: { ...annotated.spec, replicas: size } }
}

function replaced(rollout: Rollout, changed: readonly ReplicaSet[]): Rollout {
  const byName = new Map(changed.map((replicaSet) => [replicaSet.metadata.name, replicaSet]))
  const next = (replicaSet: ReplicaSet) => byName.get(replicaSet.metadata.name) ?? replicaSet
  return { ...rollout, current: rollout.current && next(rollout.current), old: rollout.old.map(next) }
}
