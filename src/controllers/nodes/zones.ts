/**
 * How much of the cluster is out of order, zone by zone. One silent node is its own fault; when a whole zone or the whole
 * cluster falls silent, it is more likely the network or this process, and pods are better left where they are.
 */

import type { Node } from '../../apis/core/types.gen.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import { isNodeReady } from './node-conditions.ts'

/** `all`: no node of the cluster is ready. */
export type Disruption = 'normal' | 'partial' | 'full' | 'all'

export interface ZoneView {
  readonly disruption: Disruption
  readonly nodes: number
  /** When a node of the zone was last given a taint that evicts. */
  readonly lastEvictionMs: number | undefined
}

/** From so many silent nodes on, and such a share of the zone, the zone is partly disrupted; upstream's. */
const SILENT_NODES_MIN = 3
const SILENT_SHARE_MIN = 0.55
/** A zone with more nodes is large. */
const LARGE_ZONE_NODES = 50
/** One node after the other: a node in ten seconds; in large zones that are partly disrupted, one in a hundred. */
const EVICTION_INTERVAL_MS = 10_000
const SLOW_EVICTION_INTERVAL_MS = 100_000

/** Taints for which pods leave a node that does not answer. */
export const NOT_READY = 'node.kubernetes.io/not-ready'
export const UNREACHABLE = 'node.kubernetes.io/unreachable'

/** `members`: all nodes of the zone. */
export function zoneView(members: readonly Node[], isAnyReady: boolean): ZoneView {
  const evictions = members.flatMap(({ spec }) =>
    (spec?.taints ?? []).filter(isEviction).flatMap(({ timeAdded }) => parseTime(timeAdded) ?? []),
  )
  return {
    disruption: isAnyReady ? disruptionOf(members) : 'all',
    nodes: members.length,
    lastEvictionMs: evictions.length === 0 ? undefined : Math.max(...evictions),
  }
}

export function isEviction({ key, effect }: { readonly key: string; readonly effect: string }): boolean {
  return effect === 'NoExecute' && (key === NOT_READY || key === UNREACHABLE)
}

function disruptionOf(members: readonly Node[]): Disruption {
  const silent = members.filter((node) => !isNodeReady(node)).length
  if (silent === members.length) return 'full'
  return silent >= SILENT_NODES_MIN && silent / members.length >= SILENT_SHARE_MIN ? 'partial' : 'normal'
}

/** From when on another node of the zone may be emptied; undefined: not while things are as they are. */
export function nextEvictionMs({ disruption, nodes, lastEvictionMs = 0 }: ZoneView): number | undefined {
  switch (disruption) {
    case 'all':
      return undefined
    case 'partial':
      return nodes > LARGE_ZONE_NODES ? lastEvictionMs + SLOW_EVICTION_INTERVAL_MS : undefined
    case 'normal':
    case 'full':
      return lastEvictionMs + EVICTION_INTERVAL_MS
  }
}
