/**
 * node-lifecycle-controller: a node whose heartbeat stops turns Unknown, its conditions become taints, and its pods are
 * no longer ready. Evicting them is the taint-eviction-controller's.
 */

import { leases } from '../../apis/coordination/lease.ts'
import { nodes } from '../../apis/core/node.ts'
import { pods } from '../../apis/core/pod/definition.ts'
import type { Node, NodeCondition, Pod, Taint } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { type Action, updateAction, updateStatusAction } from '../runtime/action.ts'
import { defineController, type Plan, type ReconcilingController } from '../runtime/controller.ts'

/** Without a sign of life for this long a node is unreachable; upstream's default. */
export const GRACE_MS = 50_000
/** A node that was just created has a little longer to report for the first time. */
export const STARTUP_GRACE_MS = 60_000
const LEASE_NAMESPACE = 'kube-node-lease'
const POD_NODE_INDEX = 'spec.nodeName'

export interface NodeView {
  readonly node: Node
  /** When this controller last saw a new heartbeat, on its own clock: clocks of machines differ. */
  readonly seenMs: number
  /** Pods of the node, looked at when it is not ready. */
  readonly pods: readonly Pod[]
}

export function nodeLifecycleController(): ReconcilingController<NodeView> {
  const heartbeats = new Map<string, { readonly mark: string; readonly seenMs: number }>()
  return defineController({
    name: 'node-lifecycle-controller',
    reconciles: nodes,
    watches: [
      {
        definition: leases,
        keysOf: ({ metadata }) => (metadata.namespace === LEASE_NAMESPACE ? [{ name: metadata.name ?? '' }] : []),
      },
    ],
    observe: (cache, key, nowMs): NodeView | undefined => {
      const node = cache.get(nodes, key)
      if (!node) {
        heartbeats.delete(key.name)
        return undefined
      }
      const lease = cache.get(leases, { namespace: LEASE_NAMESPACE, name: key.name })
      const mark = `${lease?.spec?.renewTime} ${readyCondition(node)?.lastHeartbeatTime}`
      const known = heartbeats.get(key.name)
      const current = known?.mark === mark ? known : { mark, seenMs: nowMs }
      heartbeats.set(key.name, current)
      const informer = cache.informer(pods)
      informer.addIndex(POD_NODE_INDEX, ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []))
      return { node, seenMs: current.seenMs, pods: informer.byIndex(POD_NODE_INDEX, key.name) }
    },
    plan: planNode,
  })
}

function readyCondition({ status }: Node): NodeCondition | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')
}

export function planNode({ node, seenMs, pods: nodePods }: NodeView, nowMs: number): Plan {
  const ready = readyCondition(node)
  const deadlineMs = seenMs + (ready ? GRACE_MS : STARTUP_GRACE_MS)
  const lost = deadlineMs <= nowMs
  const conditions = lost ? unknownConditions(node, nowMs) : (node.status?.conditions ?? [])
  const actions: Action[] = []
  if (!deepEqual(conditions, node.status?.conditions ?? [])) {
    actions.push(updateStatusAction(nodes, { ...node, status: { ...node.status, conditions } }), statusEvent(node))
    // The taints follow when the new status has come back: two writes of one object in one plan would conflict.
    return { actions }
  }
  const taints = wantedTaints(node, conditions, nowMs)
  if (!deepEqual(taints, node.spec?.taints ?? [])) {
    actions.push(
      updateAction(nodes, { ...node, spec: { ...node.spec, taints: taints.length > 0 ? taints : undefined } }),
    )
  }
  const isReady = conditions.find(({ type }) => type === 'Ready')?.status === 'True'
  if (ready && !isReady) actions.push(...nodePods.flatMap((pod) => markNotReady(pod, nowMs)))
  return { actions, requeueAfterMs: lost ? undefined : deadlineMs - nowMs }
}

function statusEvent(node: Node): Action {
  const message = `Node ${node.metadata.name} status is now: NodeNotReady`
  return { do: 'event', event: { regarding: node, type: 'Normal', reason: 'NodeNotReady', message } }
}

