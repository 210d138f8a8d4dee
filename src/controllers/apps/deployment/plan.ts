/**
 * The next step of a Deployment: claim its ReplicaSets, make the one of the current template, size them all, clean
 * up, report. A plan changes the ReplicaSets first and the status after; every change wakes the Deployment again.
 */

import { deployments } from '../../../apis/apps/deployment.ts'
import { replicaSets } from '../../../apis/apps/replica-set.ts'
import type { Deployment, DeploymentStatus, ReplicaSet } from '../../../apis/apps/types.gen.ts'
import { isPodTerminal } from '../../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import { isAlreadyExists } from '../../../machinery/meta/api-error.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import { controllerOf } from '../../../machinery/meta/owner.ts'
import { type Action, createAction, deleteAction, updateAction, updateStatusAction } from '../../runtime/action.ts'
import { claim } from '../../runtime/claim.ts'
import type { Plan } from '../../runtime/controller.ts'
import { isNamespaceTerminating, isTellingFailure, plannedEvent } from '../../runtime/status.ts'
import {
  expiredReplicaSets,
  findCurrent,
  followed,
  newReplicaSet,
  nextRevision,
  REVISION,
  revisionOf,
} from './revisions.ts'
import {
  allOf,
  desiredSize,
  isScaling,
  nextCurrentSize,
  type Rollout,
  resized,
  rollOn,
  scaled,
  sizeOf,
  totalSize,
  withoutOldPods,
  withSize,
} from './rolling-update.ts'
import {
  countedStatus,
  isComplete,
  progressing,
  progressOf,
  rolloutStatus,
  untilDeadlineMs,
  withPause,
} from './status.ts'

export interface DeploymentView {
  readonly deployment: Deployment
  /** The Deployment's ReplicaSets and the namespace's orphans. */
  readonly candidates: readonly ReplicaSet[]
  /** Whatever has the name that a new ReplicaSet would get. */
  readonly namesake: ReplicaSet | undefined
  /** Pods of the Deployment's ReplicaSets; only looked at where old pods must have ended first. */
  readonly pods: readonly Pod[]
}

export function planDeployment(view: DeploymentView, nowMs: number, failure?: Error): Plan {
  const { deployment, candidates } = view
  const { owned, actions } = claim({
    owner: deployment,
    ownerDefinition: deployments,
    definition: replicaSets,
    selector: selectorFromLabelSelector(deployment.spec.selector),
    candidates,
  })
  if (actions.length > 0) return { actions }
  const current = findCurrent(deployment, owned)
  const found: Rollout = { deployment, current, old: owned.filter((replicaSet) => replicaSet !== current) }
  if (deployment.metadata.deletionTimestamp) return written(found, found, countedStatus(found, nowMs))
  const rollout = synchronized({ ...found, deployment: withPause(deployment, nowMs) }, nowMs)
  if (deployment.spec.paused) return planPaused(found, rollout, nowMs)
  if (isScaling(rollout)) return written(found, scaled(rollout), countedStatus(rollout, nowMs))
  if (deployment.spec.strategy?.type === 'Recreate') return planRecreate(view, found, rollout, nowMs, failure)
  return rollout.current ? planRolling(found, rollout, nowMs) : planNew(view, rollout, nowMs, failure)
}

/** The current ReplicaSet follows its Deployment, the Deployment shows its revision. */
function synchronized(rollout: Rollout, nowMs: number): Rollout {
  const { deployment } = rollout
  if (!rollout.current) return rollout
  const current = followed(deployment, rollout.current, nextRevision(rollout.old))
  const numbered = withRevision(deployment, revisionOf(current))
  const message = `Found new replica set "${current.metadata.name}"`
  const isKnown = progressOf(numbered.status) !== undefined
  const known = isKnown
    ? numbered
    : progressing(numbered, { status: 'True', reason: 'FoundNewReplicaSet', message }, nowMs)
  return { ...rollout, deployment: known, current }
}

function withRevision(deployment: Deployment, revision: number): Deployment {
  const annotations = { ...deployment.metadata.annotations, [REVISION]: String(revision) }
  return { ...deployment, metadata: { ...deployment.metadata, annotations } }
}

/** A paused Deployment changes its size but rolls nothing out. */
function planPaused(found: Rollout, rollout: Rollout, nowMs: number): Plan {
  return written(
    found,
    scaled(rollout),
    countedStatus(rollout, nowMs),
    expiredReplicaSets(rollout.deployment, rollout.old),
  )
}

function planRolling(found: Rollout, rollout: Rollout, nowMs: number): Plan {
  return progressed(found, rollout, rollOn(rollout), nowMs)
}

/** First no old pod, then the new ones. */
function planRecreate(
  view: DeploymentView,
  found: Rollout,
  rollout: Rollout,
  nowMs: number,
  failure: Error | undefined,
): Plan {
  const { deployment, current } = rollout
  const emptied = withoutOldPods(rollout)
  const shrinks = emptied.old.some((replicaSet, index) => replicaSet !== rollout.old[index])
  if (shrinks || oldPodsRun(view, rollout)) return progressed(found, rollout, emptied, nowMs)
  if (!current) return planNew(view, rollout, nowMs, failure)
  const grown = { ...rollout, current: resized(current, desiredSize(deployment), deployment) }
  return progressed(found, rollout, grown, nowMs)
}

