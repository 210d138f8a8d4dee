/**
 * The decision: which node a pod goes to, or why none. Pure: the same pod, snapshot, profile and chance give
 * the same decision.
 */

import type { PodMemory } from './alike.ts'
import { fitMessage } from './fit-message.ts'
import type { Profile } from './framework.ts'
import { type Judge, judgeBy, type NodeVerdict, preparePlugins } from './judge.ts'
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
  if (feasible.length === 0) {
    const rejections = rejected.map(({ rejection }) => rejection)
    const message = fitMessage(snapshot.nodes.length, rejections)
    const plugins = new Set(rejected.map(({ plugin }) => plugin))
    return { result: 'unschedulable', message, plugins, rejected, nextIndex }
  }
  const best = bestOf(feasible, totalScores(judge, feasible))
  const chosen = best[best.length > 1 ? chance.pick(best.length) : 0]
  return { result: 'assigned', nodeName: chosen?.node.name ?? '', rejected, nextIndex }
}

interface Candidate {
  readonly node: NodeInfo
  readonly position: number
}

interface Found extends Looked {
  readonly feasible: readonly Candidate[]
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
  const feasible: Candidate[] = []
  const rejected: NodeVerdict[] = []
  for (const position of positions.sort((left, right) => turnOf(left) - turnOf(right))) {
    const node = nodes[position]
    const objection = node && verdict(node, position)
    if (objection) rejected.push(objection)
    else if (node) feasible.push({ node, position })
  }
  return feasible.length === 0 ? undefined : { feasible, rejected, nextIndex: startIndex % nodes.length }
}

function amongAll(judge: Judge, { nodes }: Snapshot, startIndex: number): Found {
  const enough = nodesToFind(nodes.length)
  const feasible: Candidate[] = []
  const rejected: NodeVerdict[] = []
  let looked = 0
  for (; looked < nodes.length && feasible.length < enough; looked++) {
    const position = (startIndex + looked) % nodes.length
    const node = nodes[position]
    if (!node) continue
    const verdict = judge.verdict(node, position)
    if (verdict) rejected.push(verdict)
    else feasible.push({ node, position })
  }
  return { feasible, rejected, nextIndex: nodes.length === 0 ? 0 : (startIndex + looked) % nodes.length }
}

function totalScores(judge: Judge, feasible: readonly Candidate[]): readonly number[] {
  const totals = feasible.map(() => 0)
  if (feasible.length === 1) return totals
  const nodes = feasible.map(({ node }) => node)
  for (const [index, { prepared, weight }] of judge.plugins.entries()) {
    const scoring = weight === 0 ? undefined : prepared.scoring?.(nodes)
    if (!scoring) continue
    const raw = feasible.map(({ node, position }) => judge.score(index, scoring, node, position))
    const scores = scoring.normalize?.(raw, nodes) ?? raw
    for (let at = 0; at < totals.length; at++) totals[at] = (totals[at] ?? 0) + weight * (scores[at] ?? 0)
  }
  return totals
}

function bestOf(feasible: readonly Candidate[], scores: readonly number[]): readonly Candidate[] {
  const best = scores.reduce((left, right) => Math.max(left, right), Number.NEGATIVE_INFINITY)
  return feasible.filter((_, index) => scores[index] === best)
}
