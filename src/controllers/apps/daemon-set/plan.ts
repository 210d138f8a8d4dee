/** The next step of a DaemonSet: claim its pods and revisions, put every node right, roll on, report. */

import { controllerRevisions } from '../../../apis/apps/controller-revision.ts'
import { daemonSets } from '../../../apis/apps/daemon-set.ts'
import type { ControllerRevision, DaemonSet } from '../../../apis/apps/types.gen.ts'
import { pods as podDefinition } from '../../../apis/core/pod/definition.ts'
import { isPodAvailable, isPodReady, isPodTerminal, isPodTerminating } from '../../../apis/core/pod/pod-status.ts'
import type { Node, Pod } from '../../../apis/core/types.gen.ts'
import { byCodeUnit, groupBy } from '../../../base/group-by.ts'
import { selectorFromLabelSelector } from '../../../machinery/meta/labels.ts'
import { type Action, updateStatusAction } from '../../runtime/action.ts'
import { claim } from '../../runtime/claim.ts'
import type { Plan } from '../../runtime/controller.ts'
import { isNamespaceTerminating, plannedEvent, statusActions } from '../../runtime/status.ts'
import { nextAvailabilityMs } from '../availability.ts'
import { planHistory, REVISION_LABEL, truncateHistory } from '../controller-history.ts'
import { createPodAction, deletePodAction } from '../pod-template.ts'
import { fitOf, isUpdated, newDaemonPod, targetNode } from './nodes.ts'
import { bySeniority, daemonStatus } from './status.ts'
import { allowsSurge, type DaemonNode, type NodeChanges, rollingUpdate, type UpdateContext } from './update.ts'

export interface DaemonSetView {
  readonly daemonSet: DaemonSet
  /** The DaemonSet's pods and revisions, and the namespace's orphans. */
  readonly pods: readonly Pod[]
  readonly revisions: readonly ControllerRevision[]
  /** Whatever has the name that a new revision would get. */
  readonly namesake: ControllerRevision | undefined
  readonly nodes: readonly Node[]
  /** When failed pods may be replaced, by uid. */
  readonly replaceAtMs: ReadonlyMap<string, number>
}

/** Pods that are created, and as many that are deleted, before the world is looked at again. */
const BURST_REPLICAS = 250

export function planDaemonSet(view: DaemonSetView, nowMs: number, failure?: Error): Plan {
  const { daemonSet, namesake } = view
  if (daemonSet.metadata.deletionTimestamp) return { actions: [] }
  const common = {
    owner: daemonSet,
    ownerDefinition: daemonSets,
    selector: selectorFromLabelSelector(daemonSet.spec.selector),
  }
  const revisions = claim({ ...common, definition: controllerRevisions, candidates: view.revisions })
  const pods = claim({ ...common, definition: podDefinition, candidates: view.pods })
  const claims = [...revisions.actions, ...pods.actions]
  if (claims.length > 0) return { actions: claims }
  if (isNamespaceTerminating(failure)) return { actions: [] }
  const history = planHistory({
    owner: daemonSet,
    definition: daemonSets,
    hashLabel: REVISION_LABEL,
    revisions: revisions.owned,
    namesake,
  })
  if (history.state === 'collision') return { actions: [countCollision(daemonSet)] }
  if (history.state === 'outdated') return { actions: [history.action] }
  const hash = history.update.metadata.labels?.[REVISION_LABEL] ?? ''
  const context = { daemonSet, hash, nowMs }
  return planNodes(view, context, pods.owned, truncated(daemonSet, history.update, revisions.owned, pods.owned))
}

function planNodes(
  { nodes, replaceAtMs }: DaemonSetView,
  context: UpdateContext,
  pods: readonly Pod[],
  deletedRevisions: readonly Action[],
): Plan {
  const { daemonSet, nowMs } = context
  const daemonNodes = nodesWithPods(nodes, pods)
  const steps = daemonNodes.map((node) => nodeStep(context, node, replaceAtMs))
  const managed = merged(steps)
  const isSettled = managed.creates.length + managed.deletes.length === 0
  const isRolling = isSettled && daemonSet.spec.updateStrategy?.type !== 'OnDelete'
  const concerned = daemonNodes.filter(
    ({ node, pods: present }) => present.length > 0 || (node && fitOf(daemonSet, node).runs),
  )
  const changes = isRolling ? rollingUpdate(context, concerned) : managed
  const waits = [nextAvailabilityMs(pods, daemonSet.spec.minReadySeconds, nowMs), ...steps.map(({ waitMs }) => waitMs)]
  return {
    actions: [
      ...steps.flatMap(({ events }) => events),
      ...podActions(context, changes),
      ...statusActions(daemonSets, daemonSet, daemonStatus(context, daemonNodes)),
      ...deletedRevisions,
    ],
    requeueAfterMs: earliest(waits),
  }
}

/** Nodes by name, also those that are gone and have pods left. Pods that have ended and are leaving do not count. */
function nodesWithPods(nodes: readonly Node[], pods: readonly Pod[]): readonly DaemonNode[] {
  const byNode = groupBy(
    pods.filter((pod) => !(isPodTerminal(pod) && isPodTerminating(pod))),
    targetNode,
  )
  const known = new Map(nodes.map((node) => [node.metadata.name ?? '', node]))
  const names = new Set([...known.keys(), ...[...byNode.keys()].filter((name) => name !== undefined)])
  return [...names].sort(byCodeUnit).map((name) => ({ name, node: known.get(name), pods: byNode.get(name) ?? [] }))
}