function oldPodsRun({ pods }: DeploymentView, { current, old }: Rollout): boolean {
  if (old.some(({ status }) => (status?.replicas ?? 0) > 0)) return true
  return pods.some((pod) => controllerOf(pod)?.uid !== current?.metadata.uid && !isPodTerminal(pod))
}

/** Writes what changed, cleans up after a finished rollout, and reports on progress. */
function progressed(found: Rollout, rollout: Rollout, next: Rollout, nowMs: number): Plan {
  const { deployment, old } = rollout
  const status = rolloutStatus(rollout, nowMs)
  const waits = sizesOf(next) === sizesOf(rollout)
  const expired = waits && isComplete(deployment, deployment.status) ? expiredReplicaSets(deployment, old) : []
  return { ...written(found, next, status, expired), requeueAfterMs: untilDeadlineMs(deployment, status, nowMs) }
}

function sizesOf(rollout: Rollout): string {
  return allOf(rollout)
    .map((replicaSet) => `${replicaSet.metadata.name}=${sizeOf(replicaSet)}`)
    .sort()
    .join()
}

function planNew(view: DeploymentView, rollout: Rollout, nowMs: number, failure: Error | undefined): Plan {
  const { deployment, old } = rollout
  if (isNamespaceTerminating(failure)) return { actions: [] }
  if (isAlreadyExists(failure) && view.namesake) return { actions: [countCollision(deployment)] }
  const revision = nextRevision(old)
  const size = nextCurrentSize(deployment, 0, totalSize(old))
  const created = withSize(newReplicaSet(deployment, revision), size, deployment)
  const { name } = created.metadata
  const failed = withCreationFailure(deployment, name, failure, nowMs)
  if (!deepEqual(failed.status, deployment.status)) return { actions: [updateStatusAction(deployments, failed)] }
  const condition = { status: 'True', reason: 'NewReplicaSetCreated', message: `Created new replica set "${name}"` }
  const announced = progressing(withRevision(deployment, revision), condition, nowMs)
  const status = rolloutStatus({ ...rollout, deployment: announced, current: created }, nowMs)
  return {
    actions: [createReplicaSet(deployment, created, size), ...statusChange(view.deployment, announced, status)],
  }
}

/** Shows why the last attempt failed, before the next one. */
function withCreationFailure(
  deployment: Deployment,
  name: string | undefined,
  failure: Error | undefined,
  nowMs: number,
): Deployment {
  if (!isTellingFailure(failure) || isAlreadyExists(failure)) return deployment
  const message = creationFailure(name, failure)
  return progressing(deployment, { status: 'False', reason: CREATE_ERROR, message }, nowMs)
}

const CREATE_ERROR = 'ReplicaSetCreateError'

function creationFailure(name: string | undefined, { message }: Error): string {
  return `Failed to create new replica set "${name}": ${message}`
}

function createReplicaSet(deployment: Deployment, replicaSet: ReplicaSet, size: number): Action {
  const { name } = replicaSet.metadata
  return createAction(replicaSets, replicaSet, {
    ...(size > 0 ? { success: () => scalingEvent(deployment, name, 0, size) } : {}),
    failure: (error) =>
      isAlreadyExists(error) || isNamespaceTerminating(error)
        ? undefined
        : plannedEvent(deployments, deployment, {
            type: 'Warning',
            reason: CREATE_ERROR,
            message: creationFailure(name, error),
          }),
  })
}

/** The name is taken by another template: the next attempt gets another name. */
function countCollision(deployment: Deployment): Action {
  const collisionCount = (deployment.status?.collisionCount ?? 0) + 1
  return updateStatusAction(deployments, { ...deployment, status: { ...deployment.status, collisionCount } })
}

/** The actions that turn what was found into what should be. */
function written(found: Rollout, next: Rollout, status: DeploymentStatus, expired: readonly ReplicaSet[] = []): Plan {
  const before = new Map(allOf(found).map((replicaSet) => [replicaSet.metadata.uid, replicaSet]))
  const updates = allOf(next).flatMap((replicaSet) => {
    const previous = before.get(replicaSet.metadata.uid)
    return previous ? replicaSetChange(found.deployment, previous, replicaSet) : []
  })
  const deletes = expired.map((replicaSet) => deleteAction(replicaSets, replicaSet))
  return { actions: [...updates, ...deletes, ...statusChange(found.deployment, next.deployment, status)] }
}

function replicaSetChange(deployment: Deployment, before: ReplicaSet, after: ReplicaSet): readonly Action[] {
  if (deepEqual(before, after)) return []
  const [from, to] = [sizeOf(before), sizeOf(after)]
  const report = from === to ? {} : { success: () => scalingEvent(deployment, after.metadata.name, from, to) }
  return [updateAction(replicaSets, after, report)]
}

function scalingEvent(deployment: Deployment, name: string | undefined, from: number, to: number) {
  const direction = from < to ? 'up' : 'down'
  const message = `Scaled ${direction} replica set ${name} from ${from} to ${to}`
  return plannedEvent(deployments, deployment, { type: 'Normal', reason: 'ScalingReplicaSet', message })
}

function statusChange(before: Deployment, after: Deployment, status: DeploymentStatus): readonly Action[] {
  const next = { ...after, status }
  return deepEqual(before, next) ? [] : [updateStatusAction(deployments, next, { afterSuccess: true })]
}
