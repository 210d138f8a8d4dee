/** What a Deployment reports: counts summed over its ReplicaSets, availability, and how its rollout gets on. */

import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../../../apis/apps/types.gen.ts'
import { findCondition, removeCondition } from '../../../machinery/meta/conditions.ts'
import { formatTime, parseTime } from '../../../machinery/meta/time.ts'
import { withCondition } from '../../runtime/status.ts'
import { allOf, desiredSize, maxUnavailable, type Rollout, totalAvailable, totalSize } from './rolling-update.ts'

const PROGRESSING = 'Progressing'
const REPLICA_FAILURE = 'ReplicaFailure'
const TIMED_OUT = 'ProgressDeadlineExceeded'
const NEW_AVAILABLE = 'NewReplicaSetAvailable'
const PAUSED = 'DeploymentPaused'

/** No deadline. */
const UNLIMITED_SECONDS = 2 ** 31 - 1
/** Times are whole seconds: one more, so that the deadline has passed when it is looked at. */
const DEADLINE_SLACK_MS = 1_000

function deploymentCondition(
  condition: Pick<DeploymentCondition, 'type' | 'status' | 'reason' | 'message'>,
  nowMs: number,
): DeploymentCondition {
  return { ...condition, lastUpdateTime: formatTime(nowMs), lastTransitionTime: formatTime(nowMs) }
}

export function progressing(
  deployment: Deployment,
  next: Pick<DeploymentCondition, 'status' | 'reason' | 'message'>,
  nowMs: number,
): Deployment {
  if (!hasDeadline(deployment)) return deployment
  const condition = deploymentCondition({ type: PROGRESSING, ...next }, nowMs)
  const conditions = withCondition(deployment.status?.conditions, condition)
  return { ...deployment, status: { ...deployment.status, conditions } }
}

function hasDeadline({ spec }: Deployment): boolean {
  return spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== UNLIMITED_SECONDS
}

/** A pause stops the deadline, resuming starts it anew; a deadline that was missed stays missed. */
export function withPause(deployment: Deployment, nowMs: number): Deployment {
  const reason = progressOf(deployment.status)?.reason
  if (reason === TIMED_OUT) return deployment
  const { paused = false } = deployment.spec
  if (paused === (reason === PAUSED)) return deployment
  const next = paused
    ? { status: 'Unknown', reason: PAUSED, message: 'Deployment is paused' }
    : { status: 'Unknown', reason: 'DeploymentResumed', message: 'Deployment is resumed' }
  return progressing(deployment, next, nowMs)
}

export function progressOf(status: DeploymentStatus | undefined): DeploymentCondition | undefined {
  return findCondition(status?.conditions, PROGRESSING)
}

/** All pods are of the current template, and all are available. */
export function isComplete({ metadata, spec }: Deployment, status: DeploymentStatus | undefined): boolean {
  const desired = spec.replicas ?? 1
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0, observedGeneration = 0 } = status ?? {}
  const isObserved = observedGeneration >= (metadata.generation ?? 0)
  return updatedReplicas === desired && replicas === desired && availableReplicas === desired && isObserved
}

