/**
 * Who would have to leave so that a pod fits: the fewest and least important pods, on the node where it hurts
 * least. Pure: the same pod, snapshot and budgets give the same answer.
 */

import type { PodMemory } from './alike.ts'
import type { Profile } from './framework.ts'
import { type Judge, judgeBy, type NodeVerdict, preparePlugins } from './judge.ts'
import type { PodInfo } from './pod-info.ts'
import { type NodeInfo, type Snapshot, withNodes, withoutPod, withPod } from './snapshot.ts'

/** A disruption budget, as far as preemption needs it. */
export interface Budget {
  readonly namespace: string
  /** Pods that may be disrupted now. */
  readonly allowed: number
  matches(pod: PodInfo): boolean
}

export interface Preemption {
  readonly nodeName: string
  readonly victims: readonly PodInfo[]
  /** Victims whose budget has nothing left. */
  readonly violations: number
}

export interface PreemptionResult {
  readonly chosen?: Preemption | undefined
  /** One per node that was rejected: why preemption does not help there. Empty when a node was chosen. */
  readonly reasons: readonly string[]
}

/** Nodes with victims that are compared per attempt; each costs a copy of the snapshot per victim. */
const CANDIDATES_MAX = 100

const NOT_HELPFUL = 'Preemption is not helpful for scheduling'
const NO_VICTIMS = 'No preemption victims found for incoming pod'

/** Not again while pods are already leaving the node for this one. */
export function mayPreempt(pod: PodInfo, snapshot: Snapshot, nominatedNode: string | undefined): boolean {
  const node = nominatedNode === undefined ? undefined : snapshot.node(nominatedNode)
  return !node?.pods.some((other) => other.priority < pod.priority && other.pod.metadata.deletionTimestamp)
}

export function preempt(
  pod: PodInfo,
  snapshot: Snapshot,
  profile: Profile,
  rejected: readonly NodeVerdict[],
  budgets: readonly Budget[],
  memory?: PodMemory,
): PreemptionResult {
  const judgeAt =
    memory?.judgesOf(pod, snapshot.lookups) ?? ((changed) => judgeBy(preparePlugins(pod, changed, profile)))
  const fits = (node: NodeInfo) => isAllowedOn(node, withNodes(snapshot, [node]), judgeAt)
  const candidates: Preemption[] = []
  const reasons: string[] = []
  for (const { nodeName, rejection } of rejected) {
    const node = snapshot.node(nodeName)
    if (!rejection.resolvable || !node) {
      reasons.push(NOT_HELPFUL)
      continue
    }
    const found = candidates.length < CANDIDATES_MAX ? victimsOn(node, pod, fits, budgets) : undefined
    if (found) candidates.push(found)
    else reasons.push(NO_VICTIMS)
  }
  const [best, ...others] = candidates
  if (!best) return { reasons }
  return { chosen: others.reduce((left, right) => (hurtsLess(right, left) ? right : left), best), reasons: [] }
}

/** Takes away all pods of lower priority, then lets back in as many as fit, the most important first. */
function victimsOn(
  node: NodeInfo,
  pod: PodInfo,
  fits: (node: NodeInfo) => boolean,
  budgets: readonly Budget[],
): Preemption | undefined {
  const lower = node.pods.filter((other) => other.priority < pod.priority)
  if (lower.length === 0) return undefined
  let left = lower.reduce((info, other) => withoutPod(info, other.uid), node)
  if (!fits(left)) return undefined
  const { violating, others } = splitByBudget(lower.toSorted(byImportance), budgets)
  const victims: PodInfo[] = []
  let violations = 0
  for (const other of [...violating, ...others]) {
    const together = withPod(left, other)
    if (fits(together)) left = together
    else {
      victims.push(other)
      if (violating.includes(other)) violations++
    }
  }
  return victims.length === 0 ? undefined : { nodeName: node.name, victims: victims.toSorted(byImportance), violations }
}

function isAllowedOn(node: NodeInfo, snapshot: Snapshot, judgeAt: (snapshot: Snapshot) => Judge): boolean {
  return judgeAt(snapshot).verdict(node, node.slot) === undefined
}

function splitByBudget(pods: readonly PodInfo[], budgets: readonly Budget[]) {
  const left = new Map(budgets.map((budget) => [budget, budget.allowed]))
  const violating: PodInfo[] = []
  const others: PodInfo[] = []
  for (const pod of pods) {
    const own = budgets.filter((budget) => budget.namespace === pod.namespace && budget.matches(pod))
    for (const budget of own) left.set(budget, (left.get(budget) ?? 0) - 1)
    const exceeded = own.some((budget) => (left.get(budget) ?? 0) < 0)
    if (exceeded) violating.push(pod)
    else others.push(pod)
  }
  return { violating, others }
}

/** Higher priority first, then the longer running. */
function byImportance(left: PodInfo, right: PodInfo): number {
  return right.priority - left.priority || startMs(left) - startMs(right)
}

function startMs({ pod }: PodInfo): number {
  return pod.status?.startTime ? Date.parse(pod.status.startTime) : Number.POSITIVE_INFINITY
}

/** Fewer broken budgets, then less important victims, then fewer, then the one whose victims ran shortest. */
function hurtsLess(left: Preemption, right: Preemption): boolean {
  for (const measure of measures) {
    const difference = measure(left) - measure(right)
    if (difference !== 0 && !Number.isNaN(difference)) return difference < 0
  }
  return false
}

const measures: readonly ((preemption: Preemption) => number)[] = [
  ({ violations }) => violations,
  ({ victims }) => Math.max(...victims.map(({ priority }) => priority)),
  ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + 2 ** 31, 0),
  ({ victims }) => victims.length,
  ({ victims }) => {
    const highest = Math.max(...victims.map(({ priority }) => priority))
    return -Math.min(...victims.filter(({ priority }) => priority === highest).map(startMs))
  },
]
