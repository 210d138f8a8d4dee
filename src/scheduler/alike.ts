/**
 * What was found out for pods that are alike, kept between attempts. Pods are alike when everything that plugins
 * read of them is equal: their signature. What a local plugin says of such a pod and a node holds as long as the
 * node's info is the same object, and a sum over all nodes changes by the nodes whose info has changed.
 */

import { LruMap } from '../base/lru.ts'
import type { NodeCount, Profile, Scoring } from './framework.ts'
import { type Judge, judgeBy, type NodeVerdict, type PreparedPlugin, restricts } from './judge.ts'
import { namedNodes } from './plugins/node-affinity.ts'
import type { PodInfo } from './pod-info.ts'
import type { Lookups, NodeInfo, Snapshot } from './snapshot.ts'

/** Signatures that are remembered, those of the pods tried last: 100 bytes per node each, 8 MB at 5,000 nodes. */
const SIGNATURES_MAX = 16

export class PodMemory {
  #alike = new LruMap<string, AlikePods>(SIGNATURES_MAX)
  readonly #profile: Profile

  constructor(profile: Profile) {
    this.#profile = profile
  }

  /** Absent: nothing can be remembered of pods such as this one. */
  judge(pod: PodInfo, snapshot: Snapshot): Judge | undefined {
    return this.judgesOf(pod, snapshot.lookups)?.(snapshot)
  }

  /** For one pod and many snapshots, while the lookups answer the same; each judge holds until the next is made. */
  judgesOf(pod: PodInfo, lookups: Lookups): ((snapshot: Snapshot) => Judge) | undefined {
    const signature = signatureOf(pod, lookups)
    if (signature === undefined) return undefined
    const known = this.#alike.get(signature)
    const alike = known ?? new AlikePods(pod, this.#profile, lookups)
    if (!known) this.#alike.set(signature, alike)
    return (snapshot) => alike.judge(pod, snapshot)
  }

  /** Something changed that sums are made of and that is neither a node nor a pod: labels of a namespace. */
  clear(): void {
    this.#alike = new LruMap(SIGNATURES_MAX)
  }
}

/**
 * Everything that local and counting plugins read of a pod. Absent: nodes are not asked for their names again. Pods
 * that name all the nodes they may go to (of daemon sets, one each) are alike as far as sums go, which is all that is
 * remembered where nodes are named; only where pods spread it matters to sums which nodes they may go to.
 */
function signatureOf(info: PodInfo, lookups: Lookups): string | undefined {
  const { spec } = info.pod
  const nodeAffinity = spec?.affinity?.nodeAffinity
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const isByName = required?.nodeSelectorTerms.some(({ matchFields }) => matchFields !== undefined)
  const siblings = lookups.siblings(info)
  const spreads = (spec?.topologySpreadConstraints ?? []).length > 0 || !siblings.nothing
  if (isByName && (spreads || namedNodes(spec) === undefined)) return undefined
  return JSON.stringify([
    info.namespace,
    info.labels,
    spec?.nodeName,
    spec?.nodeSelector,
    isByName ? { ...spec?.affinity, nodeAffinity: 'by name' } : spec?.affinity,
    spec?.tolerations,
    spec?.topologySpreadConstraints,
    spec?.initContainers?.map(({ image }) => image),
    spec?.containers.map(({ image }) => image),
    [...info.requests],
    info.expected,
    info.hostPorts,
    siblings.nothing ? null : siblings.toString(),
  ])
}

/** What the local plugins say of a node: who objects first, and how. */
interface LocalVerdict {
  readonly index: number
  readonly verdict?: NodeVerdict
}

const NO_OBJECTION: LocalVerdict = { index: Number.POSITIVE_INFINITY }

/** Arrays are by a node's position in the snapshot; what is not known of the node there is absent, or NaN. */
class AlikePods {
  readonly #profile: Profile
  readonly #counts: readonly (NodeCount | undefined)[]
  readonly #verdicts: (LocalVerdict | undefined)[] = []
  /** By plugin, then by node. */
  readonly #scores: readonly number[][]
  #nodes: readonly NodeInfo[] = []

  constructor(pod: PodInfo, profile: Profile, lookups: Lookups) {
    this.#profile = profile
    this.#counts = profile.plugins.map(({ plugin }) => plugin.count?.(pod, lookups))
    this.#scores = profile.plugins.map(() => [])
  }

  judge(pod: PodInfo, snapshot: Snapshot): Judge {
    this.#follow(snapshot.nodes)
    const plugins = this.#profile.plugins.map(({ plugin, weight }, index) => {
      const prepared = this.#counts[index]?.prepared(snapshot.nodes) ?? plugin.prepare(pod, snapshot)
      return { plugin, weight, prepared }
    })
    if (plugins.some(({ prepared }) => restricts(prepared))) return judgeBy(plugins)
    const others = [...plugins.entries()].filter(([, { plugin, prepared }]) => !plugin.isLocal && prepared.filter)
    return {
      plugins,
      verdict: (node, position) => {
        const local = this.#localVerdict(plugins, node, position)
        for (const [index, { plugin, prepared }] of others) {
          if (index > local.index) break
          const rejection = prepared.filter?.(node)
          if (rejection) return { nodeName: node.name, plugin: plugin.name, rejection }
        }
        return local.verdict
      },
      score: (index, scoring, node, position) => this.#score(index, scoring, node, position),
    }
  }

  #localVerdict(plugins: readonly PreparedPlugin[], node: NodeInfo, position: number): LocalVerdict {
    const known = this.#verdicts[position]
    if (known) return known
    const found = localVerdict(plugins, node)
    this.#verdicts[position] = found
    return found
  }

  #score(index: number, scoring: Scoring, node: NodeInfo, position: number): number {
    if (!this.#profile.plugins[index]?.plugin.isLocal) return scoring.score(node)
    const scores = this.#scores[index] ?? []
    const known = scores[position] ?? Number.NaN
    if (!Number.isNaN(known)) return known
    const score = scoring.score(node)
    scores[position] = score
    return score
  }

  /** Forgets what was known of nodes that changed, and counts them anew. All are taken out before any is put in. */
  #follow(nodes: readonly NodeInfo[]): void {
    const before = this.#nodes
    if (before === nodes) return
    const changed: number[] = []
    const length = Math.max(before.length, nodes.length)
    for (let position = 0; position < length; position++) {
      if (before[position] !== nodes[position]) changed.push(position)
    }
    for (const position of changed) this.#add(before[position], -1)
    for (const position of changed) {
      this.#add(nodes[position], 1)
      this.#verdicts[position] = undefined
      for (const scores of this.#scores) scores[position] = Number.NaN
    }
    this.#nodes = nodes
  }

  #add(node: NodeInfo | undefined, sign: 1 | -1): void {
    if (!node) return
    for (const count of this.#counts) count?.add(node, sign)
  }
}

function localVerdict(plugins: readonly PreparedPlugin[], node: NodeInfo): LocalVerdict {
  for (const [index, { plugin, prepared }] of plugins.entries()) {
    const rejection = plugin.isLocal ? prepared.filter?.(node) : undefined
    if (rejection) return { index, verdict: { nodeName: node.name, plugin: plugin.name, rejection } }
  }
  return NO_OBJECTION
}
