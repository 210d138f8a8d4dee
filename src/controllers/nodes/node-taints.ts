/** Taints that follow a node's conditions: what keeps pods away, and what makes them leave. */

import type { Node, Taint } from '../../apis/core/types.gen.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { readyCondition } from './node-conditions.ts'
import { isEviction, NOT_READY, nextEvictionMs, UNREACHABLE, type ZoneView } from './zones.ts'

interface TaintRule {
  readonly key: string
  readonly applies: (node: Node, status: (type: string) => string | undefined) => boolean
}

/** With effect NoSchedule. */
const RULES: readonly TaintRule[] = [
  { key: NOT_READY, applies: (_, status) => status('Ready') === 'False' },
  { key: UNREACHABLE, applies: (_, status) => status('Ready') === 'Unknown' },
  { key: 'node.kubernetes.io/memory-pressure', applies: (_, status) => status('MemoryPressure') === 'True' },
  { key: 'node.kubernetes.io/disk-pressure', applies: (_, status) => status('DiskPressure') === 'True' },
  { key: 'node.kubernetes.io/pid-pressure', applies: (_, status) => status('PIDPressure') === 'True' },
  { key: 'node.kubernetes.io/network-unavailable', applies: (_, status) => status('NetworkUnavailable') === 'True' },
  { key: 'node.kubernetes.io/unschedulable', applies: ({ spec }) => spec?.unschedulable === true },
]

export interface WantedTaints {
  readonly taints: readonly Taint[]
  /** A taint that evicts is due then, and not before. */
  readonly evictionAtMs?: number | undefined
}

/** The taints of others stay as they are; those that apply keep the time they were added. */
export function wantedTaints(node: Node, zone: ZoneView | undefined, nowMs: number): WantedTaints {
  const existing = node.spec?.taints ?? []
  const status = (type: string) => node.status?.conditions?.find((condition) => condition.type === type)?.status
  // A node that has not reported yet keeps the taint it was created with.
  if (!readyCondition(node)) return { taints: existing }
  const keys = RULES.filter(({ applies }) => applies(node, status)).map(({ key }) => key)
  const { evicts, evictionAtMs } = eviction(node, zone, nowMs)
  const wanted = keys.flatMap((key): readonly Pick<Taint, 'key' | 'effect'>[] => [
    { key, effect: 'NoSchedule' },
    ...(evicts && (key === NOT_READY || key === UNREACHABLE) ? [{ key, effect: 'NoExecute' as const }] : []),
  ])
  const isWanted = (taint: Taint) => wanted.some(({ key, effect }) => key === taint.key && effect === taint.effect)
  const kept = existing.filter((taint) => !isOwn(taint) || isWanted(taint))
  const added = wanted.filter(({ key, effect }) => !kept.some((taint) => taint.key === key && taint.effect === effect))
  return { taints: [...kept, ...added.map((taint) => ({ ...taint, timeAdded: formatTime(nowMs) }))], evictionAtMs }
}

function isOwn(taint: Taint): boolean {
  return isEviction(taint) || (taint.effect === 'NoSchedule' && RULES.some(({ key }) => key === taint.key))
}

function eviction(
  node: Node,
  zone: ZoneView | undefined,
  nowMs: number,
): { evicts: boolean; evictionAtMs?: number | undefined } {
  if (readyCondition(node)?.status === 'True' || zone === undefined || zone.disruption === 'all')
    return { evicts: false }
  if (node.spec?.taints?.some(isEviction)) return { evicts: true }
  const atMs = nextEvictionMs(zone)
  if (atMs === undefined) return { evicts: false }
  return atMs <= nowMs ? { evicts: true } : { evicts: false, evictionAtMs: atMs }
}
