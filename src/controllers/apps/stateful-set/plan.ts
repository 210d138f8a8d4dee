/** The next step of a StatefulSet: claim pods and revisions, find the revision it wants, then its pods, then report. */

import { controllerRevisions } from '../../../apis/apps/controller-revision.ts'
import { statefulSets } from '../../../apis/apps/stateful-set.ts'
import type { ControllerRevision, StatefulSet } from '../../../apis/apps/types.gen.ts'
import { pods as podDefinition } from '../../../apis/core/pod/definition.ts'
import type { Pod } from '../../../apis/core/types.gen.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import { updateStatusAction } from '../../runtime/action.ts'
import { claim } from '../../runtime/claim.ts'
import type { Plan } from '../../runtime/controller.ts'
import { isNamespaceTerminating, statusActions } from '../../runtime/status.ts'
import { nextAvailabilityMs } from '../availability.ts'
import { planHistory, templateOf, truncateHistory } from '../controller-history.ts'
import type { Claims } from './claims.ts'
import { ordinalOf, revisionOf } from './identity.ts'
import { setStatus } from './status.ts'
import { type PodPlan, planPods } from './update.ts'

export interface StatefulSetView {
  readonly set: StatefulSet
  /** The set's pods and revisions, and the namespace's orphans. */
  readonly pods: readonly Pod[]
  readonly revisions: readonly ControllerRevision[]
  /** Whatever has the name that a new revision would get. */
  readonly namesake: ControllerRevision | undefined
  /** The namespace's claims that could be the set's. */
  readonly claims: Claims
}

/** On a revision: its hash. */
const HASH_LABEL = 'controller.kubernetes.io/hash'
const NO_PODS: PodPlan = { actions: [], updating: 0 }

export function planStatefulSet(view: StatefulSetView, nowMs: number, failure?: Error): Plan {
  const { set, namesake } = view
  const common = {
    owner: set,
    ownerDefinition: statefulSets,
    selector: selectorFromLabelSelector(set.spec.selector),
  }
  const revisions = claim({ ...common, definition: controllerRevisions, candidates: view.revisions })
  const pods = claim({
    ...common,
    definition: podDefinition,
    candidates: view.pods,
    accepts: (pod) => ordinalOf(set, pod) !== undefined,
  })
  const claims = [...revisions.actions, ...pods.actions]
  if (claims.length > 0) return { actions: claims }
  if (isNamespaceTerminating(failure)) return { actions: [] }
  const request = { owner: set, definition: statefulSets, hashLabel: HASH_LABEL, revisions: revisions.owned, namesake }
  const history = planHistory(request)
  if (history.state === 'collision') return { actions: [countCollision(set)] }
  if (history.state === 'outdated') return { actions: set.metadata.deletionTimestamp ? [] : [history.action] }
  const { update } = history
  const current = revisions.owned.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? update
  return planRevision(view, { update, current, all: revisions.owned }, pods.owned, nowMs)
}

interface KnownRevisions {
  readonly current: ControllerRevision
  readonly update: ControllerRevision
  readonly all: readonly ControllerRevision[]
}

function planRevision(
  { set, claims }: StatefulSetView,
  { current, update, all }: KnownRevisions,
  pods: readonly Pod[],
  nowMs: number,
): Plan {
  const revisions = { current: current.metadata.name ?? '', update: update.metadata.name ?? '' }
  const templates = { currentTemplate: templateOf(current), updateTemplate: templateOf(update) }
  const podPlan = set.metadata.deletionTimestamp
    ? NO_PODS
    : planPods({ set, pods, claims, revisions, ...templates, nowMs })
  const status = setStatus(set, pods, revisions, podPlan.updating, nowMs)
  const live = new Set([revisions.current, revisions.update, ...pods.map(revisionOf)])
  return {
    actions: [...podPlan.actions, ...statusActions(statefulSets, set, status), ...truncateHistory(set, all, live)],
    requeueAfterMs: nextAvailabilityMs(pods, set.spec.minReadySeconds, nowMs),
  }
}

function countCollision(set: StatefulSet) {
  const collisionCount = (set.status?.collisionCount ?? 0) + 1
  return updateStatusAction(statefulSets, { ...set, status: { replicas: 0, ...set.status, collisionCount } })
}
