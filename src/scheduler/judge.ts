/** What the plugins say of nodes for one pod: the plain way. `alike.ts` says the same from memory. Pure. */

import type { Plugin, Prepared, Profile, Rejection, Scoring } from './framework.ts'
import type { PodInfo } from './pod-info.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'

export interface NodeVerdict {
  readonly nodeName: string
  /** The plugin that said no first. */
  readonly plugin: string
  readonly rejection: Rejection
}

export interface PreparedPlugin {
  readonly plugin: Plugin
  readonly weight: number
  readonly prepared: Prepared
}

/** A plugin that has something to say about which node is better. */
export interface Part {
  /** The plugin's. */
  readonly index: number
  readonly weight: number
  readonly scoring: Scoring
}

/** Nodes, and their slots in the same order. */
export interface Candidates {
  readonly nodes: readonly NodeInfo[]
  readonly slots: readonly number[]
}

export interface Judge {
  readonly plugins: readonly PreparedPlugin[]
  /** Any other node is out. Absent: nothing is known before nodes are asked about. */
  readonly only?: ReadonlySet<string> | undefined
  /** Absent: the pod may go there. `slot` is the node's: what is known of it is found without looking at it. */
  verdict(node: NodeInfo, slot: number): NodeVerdict | undefined
  /** The raw scores of a plugin. */
  scores(part: Part, candidates: Candidates): readonly number[]
  /** What all local plugins together whose scores are not compared say of each node; these are their parts. */
  sums(parts: readonly Part[], candidates: Candidates): number[]
}

export function preparePlugins(pod: PodInfo, snapshot: Snapshot, profile: Profile): readonly PreparedPlugin[] {
  return profile.plugins.map(({ plugin, weight }) => ({ plugin, weight, prepared: plugin.prepare(pod, snapshot) }))
}

export function judgeBy(plugins: readonly PreparedPlugin[]): Judge {
  // What restricts the nodes by name is asked first, before any filter.
  const restricting = plugins.filter(({ prepared }) => restricts(prepared))
  return {
    plugins,
    only: restricting.find(({ prepared }) => prepared.only)?.prepared.only,
    verdict: (node) => restricted(restricting, node) ?? firstRejection(plugins, node),
    scores: ({ scoring }, { nodes }) => nodes.map((node) => scoring.score(node)),
    sums: (parts, { nodes }) => nodes.map((node) => sumOf(parts, node)),
  }
}

export function sumOf(parts: readonly Part[], node: NodeInfo): number {
  return parts.reduce((sum, { weight, scoring }) => sum + weight * scoring.score(node), 0)
}

/** Whether it rules nodes out without looking at them. */
export function restricts({ everywhere, only }: Prepared): boolean {
  return everywhere !== undefined || only !== undefined
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

function restricted(plugins: readonly PreparedPlugin[], node: NodeInfo): NodeVerdict | undefined {
  for (const { plugin, prepared } of plugins) {
    const rejection = prepared.everywhere ?? excluded(plugin, prepared, node)
    if (rejection) return { nodeName: node.name, plugin: plugin.name, rejection }
  }
  return undefined
}
