/**
 * The decision: which node a pod goes to, or why none. Pure: the same pod, snapshot, profile and chance give
 * the same decision.
 */

import { fitMessage } from './fit-message.ts'
import type { Plugin, Prepared, Profile, Rejection } from './framework.ts'
import type { PodInfo } from './pod-info.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'

export interface Chance {
  /** Where to start looking: the nodes take turns, so that not always the same ones are looked at. */
  readonly startIndex: number
  /** A uniform integer in [0, bound): breaks ties between equally good nodes. */
  pick(bound: number): number
}

export interface NodeVerdict {
  readonly nodeName: string
  /** The plugin that said no first. */
  readonly plugin: string
  readonly rejection: Rejection
}

interface Looked {
  /** What was found about each node that is out. */
  readonly rejected: readonly NodeVerdict[]
  /** Where the next attempt should start. */
  readonly nextIndex: number
}

export type Decision =
  | (Looked & { readonly result: 'assigned'; readonly nodeName: string; readonly scores: ReadonlyMap<string, number> })
  | (Looked & { readonly result: 'unschedulable'; readonly message: string; readonly plugins: ReadonlySet<string> })

export interface PreparedPlugin {
  readonly plugin: Plugin
  readonly weight: number
  readonly prepared: Prepared
}

/** Below so many nodes, all are looked at. */
const NODES_TO_FIND_MIN = 100
/** Of larger clusters a part suffices: 50 % less 1 % per 125 nodes, and never less than this, in percent. */
const PERCENT_TO_FIND_MAX = 50
const PERCENT_TO_FIND_MIN = 5
const NODES_PER_PERCENT = 125

export function nodesToFind(nodes: number): number {
  if (nodes < NODES_TO_FIND_MIN) return nodes
  const percent = Math.max(PERCENT_TO_FIND_MIN, PERCENT_TO_FIND_MAX - Math.floor(nodes / NODES_PER_PERCENT))
  return Math.max(NODES_TO_FIND_MIN, Math.floor((nodes * percent) / 100))
}

export function preparePlugins(pod: PodInfo, snapshot: Snapshot, profile: Profile): readonly PreparedPlugin[] {
  return profile.plugins.map(({ plugin, weight }) => ({ plugin, weight, prepared: plugin.prepare(pod, snapshot) }))
}

export function schedule(pod: PodInfo, snapshot: Snapshot, profile: Profile, chance: Chance): Decision {
  const plugins = preparePlugins(pod, snapshot, profile)
  const { feasible, rejected, nextIndex } = findFeasible(plugins, snapshot, chance.startIndex)
  if (feasible.length === 0) {
    const message = fitMessage(
      snapshot.nodes.length,
      rejected.map(({ rejection }) => rejection),
    )
    return {
      result: 'unschedulable',
      message,
      plugins: new Set(rejected.map(({ plugin }) => plugin)),
      rejected,
      nextIndex,
    }
  }
  const scores = totalScores(plugins, feasible)
  const best = Math.max(...scores)
  const ties = feasible.filter((_, index) => scores[index] === best)
  const chosen = ties[ties.length > 1 ? chance.pick(ties.length) : 0]
  return {
    result: 'assigned',
    nodeName: chosen?.name ?? '',
    scores: new Map(feasible.map(({ name }, index) => [name, scores[index] ?? 0])),
    rejected,
    nextIndex,
  }
}

/** The first plugin's objection to a node. */
export function firstRejection(plugins: readonly PreparedPlugin[], node: NodeInfo): NodeVerdict | undefined {
  for (const { plugin, prepared } of plugins) {
    const rejection = prepared.everywhere ?? excluded(plugin, prepared, node) ?? prepared.filter?.(node)
    if (rejection) return { nodeName: node.name, plugin: plugin.name, rejection }
  }
  return undefined
}

function excluded(plugin: Plugin, { only }: Prepared, node: NodeInfo): Rejection | undefined {
  if (!only || only.has(node.name)) return undefined
  return { reasons: [`node(s) didn't satisfy plugin(s) [${plugin.name}]`], resolvable: false }
}

function findFeasible(plugins: readonly PreparedPlugin[], { nodes }: Snapshot, startIndex: number) {
  const enough = nodesToFind(nodes.length)
  const feasible: NodeInfo[] = []
  const rejected: NodeVerdict[] = []
  let looked = 0
  // What restricts the nodes by name is asked first, before any filter.
  const restricting = plugins.filter(({ prepared }) => prepared.everywhere || prepared.only)
  for (; looked < nodes.length && feasible.length < enough; looked++) {
    const node = nodes[(startIndex + looked) % nodes.length]
    if (!node) continue
    const verdict = restricted(restricting, node) ?? firstRejection(plugins, node)
    if (verdict) rejected.push(verdict)
    else feasible.push(node)
  }
  return { feasible, rejected, nextIndex: nodes.length === 0 ? 0 : (startIndex + looked) % nodes.length }
}

function restricted(plugins: readonly PreparedPlugin[], node: NodeInfo): NodeVerdict | undefined {
  for (const { plugin, prepared } of plugins) {
    const rejection = prepared.everywhere ?? excluded(plugin, prepared, node)
    if (rejection) return { nodeName: node.name, plugin: plugin.name, rejection }
  }
  return undefined
}

function totalScores(plugins: readonly PreparedPlugin[], feasible: readonly NodeInfo[]): readonly number[] {
  if (feasible.length === 1) return [0]
  const totals = feasible.map(() => 0)
  for (const { prepared, weight } of plugins) {
    const scoring = weight === 0 ? undefined : prepared.scoring?.(feasible)
    if (!scoring) continue
    const raw = feasible.map((node) => scoring.score(node))
    const scores = scoring.normalize?.(raw, feasible) ?? raw
    for (const [index, score] of scores.entries()) totals[index] = (totals[index] ?? 0) + weight * score
  }
  return totals
}
