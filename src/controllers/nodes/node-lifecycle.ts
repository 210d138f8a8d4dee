/**
 * node-lifecycle-controller: a node whose heartbeat stops turns Unknown, its conditions become taints, and its pods are
 * no longer ready. Evicting them is the taint-eviction-controller's.
 */

import { leases, NODE_LEASE_NAMESPACE } from '../../apis/coordination/lease.ts'
import { nodes, zoneOf } from '../../apis/core/node.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { Node, Pod } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { LruMap } from '../../base/lru.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { type Action, type PlannedEvent, updateAction, updateStatusAction } from '../runtime/action.ts'
import { type Cache, defineController, type Plan, type ReconcilingController } from '../runtime/controller.ts'
import { plannedEvent } from '../runtime/status.ts'
import { isNodeReady, readyCondition, unknownConditions } from './node-conditions.ts'
import { wantedTaints } from './node-taints.ts'
import { podsOfNode } from './pods-of-node.ts'
import { isEviction, type ZoneView, zoneView } from './zones.ts'

/** Without a sign of life for this long a node is unreachable; upstream's default. */
export const GRACE_MS = 50_000
/** A node that was just created has a little longer to report for the first time. */
export const STARTUP_GRACE_MS = 60_000
/** How often a node that is not ready is looked at: what its pods may do depends on the other nodes, too. */
const MONITOR_MS = 5_000
/** As upstream's. With one, a thousand new nodes got rid of their first taint in a minute, as fast as single writes go. */
const WORKERS = 8
/** Zones of which it is known when the last node was emptied, a hundred bytes each. */
const ZONES_MAX = 1_000

export interface NodeView {
  readonly node: Node
  /** When this controller last saw a new heartbeat, on its own clock: clocks of machines differ. */
  readonly seenMs: number
  /** It was not there before. */
  readonly isNew: boolean
  /** Looked at when it says that it is not ready, as its pods are. */
  readonly zone: ZoneView | undefined
  readonly pods: readonly Pod[]
}

interface Heartbeat {
  readonly uid: string | undefined
  readonly mark: string
  readonly seenMs: number
}

export function nodeLifecycleController(): ReconcilingController<NodeView> {
  const heartbeats = new Map<string, Heartbeat>()
  const plan = oneEvictionAfterTheOther()
  return defineController({
    name: 'node-lifecycle-controller',
    reconciles: nodes,
    workers: WORKERS,
    watches: [
      {
        definition: leases,
        keysOf: ({ metadata }) => (metadata.namespace === NODE_LEASE_NAMESPACE ? [{ name: metadata.name ?? '' }] : []),
      },
      // Its changes wake no node; it is there from the start, to know the pods of a node that falls silent.
      { definition: pods, keysOf: () => [] },
    ],
    observe: (cache, key, nowMs): NodeView | undefined => {
      const node = cache.get(nodes, key)
      if (!node) {
        heartbeats.delete(key.name)
        return undefined
      }
      const lease = cache.get(leases, { namespace: NODE_LEASE_NAMESPACE, name: key.name })
      const mark = `${lease?.spec?.renewTime} ${readyCondition(node)?.lastHeartbeatTime}`
      const { uid } = node.metadata
      const known = heartbeats.get(key.name)
      const current = known?.mark === mark && known.uid === uid ? known : { uid, mark, seenMs: nowMs }
      heartbeats.set(key.name, current)
      const seen = { node, seenMs: current.seenMs, isNew: known?.uid !== uid }
      if (isNodeReady(node) || !readyCondition(node)) return { ...seen, zone: undefined, pods: [] }
      return { ...seen, zone: zoneOfNode(cache, node), pods: podsOfNode(cache, key.name) }
    },
    plan,
  })
}

const ZONE_INDEX = 'zone'
const READY_INDEX = 'ready'

function zoneOfNode(cache: Cache, node: Node): ZoneView {
  const informer = cache.informer(nodes)
  informer.addIndex(ZONE_INDEX, (other) => [zoneOf(other)])
  informer.addIndex(READY_INDEX, (other) => (isNodeReady(other) ? [''] : []))
  const isAnyReady = informer.byIndex(READY_INDEX, '').length > 0
  return zoneView(informer.byIndex(ZONE_INDEX, zoneOf(node)), isAnyReady)
}

