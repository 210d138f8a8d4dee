/**
 * How a DaemonSet's pods are replaced after a change of its template, node by node. Without surge the old pod goes
 * first and the node's plan makes the new one; with surge the new pod comes first and the old one goes when the new
 * one is available.
 */

import type { DaemonSet } from '../../../apis/apps/types.gen.ts'
import { isPodAvailable, isPodTerminating } from '../../../apis/core/pod/pod-status.ts'
import type { Node, Pod } from '../../../apis/core/types.gen.ts'
import { scaledValue } from '../../../machinery/meta/int-or-string.ts'
import { fitOf, isUpdated } from './nodes.ts'

/** A node and the pods that the DaemonSet has there, those on their way out included. */
export interface DaemonNode {
  readonly name: string
  /** Undefined: the node is gone. */
  readonly node: Node | undefined
  readonly pods: readonly Pod[]
}

export interface UpdateContext {
  readonly daemonSet: DaemonSet
  readonly hash: string
  readonly nowMs: number
}

export interface NodeChanges {
  /** Names of nodes that get a pod. */
  readonly creates: readonly string[]
  readonly deletes: readonly Pod[]
}

type Pair = { readonly name: string; readonly node: Node | undefined } & (
  | { readonly excess: true }
  | { readonly excess: false; readonly updated: Pod | undefined; readonly outdated: Pod | undefined }
)

export function allowsSurge({ spec }: DaemonSet): boolean {
  return surgeOf(spec, 1) > 0
}

function surgeOf({ updateStrategy }: DaemonSet['spec'], nodes: number): number {
  if (updateStrategy?.type === 'OnDelete') return 0
  return scaledValue(updateStrategy?.rollingUpdate?.maxSurge ?? 0, nodes, 'up') ?? 0
}

function unavailableOf({ updateStrategy }: DaemonSet['spec'], nodes: number): number {
  return scaledValue(updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, nodes, 'up') ?? 1
}

/** `nodes`: every node that should run a pod or has one. */
export function rollingUpdate(context: UpdateContext, nodes: readonly DaemonNode[]): NodeChanges {
  const { spec } = context.daemonSet
  const desired = nodes.filter(({ node }) => node && fitOf(context.daemonSet, node).runs).length
  const pairs = nodes.map((node) => pairOn(context, node))
  const surge = surgeOf(spec, desired)
  if (surge > 0) return withSurge(context, pairs, surge, desired)
  return { creates: [], deletes: withoutSurge(context, pairs, Math.max(1, unavailableOf(spec, desired))) }
}

/** At most one updated and one outdated pod; more are for the node's plan to clean up. */
function pairOn({ daemonSet, hash }: UpdateContext, { name, node, pods }: DaemonNode): Pair {
  const living = pods.filter((pod) => !isPodTerminating(pod))
  const updated = living.filter((pod) => isUpdated(daemonSet, hash, pod))
  const outdated = living.filter((pod) => !isUpdated(daemonSet, hash, pod))
  if (updated.length > 1 || outdated.length > 1) return { name, node, excess: true }
  return { name, node, excess: false, updated: updated[0], outdated: outdated[0] }
}

function isAvailable({ daemonSet, nowMs }: UpdateContext, pod: Pod): boolean {
  return isPodAvailable(pod, daemonSet.spec.minReadySeconds ?? 0, nowMs)
}

/** Outdated pods that serve nobody go at once, others as far as the limit of unavailable nodes allows. */
function withoutSurge(context: UpdateContext, pairs: readonly Pair[], limit: number): readonly Pod[] {
  const replacements: Pod[] = []
  const candidates: Pod[] = []
  let unavailable = 0
  for (const pair of pairs) {
    const only = pair.excess || (pair.updated && pair.outdated) ? undefined : (pair.updated ?? pair.outdated)
    if (!only || !isAvailable(context, only)) unavailable++
    if (!only || only !== outdatedOf(pair)) continue
    if (isAvailable(context, only)) candidates.push(only)
    else replacements.push(only)
  }
  return [...replacements, ...candidates.slice(0, Math.max(0, limit - unavailable))]
}

function outdatedOf(pair: Pair): Pod | undefined {
  return pair.excess ? undefined : pair.outdated
}

function withSurge(context: UpdateContext, pairs: readonly Pair[], limit: number, desired: number): NodeChanges {
  const creates: string[] = []
  const candidates: string[] = []
  const deletes: Pod[] = []
  const leaving: Pod[] = []
  let surging = 0
  let available = 0
  for (const pair of pairs) {
    if (pair.excess) {
      surging++
      continue
    }
    const { name, node, updated, outdated } = pair
    const serving = outdated ?? updated
    const serves = serving !== undefined && isAvailable(context, serving)
    if (serves) available++
    if (!outdated) continue
    if (updated) {
      if (isAvailable(context, updated)) deletes.push(outdated)
      else surging++
      continue
    }
    const belongs = node !== undefined && fitOf(context.daemonSet, node).runs
    if (serves) belongs ? candidates.push(name) : leaving.push(outdated)
    else if (belongs) creates.push(name)
    else deletes.push(outdated)
  }
  // A node that is left behind keeps its pod until enough of the others serve.
  deletes.push(...leaving.slice(0, Math.max(0, available - desired)))
  return { creates: [...creates, ...candidates.slice(0, Math.max(0, limit - surging))], deletes }
}
