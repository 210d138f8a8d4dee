/**
 * What a scheduling plugin is: a value with a name and one function that prepares it for one pod and one
 * snapshot. What comes back says which nodes are out and how good the others are. Everything here is pure.
 */

import type { Pod } from '../apis/core/types.gen.ts'
import type { ObjectKey } from '../machinery/meta/object.ts'
import type { PodInfo } from './pod-info.ts'
import type { Lookups, NodeInfo, Snapshot } from './snapshot.ts'

/** Scores after normalization lie between 0 and this. */
export const SCORE_MAX = 100

export interface Rejection {
  /** In upstream's words: they are counted and shown to users. */
  readonly reasons: readonly string[]
  /** False: taking other pods off the node would not help. */
  readonly resolvable: boolean
}

export interface Plugin {
  readonly name: string
  /**
   * What its filter and its raw score say of a node follows from the pod's signature and that node alone; whether it scores
   * and compares, from the signature.
   */
  readonly isLocal?: true
  prepare(pod: PodInfo, snapshot: Snapshot): Prepared
  /** The same where what it needs of all nodes is a sum that is kept between attempts, for pods of one signature. */
  count?(pod: PodInfo, lookups: Lookups): NodeCount
  /** Whether an event may make a pod fit that this plugin rejected. Absent: never. */
  wakes?(pod: PodInfo, event: ClusterEvent): boolean
}

/** A sum over nodes: of each node its part. */
export interface NodeCount {
  /** Adds a node's part, or takes out again what the same info added. */
  add(node: NodeInfo, sign: 1 | -1): void
  /** The plugin by the sum as it is now. */
  prepared(nodes: readonly NodeInfo[]): Prepared
}

/** A plugin for one pod. Absent parts have nothing to say about it. */
export interface Prepared {
  /** No node will do. */
  readonly everywhere?: Rejection | undefined
  /** Only these nodes can do: the others are not even looked at. */
  readonly only?: ReadonlySet<string> | undefined
  filter?(node: NodeInfo): Rejection | undefined
  /** `feasible` are the nodes that passed all filters. Absent result: no preference. */
  scoring?(feasible: readonly NodeInfo[]): Scoring | undefined
  /** For people, about a node that `filter` rejects: what is wrong and what would mend it. */
  explain?(node: NodeInfo): readonly Finding[]
}

export interface Scoring {
  score(node: NodeInfo): number
  /** From raw scores, in the order of the nodes, to 0…SCORE_MAX. Absent: they are that already. */
  normalize?(scores: readonly number[], nodes: readonly NodeInfo[]): readonly number[]
  /** Equal raw scores stay equal when they are normalized: where all are, they need not be. */
  readonly keepsTies?: true
}

export interface Finding {
  /** `cpu: wants 2, free 1400m of 4`. */
  readonly text: string
  readonly remedy?: Remedy | undefined
}

export interface Remedy {
  /** `lower requests.cpu from 2 to 1400m`. */
  readonly text: string
  apply(pod: Pod): Pod
}

/** Something that happened in the cluster and may let waiting pods go on. */
export type ClusterEvent =
  | {
      readonly resource: 'nodes'
      readonly action: 'add' | 'update'
      readonly node: NodeInfo
      readonly previous?: NodeInfo
    }
  /** A pod that is on a node. */
  | {
      readonly resource: 'pods'
      readonly action: 'add' | 'update' | 'delete'
      readonly pod: PodInfo
      readonly previous?: PodInfo
    }
  /** The waiting pod itself. */
  | { readonly resource: 'self'; readonly action: 'update'; readonly pod: PodInfo; readonly previous: PodInfo }
  | { readonly resource: 'namespaces'; readonly action: 'add' | 'update' }
  /** A claim that changed, or anything else about volumes. */
  | { readonly resource: 'volumes'; readonly action: 'update'; readonly claim?: ObjectKey }

export interface WeightedPlugin {
  readonly plugin: Plugin
  /** How much its score counts; 0 for plugins that only filter. */
  readonly weight: number
}

/** The plugins of a scheduler, in the order in which they filter. */
export interface Profile {
  readonly schedulerName: string
  readonly plugins: readonly WeightedPlugin[]
}

/** The sum over these nodes, counted afresh. */
export function countedOver(count: NodeCount, nodes: readonly NodeInfo[]): Prepared {
  for (const node of nodes) count.add(node, 1)
  return count.prepared(nodes)
}

export function reject(reason: string, resolvable: boolean): Rejection {
  return { reasons: [reason], resolvable }
}

/** Scales raw scores so that the highest becomes SCORE_MAX; `reverse` turns few into good. */
export function normalizeByMax(scores: readonly number[], reverse: boolean): readonly number[] {
  const max = scores.reduce((left, right) => Math.max(left, right), 0)
  if (max === 0) return scores.map(() => (reverse ? SCORE_MAX : 0))
  return scores.map((score) => {
    const scaled = Math.floor((SCORE_MAX * score) / max)
    return reverse ? SCORE_MAX - scaled : scaled
  })
}