/** Of the nodes of a zone that are to be emptied, each decision knows of the one before, which may not be stored yet. */
function oneEvictionAfterTheOther(): (view: NodeView, nowMs: number) => Plan {
  const evictions = new LruMap<string, number>(ZONES_MAX)
  return (view, nowMs) => {
    if (!view.zone) return planNode(view, nowMs)
    const name = zoneOf(view.node)
    const lastMs = Math.max(evictions.get(name) ?? 0, view.zone.lastEvictionMs ?? 0)
    const plan = planNode({ ...view, zone: { ...view.zone, lastEvictionMs: lastMs } }, nowMs)
    if (plan.actions.some((action) => isNewEviction(action, view.node))) evictions.set(name, nowMs)
    return plan
  }
}

function isNewEviction(action: Action, { spec }: Node): boolean {
  if (action.do !== 'update' || spec?.taints?.some(isEviction)) return false
  // A plan for a node updates nothing but that node.
  return (action.object as Node).spec?.taints?.some(isEviction) === true
}

export function planNode(view: NodeView, nowMs: number): Plan {
  const { node, seenMs, isNew } = view
  const ready = readyCondition(node)
  const deadlineMs = seenMs + (ready ? GRACE_MS : STARTUP_GRACE_MS)
  const news = isNew ? [nodeEvent(node, 'RegisteredNode', `Registered Node ${node.metadata.name} in Controller`)] : []
  if (deadlineMs > nowMs) return followed(view, news, deadlineMs, nowMs)
  const conditions = unknownConditions(node, nowMs)
  if (deepEqual(conditions, node.status?.conditions ?? [])) return followed(view, news, nowMs + MONITOR_MS, nowMs)
  // The taints follow when the new status has come back: two writes of one object in one plan would conflict.
  const lost = ready?.status === 'True' ? [lostEvent(node)] : []
  return { actions: [...news, updateStatusAction(nodes, { ...node, status: { ...node.status, conditions } }), ...lost] }
}

/** Taints and pods as the conditions say. */
function followed(
  { node, zone, pods: held }: NodeView,
  news: readonly Action[],
  lookAtMs: number,
  nowMs: number,
): Plan {
  const { taints, evictionAtMs = lookAtMs } = wantedTaints(node, zone, nowMs)
  const spec = { ...node.spec, taints: taints.length > 0 ? taints : undefined }
  const changes = deepEqual(taints, node.spec?.taints ?? []) ? [] : [updateAction(nodes, { ...node, spec })]
  const silent = readyCondition(node) !== undefined && !isNodeReady(node)
  const marks = silent ? held.flatMap((pod) => markNotReady(pod, nowMs)) : []
  const againMs = Math.min(lookAtMs, evictionAtMs, silent ? nowMs + MONITOR_MS : lookAtMs)
  return { actions: [...news, ...changes, ...marks], requeueAfterMs: againMs - nowMs }
}

function nodeEvent(node: Node, reason: string, text: string): Action {
  const message = `Node ${node.metadata.name} event: ${text}`
  return { do: 'event', event: regardingNode(node, reason, message) }
}

function lostEvent(node: Node): Action {
  const message = `Node ${node.metadata.name} status is now: NodeNotReady`
  return { do: 'event', event: regardingNode(node, 'NodeNotReady', message) }
}

function regardingNode(node: Node, reason: string, message: string): PlannedEvent {
  return plannedEvent(nodes, node, { type: 'Normal', reason, message })
}

/** Services stop sending to pods whose node is silent. */
function markNotReady(pod: Pod, nowMs: number): readonly Action[] {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  if (condition?.status !== 'True') return []
  const conditions = pod.status?.conditions?.map((candidate) =>
    candidate.type === 'Ready' ? { ...candidate, status: 'False', lastTransitionTime: formatTime(nowMs) } : candidate,
  )
  const event = plannedEvent(pods, pod, { type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' })
  return [updateStatusAction(pods, { ...pod, status: { ...pod.status, conditions } }), { do: 'event', event }]
}