interface NodeStep extends NodeChanges {
  readonly events: readonly Action[]
  /** How long a failed pod must stay. */
  readonly waitMs?: number | undefined
}

const NOTHING: NodeStep = { creates: [], deletes: [], events: [] }

function nodeStep(
  context: UpdateContext,
  { name, node, pods }: DaemonNode,
  replaceAtMs: DaemonSetView['replaceAtMs'],
): NodeStep {
  const living = pods.filter((pod) => !isPodTerminating(pod))
  // Bound pods of a node that is gone are the pod garbage collector's.
  if (!node) return { ...NOTHING, deletes: living.filter(({ spec }) => !spec?.nodeName) }
  const { runs, stays } = fitOf(context.daemonSet, node)
  if (runs && pods.length === 0) return { ...NOTHING, creates: [name] }
  if (!stays) return { ...NOTHING, deletes: living }
  const running = living.filter((pod) => !isPodTerminal(pod))
  const ended = endedStep(context, living.filter(isPodTerminal), name, replaceAtMs)
  const surges = allowsSurge(context.daemonSet)
  const excess = surges ? excessWhileSurging(context, running) : [...running].sort(bySeniority).slice(1)
  const creates = surges && runs && running.length === 0 ? [name] : []
  return { ...ended, creates, deletes: [...ended.deletes, ...excess] }
}

/** Pods that have ended are deleted; their successor comes when they are gone. */
function endedStep(
  { daemonSet, nowMs }: UpdateContext,
  ended: readonly Pod[],
  node: string,
  replaceAtMs: DaemonSetView['replaceAtMs'],
): NodeStep {
  const waitOf = ({ metadata }: Pod) => Math.max(0, (replaceAtMs.get(metadata.uid ?? '') ?? nowMs) - nowMs)
  const deletes = ended.filter((pod) => waitOf(pod) === 0)
  const events = deletes.map((pod): Action => {
    const { namespace, name } = pod.metadata
    const event =
      pod.status?.phase === 'Failed'
        ? {
            type: 'Warning' as const,
            reason: 'FailedDaemonPod',
            message: `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`,
          }
        : {
            type: 'Normal' as const,
            reason: 'SucceededDaemonPod',
            message: `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`,
          }
    return { do: 'event', event: plannedEvent(daemonSets, daemonSet, event) }
  })
  const waits = ended.map(waitOf).filter((wait) => wait > 0)
  return { creates: [], deletes, events, waitMs: earliest(waits) }
}

/** One pod of each template may be there while the old one is ready and the new one is not available. */
function excessWhileSurging({ daemonSet, hash, nowMs }: UpdateContext, running: readonly Pod[]): readonly Pod[] {
  const sorted = [...running].sort(bySeniority)
  const updated = sorted.filter((pod) => isUpdated(daemonSet, hash, pod))
  const outdated = sorted.filter((pod) => !isUpdated(daemonSet, hash, pod))
  const surplus = [...updated.slice(1), ...outdated.slice(1)]
  const [next, last] = [updated[0], outdated[0]]
  if (!next || !last) return surplus
  const isReplaced = !isPodReady(last) || isPodAvailable(next, daemonSet.spec.minReadySeconds ?? 0, nowMs)
  return isReplaced ? [...surplus, last] : surplus
}

function merged(steps: readonly NodeStep[]): NodeChanges {
  return {
    creates: steps.flatMap(({ creates }) => creates),
    deletes: steps.flatMap(({ deletes }) => deletes),
  }
}

function podActions({ daemonSet, hash }: UpdateContext, { creates, deletes }: NodeChanges): readonly Action[] {
  return [
    ...creates
      .slice(0, BURST_REPLICAS)
      .map((node) => createPodAction(daemonSets, daemonSet, newDaemonPod(daemonSet, hash, node))),
    ...deletes.slice(0, BURST_REPLICAS).map((pod) => deletePodAction(daemonSets, daemonSet, pod)),
  ]
}

/** A revision is in use while a pod is of it. */
function truncated(
  daemonSet: DaemonSet,
  update: ControllerRevision,
  revisions: readonly ControllerRevision[],
  pods: readonly Pod[],
): readonly Action[] {
  const hashes = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_LABEL]))
  const inUse = revisions.filter(({ metadata }) => hashes.has(metadata.labels?.[REVISION_LABEL]))
  return truncateHistory(daemonSet, revisions, new Set([update, ...inUse].map(({ metadata }) => metadata.name)))
}

function earliest(waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((wait) => wait !== undefined)
  return known.length > 0 ? Math.min(...known) : undefined
}

function countCollision(daemonSet: DaemonSet): Action {
  const status = daemonSet.status ?? {
    currentNumberScheduled: 0,
    desiredNumberScheduled: 0,
    numberMisscheduled: 0,
    numberReady: 0,
  }
  return updateStatusAction(daemonSets, {
    ...daemonSet,
    status: { ...status, collisionCount: (status.collisionCount ?? 0) + 1 },
  })
}
