/**
 * The decision: which node a pod goes to, or why none. Pure: the same pod, snapshot, profile and chance give
 * the same decision.
 */

import type { PodMemory } from './alike.ts'
import { fitMessage } from './fit-message.ts'
import type { Profile } from './framework.ts'
import { type Candidates, type Judge, judgeBy, type NodeVerdict, type Part, preparePlugins } from './judge.ts'
import type { PodInfo } from './pod-info.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'

export interface Chance {
  /** Where to start looking: the nodes take turns, so that not always the same ones are looked at. */
  readonly startIndex: number
  /** A uniform integer in [0, bound): breaks ties between equally good nodes. */
  pick(bound: number): number
}

interface Looked {
  /** What was found about each node that is out. */
  readonly rejected: readonly NodeVerdict[]
  /** Where the next attempt should start. */
  readonly nextIndex: number
}

export type Decision =
  | (Looked & { readonly result: 'assigned'; readonly nodeName: string })
  | (Looked & { readonly result: 'unschedulable'; readonly message: string; readonly plugins: ReadonlySet<string> })

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

/** With `memory`, which is of the same profile, what is known from pods like this one is not found out again; the decision is the same. */
export function schedule(
  pod: PodInfo,
  snapshot: Snapshot,
  profile: Profile,
  chance: Chance,
  memory?: PodMemory,
): Decision {
  const judge = memory?.judge(pod, snapshot) ?? judgeBy(preparePlugins(pod, snapshot, profile))
  const { feasible, rejected, nextIndex } = findFeasible(judge, snapshot, chance.startIndex)
  if (feasible.nodes.length === 0) {
    const rejections = rejected.map(({ rejection }) => rejection)
    const message = fitMessage(snapshot.nodes.length, rejections)
    const plugins = new Set(rejected.map(({ plugin }) => plugin))
    return { result: 'unschedulable', message, plugins, rejected, nextIndex }
  }
  const best = bestOf(feasible.nodes, totalScores(judge, feasible))
  const chosen = best[best.length > 1 ? chance.pick(best.length) : 0]
  return { result: 'assigned', nodeName: chosen?.name ?? '', rejected, nextIndex }
}

interface Found extends Looked {
  readonly feasible: Candidates
}

function findFeasible(judge: Judge, snapshot: Snapshot, startIndex: number): Found {
  return amongNamed(judge, snapshot, startIndex) ?? amongAll(judge, snapshot, startIndex)
}

/** Where few nodes are named and one of them will do, nobody asks what is wrong with the others. */
function amongNamed({ only, verdict }: Judge, snapshot: Snapshot, startIndex: number): Found | undefined {
  const { nodes } = snapshot
  if (!only || only.size >= nodesToFind(nodes.length)) return undefined
  const turnOf = (position: number) => (position - startIndex + nodes.length) % nodes.length
  const positions = [...only].flatMap((name) => snapshot.position(name) ?? [])
  const found: NodeInfo[] = []
  const rejected: NodeVerdict[] = []
  for (const position of positions.sort((left, right) => turnOf(left) - turnOf(right))) {
    const node = nodes[position]
    const objection = node && verdict(node, node.slot)
    if (objection) rejected.push(objection)
    else if (node) found.push(node)
  }
  const feasible = { nodes: found, slots: found.map(({ slot }) => slot) }
  return found.length === 0 ? undefined : { feasible, rejected, nextIndex: startIndex % nodes.length }
}

function amongAll({ verdict }: Judge, { nodes, order }: Snapshot, startIndex: number): Found {
  const enough = nodesToFind(nodes.length)
  const found: NodeInfo[] = []
  const slots: number[] = []
  const rejected: NodeVerdict[] = []
  let looked = 0
  for (; looked < nodes.length && found.length < enough; looked++) {
    const position = (startIndex + looked) % nodes.length
    const node = nodes[position]
    const slot = order.slots[position]
    if (node === undefined || slot === undefined) continue
    const objection = verdict(node, slot)
    if (objection) rejected.push(objection)
    else {
      found.push(node)
      slots.push(slot)
    }
  }
  const feasible = { nodes: found, slots }
  return { feasible, rejected, nextIndex: nodes.length === 0 ? 0 : (startIndex + looked) % nodes.length }
}

function totalScores(judge: Judge, feasible: Candidates): readonly number[] {
  const { nodes } = feasible
  if (nodes.length === 1) return [0]
  const summed: Part[] = []
  const single: Part[] = []
  for (const [index, { plugin, prepared, weight }] of judge.plugins.entries()) {
    const scoring = weight === 0 ? undefined : prepared.scoring?.(nodes)
    if (scoring) (plugin.isLocal && !scoring.normalize ? summed : single).push({ index, weight, scoring })
  }
  const totals = judge.sums(summed, feasible)
  for (const part of single) {
    const { weight, scoring } = part
    const raw = judge.scores(part, feasible)
    if (scoring.keepsTies && raw.every((score) => score === raw[0])) continue
    const scores = scoring.normalize?.(raw, nodes) ?? raw
    for (let at = 0; at < totals.length; at++) totals[at] = (totals[at] ?? 0) + weight * (scores[at] ?? 0)
  }
  return totals
}

/** Those with the highest score, in order. */
function bestOf(feasible: readonly NodeInfo[], scores: readonly number[]): readonly NodeInfo[] {
  let highest = Number.NEGATIVE_INFINITY
  let best: NodeInfo[] = []
  for (let at = 0; at < feasible.length; at++) {
    const node = feasible[at]
    const score = scores[at]
    if (node === undefined || score === undefined || score < highest) continue
    if (score > highest) best = []
    highest = score
    best.push(node)
  }
  return best
}