/** What a kubelet reports; all of it is unknown when it is silent. */
const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

function unknownConditions(node: Node, nowMs: number): readonly NodeCondition[] {
  const existing = node.status?.conditions ?? []
  const others = existing.filter(({ type }) => !REPORTED.includes(type))
  const unknown = REPORTED.map((type): NodeCondition => {
    const before = existing.find((condition) => condition.type === type)
    if (before?.status === 'Unknown') return before
    return {
      type,
      status: 'Unknown',
      reason: before ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
      message: before ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
      lastHeartbeatTime: before?.lastHeartbeatTime ?? node.metadata.creationTimestamp,
      lastTransitionTime: formatTime(nowMs),
    }
  })
  return [...others, ...unknown]
}

interface TaintRule {
  readonly key: string
  readonly effects: readonly Taint['effect'][]
  readonly applies: (node: Node, status: (type: string) => string | undefined) => boolean
}

const BOTH: readonly Taint['effect'][] = ['NoSchedule', 'NoExecute']
const NO_SCHEDULE: readonly Taint['effect'][] = ['NoSchedule']
const TAINTS: readonly TaintRule[] = [
  { key: 'node.kubernetes.io/not-ready', effects: BOTH, applies: (_, status) => status('Ready') === 'False' },
  { key: 'node.kubernetes.io/unreachable', effects: BOTH, applies: (_, status) => status('Ready') === 'Unknown' },
  {
    key: 'node.kubernetes.io/memory-pressure',
    effects: NO_SCHEDULE,
    applies: (_, status) => status('MemoryPressure') === 'True',
  },
  {
    key: 'node.kubernetes.io/disk-pressure',
    effects: NO_SCHEDULE,
    applies: (_, status) => status('DiskPressure') === 'True',
  },
  {
    key: 'node.kubernetes.io/pid-pressure',
    effects: NO_SCHEDULE,
    applies: (_, status) => status('PIDPressure') === 'True',
  },
  {
    key: 'node.kubernetes.io/network-unavailable',
    effects: NO_SCHEDULE,
    applies: (_, status) => status('NetworkUnavailable') === 'True',
  },
  {
    key: 'node.kubernetes.io/unschedulable',
    effects: NO_SCHEDULE,
    applies: ({ spec }) => spec?.unschedulable === true,
  },
]

/** The taints of others stay as they are; ours follow the conditions and keep the time they were added. */
function wantedTaints(node: Node, conditions: readonly NodeCondition[], nowMs: number): readonly Taint[] {
  const status = (type: string) => conditions.find((condition) => condition.type === type)?.status
  const existing = node.spec?.taints ?? []
  // A node that has not reported yet keeps the taint it was created with.
  if (status('Ready') === undefined) return existing
  const own = new Set(TAINTS.map(({ key }) => key))
  const wanted = TAINTS.filter(({ applies }) => applies(node, status)).flatMap(({ key, effects }) =>
    effects.map((effect) => ({ key, effect })),
  )
  const kept = existing.filter(
    (taint) => !own.has(taint.key) || wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect),
  )
  const added = wanted.filter(({ key, effect }) => !kept.some((taint) => taint.key === key && taint.effect === effect))
  return [...kept, ...added.map((taint): Taint => ({ ...taint, timeAdded: formatTime(nowMs) }))]
}

/** Services stop sending to pods whose node is silent. */
function markNotReady(pod: Pod, nowMs: number): readonly Action[] {
  const condition = pod.status?.conditions?.find(({ type }) => type === 'Ready')
  if (condition?.status !== 'True') return []
  const conditions = pod.status?.conditions?.map((candidate) =>
    candidate.type === 'Ready' ? { ...candidate, status: 'False', lastTransitionTime: formatTime(nowMs) } : candidate,
  )
  return [
    updateStatusAction(pods, { ...pod, status: { ...pod.status, conditions } }),
    { do: 'event', event: { regarding: pod, type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' } },
  ]
}
