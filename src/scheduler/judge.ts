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

/** `position` is the node's in the snapshot. */
export interface Judge {
  readonly plugins: readonly PreparedPlugin[]
  /** Any other node is out. Absent: nothing is known before nodes are asked about. */
  readonly only?: ReadonlySet<string> | undefined
  /** Absent: the pod may go there. */
  verdict(node: NodeInfo, position: number): NodeVerdict | undefined
  /** The raw score of the plugin at `index`, which is by `scoring`. */
  score(index: number, scoring: Scoring, node: NodeInfo, position: number): number
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
    score: (_, scoring, node) => scoring.score(node),
  }
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
