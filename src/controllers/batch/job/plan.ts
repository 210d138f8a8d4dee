/**
 * What one look at a job leads to: pods are claimed, judged, counted, made or removed, and the status says so. A job
 * that is finished keeps no hold on its pods.
 */

import { countIndexes } from '../../../apis/batch/index-intervals.ts'
import { jobs } from '../../../apis/batch/job.ts'
import { isIndexed } from '../../../apis/batch/job-rules.ts'
import type { Job } from '../../../apis/batch/types.gen.ts'
import { pods as podDefinition } from '../../../apis/core/pod/definition.ts'
import { isPodActive, isPodTerminal } from '../../../apis/core/pod/pod-status.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import { isConditionTrue } from '../../../machinery/meta/conditions.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import { deletePodAction } from '../../apps/pod-template.ts'
import { type Action, updateStatusAction } from '../../runtime/action.ts'
import { claim } from '../../runtime/claim.ts'
import type { Plan } from '../../runtime/controller.ts'
import type { Failures } from './backoff.ts'
import { awaitedPods, indexState } from './indexed.ts'
import { isTracked, JOB_TRACKING_FINALIZER } from './job-pods.ts'
import { type Management, manage, removalActions, untrackAction, type Workforce } from './management.ts'
import { nextStatus } from './status.ts'
import { failedCount, succeededCount, track } from './tracking.ts'
import { completionsReached, deadlineMs, type Verdict, verdictOf } from './verdict.ts'

export interface JobView {
  readonly job: Job
  /** The job's pods and the orphans of its namespace. */
  readonly candidates: readonly Pod[]
  readonly failures: Failures
}

export function isFinished({ status }: Job): boolean {
  return isConditionTrue(status?.conditions, 'Complete') || isConditionTrue(status?.conditions, 'Failed')
}

/** After a failure the status says what there is, not what would be there. */
export function planJob({ job, candidates, failures }: JobView, nowMs: number, failure?: Error): Plan {
  const { owned, actions } = claim({
    owner: job,
    ownerDefinition: jobs,
    definition: podDefinition,
    selector: selectorFromLabelSelector(job.spec.selector),
    candidates,
    finalizer: JOB_TRACKING_FINALIZER,
  })
  if (isFinished(job)) return { actions: owned.filter(isTracked).map(untrackAction) }
  if (actions.length > 0) return { actions }
  return planOwned({ job, pods: owned, failures }, nowMs, failure === undefined)
}

interface OwnedView {
  readonly job: Job
  readonly pods: readonly Pod[]
  readonly failures: Failures
}

const NOTHING: Management = { surplus: [], creations: [] }

function planOwned({ job, pods, failures }: OwnedView, nowMs: number, isHopeful: boolean): Plan {
  const active = pods.filter(isPodActive)
  const terminating = pods.filter((pod) => pod.metadata.deletionTimestamp && !isPodTerminal(pod))
  const indexes = isIndexed(job.spec) ? indexState(job, pods) : undefined
  const awaited = indexes ? awaitedPods(job, pods, active, indexes) : new Map<number, Pod>()
  const succeeded = indexes ? countIndexes(indexes.succeeded) : succeededCount(job, pods)
  const early = verdictOf({ job, pods, failed: failedCount(job, pods), indexes }, nowMs)
  const isManaged = !early && !job.metadata.deletionTimestamp
  const workforce: Workforce = { job, active, terminating, succeeded, failures, indexes, awaited }
  const management = isManaged ? manage(workforce, nowMs) : NOTHING
  const leaving = early ? active : management.surplus
  const staying = active.filter((pod) => !leaving.includes(pod))
  const created = isHopeful ? management.creations.length : 0
  const verdict = early ?? completion(job, succeeded, staying.length + management.creations.length)
  const tracking = track({ job, pods, verdict, counted: indexes?.counted ?? [], awaited })
  const { status, events } = nextStatus(
    { job, staying, terminating: terminating.length + leaving.length, created, tracking, indexes, verdict, isManaged },
    nowMs,
  )
  const update = deepEqual(job.status ?? {}, status)
    ? []
    : [updateStatusAction(jobs, { ...job, status }, { afterSuccess: isHopeful, events })]
  const changes = early ? active.map((pod) => deletePodAction(jobs, job, pod)) : removalActions(job, leaving)
  return {
    actions: inOrder([...changes, ...management.creations], update, isHopeful, tracking.known),
    requeueAfterMs: earliest(management.lookAgainMs, early ? undefined : untilDeadline(job, nowMs)),
  }
}

/** What is known already is let go first of all: it depends on nothing that is decided now. */
function inOrder(
  changes: readonly Action[],
  update: readonly Action[],
  isHopeful: boolean,
  known: readonly Pod[],
): readonly Action[] {
  const releases = known.map(untrackAction)
  return isHopeful ? [...releases, ...changes, ...update] : [...update, ...releases, ...changes]
}

/** All that was wanted has succeeded and nothing runs any more; without a number, one success is enough. */
function completion({ spec }: Job, succeeded: number, running: number): Verdict | undefined {
  const isEnough = spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions
  return isEnough && running === 0 ? completionsReached : undefined
}

function untilDeadline(job: Job, nowMs: number): number | undefined {
  const deadline = deadlineMs(job)
  return deadline === undefined ? undefined : deadline - nowMs
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