/** Counts and availability; no judgement on progress. */
export function countedStatus(rollout: Rollout, nowMs: number): DeploymentStatus {
  const { deployment, current } = rollout
  const all = allOf(rollout)
  const available = totalAvailable(all)
  const hasMinimum = available >= desiredSize(deployment) - maxUnavailable(deployment)
  const condition = hasMinimum
    ? { status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : {
        status: 'False',
        reason: 'MinimumReplicasUnavailable',
        message: 'Deployment does not have minimum availability.',
      }
  return {
    observedGeneration: deployment.metadata.generation,
    replicas: positive(sum(all, ({ status }) => status?.replicas)),
    updatedReplicas: positive(current?.status?.replicas ?? 0),
    readyReplicas: positive(sum(all, ({ status }) => status?.readyReplicas)),
    availableReplicas: positive(available),
    unavailableReplicas: positive(totalSize(all) - available),
    terminatingReplicas: terminatingIn(all),
    collisionCount: deployment.status?.collisionCount,
    conditions: withCondition(
      deployment.status?.conditions,
      deploymentCondition({ type: 'Available', ...condition }, nowMs),
    ),
  }
}

function sum(replicaSets: readonly ReplicaSet[], count: (replicaSet: ReplicaSet) => number | undefined): number {
  return replicaSets.reduce((total, replicaSet) => total + (count(replicaSet) ?? 0), 0)
}

/** Zero counts are absent, as upstream writes them. */
function positive(count: number): number | undefined {
  return count > 0 ? count : undefined
}

/** Unknown while one of them has not counted. */
function terminatingIn(replicaSets: readonly ReplicaSet[]): number | undefined {
  const observed = replicaSets.filter(
    ({ status }) => status?.observedGeneration || status?.terminatingReplicas !== undefined,
  )
  if (observed.some(({ status }) => status?.terminatingReplicas === undefined)) return undefined
  return sum(observed, ({ status }) => status?.terminatingReplicas)
}

/** Counts, availability, progress and what keeps pods from being made. */
export function rolloutStatus(rollout: Rollout, nowMs: number): DeploymentStatus {
  const { deployment } = rollout
  const status = countedStatus(rollout, nowMs)
  const conditions = hasDeadline(deployment)
    ? progressConditions(rollout, status, nowMs)
    : removeCondition(status.conditions, PROGRESSING)
  const failure = replicaFailure(rollout)
  return {
    ...status,
    conditions: failure ? withCondition(conditions, failure) : removeCondition(conditions, REPLICA_FAILURE),
  }
}

function progressConditions(
  { deployment, current }: Rollout,
  status: DeploymentStatus,
  nowMs: number,
): readonly DeploymentCondition[] {
  const { conditions = [] } = status
  const previous = progressOf(deployment.status)
  const wasComplete = status.replicas === status.updatedReplicas && previous?.reason === NEW_AVAILABLE
  if (wasComplete) return conditions
  const subject = current ? `ReplicaSet "${current.metadata.name}"` : `Deployment "${deployment.metadata.name}"`
  const condition = (conditionStatus: string, reason: string, message: string) =>
    deploymentCondition({ type: PROGRESSING, status: conditionStatus, reason, message }, nowMs)
  if (isComplete(deployment, status))
    return withCondition(conditions, condition('True', NEW_AVAILABLE, `${subject} has successfully progressed.`))
  if (hasProgressed(deployment.status ?? {}, status)) {
    const next = condition('True', 'ReplicaSetUpdated', `${subject} is progressing.`)
    const lastTransitionTime = previous?.status === 'True' ? previous.lastTransitionTime : next.lastTransitionTime
    // Each step forward restarts the deadline, so the condition is news even when it only repeats itself.
    return [...removeCondition(conditions, PROGRESSING), { ...next, lastTransitionTime }]
  }
  return hasTimedOut(deployment, previous, nowMs)
    ? withCondition(conditions, condition('False', TIMED_OUT, `${subject} has timed out progressing.`))
    : conditions
}

function hasProgressed(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const oldPods = ({ replicas = 0, updatedReplicas = 0 }: DeploymentStatus) => replicas - updatedReplicas
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldPods(after) < oldPods(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  )
}

function hasTimedOut(deployment: Deployment, previous: DeploymentCondition | undefined, nowMs: number): boolean {
  if (!previous || previous.reason === NEW_AVAILABLE) return false
  return previous.reason === TIMED_OUT || deadlineMs(deployment, previous, nowMs) < nowMs
}

function deadlineMs({ spec }: Deployment, { lastUpdateTime }: DeploymentCondition, nowMs: number): number {
  return (parseTime(lastUpdateTime) ?? nowMs) + (spec.progressDeadlineSeconds ?? 0) * 1_000
}

/** How long a rollout that does not move may stay as it is. */
export function untilDeadlineMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const condition = progressOf(status)
  if (!hasDeadline(deployment) || !condition) return undefined
  if (condition.reason === TIMED_OUT || isComplete(deployment, status)) return undefined
  return Math.max(0, deadlineMs(deployment, condition, nowMs) - nowMs) + DEADLINE_SLACK_MS
}

/** What keeps a ReplicaSet from making pods; the current one's trouble comes first. */
function replicaFailure(rollout: Rollout): DeploymentCondition | undefined {
  const all = rollout.current ? [rollout.current, ...rollout.old] : rollout.old
  const failures = all.flatMap(({ status }) => findCondition(status?.conditions, REPLICA_FAILURE) ?? [])
  const [failure] = failures
  return failure && { ...failure, lastUpdateTime: failure.lastTransitionTime }
}
