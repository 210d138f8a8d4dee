/**
 * What was found out for pods that are alike, kept between attempts. Pods are alike when everything that plugins
 * read of them is equal: their signature. What a local plugin says of such a pod and a node holds as long as the
 * node's info is the same object, and a sum over all nodes changes by the nodes whose info has changed.
 */

import { LruMap } from '../base/lru.ts'
import type { NodeCount, Prepared, Profile, Rejection } from './framework.ts'
import {
  type Candidates,
  type Judge,
  judgeBy,
  type NodeVerdict,
  type PreparedPlugin,
  restricts,
  sumOf,
} from './judge.ts'
import { namedNodes } from './plugins/node-affinity.ts'
import type { PodInfo } from './pod-info.ts'
import type { Lookups, NodeInfo, Snapshot } from './snapshot.ts'
import { slotsBetween, type Version } from './versions.ts'

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
 * Everything that local and counting plugins read of a pod; of its labels, what anybody asks for. Absent: nodes are not
 * asked for their names again. Pods that name all the nodes they may go to (of daemon sets, one each) are alike as far as
 * sums go, which is all that is remembered where nodes are named; only where pods spread it matters to sums which nodes
 * they may go to.
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
    lookups.asked.version,
    lookups.asked.of(info),
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

/** Numbers by the node's slot. */
type Numbers = (number | undefined)[]

/** Arrays are by the node's slot; what is not known of the node there is absent. */
class AlikePods {
  readonly #profile: Profile
  readonly #counts: readonly (NodeCount | undefined)[]
  readonly #nodes: (NodeInfo | undefined)[] = []
  readonly #verdicts: (LocalVerdict | undefined)[] = []
  /** What plugins that are not local said last. */
  readonly #objections: NodeVerdict[] = []
  readonly #sums: Numbers = []
  /** Of the local plugins; absent for the others. */
  readonly #scores: readonly (Numbers | undefined)[]
  /** Of the local plugins; absent as well where they name nodes, which pods that are alike may do differently. */
  readonly #prepared: (Prepared | undefined)[] = []
  #version: Version | undefined

  constructor(pod: PodInfo, profile: Profile, lookups: Lookups) {
    this.#profile = profile
    this.#counts = profile.plugins.map(({ plugin }) => plugin.count?.(pod, lookups))
    this.#scores = profile.plugins.map(({ plugin }) => (plugin.isLocal ? [] : undefined))
  }

  judge(pod: PodInfo, snapshot: Snapshot): Judge {
    this.#follow(snapshot)
    const plugins = this.#profile.plugins.map(({ plugin, weight }, index) => {
      const prepared =
        this.#prepared[index] ?? this.#counts[index]?.prepared(snapshot.nodes) ?? plugin.prepare(pod, snapshot)
      if (plugin.isLocal && !restricts(prepared)) this.#prepared[index] = prepared
      return { plugin, weight, prepared }
    })
    if (plugins.some(({ prepared }) => restricts(prepared))) return judgeBy(plugins)
    const others = plugins.flatMap(({ plugin, prepared: { filter } }, index) =>
      plugin.isLocal || !filter ? [] : [{ index, plugin: plugin.name, filter }],
    )
    return {
      plugins,
      verdict: (node, slot) => {
        const local = this.#verdicts[slot] ?? this.#localVerdict(plugins, node)
        for (const { index, plugin, filter } of others) {
          if (index > local.index) break
          const rejection = filter(node)
          if (rejection) return this.#objection(node, plugin, rejection)
        }
        return local.verdict
      },
      scores: ({ index, scoring }, candidates) => {
        const known = this.#scores[index]
        return known ? recalled(known, candidates, scoring.score) : candidates.nodes.map((node) => scoring.score(node))
      },
      // The parts are the same for all pods that are alike.
      sums: (parts, candidates) => recalled(this.#sums, candidates, (node) => sumOf(parts, node)),
    }
  }

  #localVerdict(plugins: readonly PreparedPlugin[], node: NodeInfo): LocalVerdict {
    const found = localVerdict(plugins, node)
    this.#verdicts[node.slot] = found
    return found
  }

  /** Most nodes that are out are so for the same reason as before. */
  #objection(node: NodeInfo, plugin: string, rejection: Rejection): NodeVerdict {
    const known = this.#objections[node.slot]
    if (known?.rejection === rejection && known.plugin === plugin && known.nodeName === node.name) return known
    const objection = { nodeName: node.name, plugin, rejection }
    this.#objections[node.slot] = objection
    return objection
  }

  /** Forgets what was known of nodes that changed, and counts them anew. All are taken out before any is put in. */
  #follow(snapshot: Snapshot): void {
    const slots = slotsBetween(this.#version, snapshot.version) ?? this.#allSlots(snapshot)
    this.#version = snapshot.version
    for (const slot of slots) {
      const before = this.#nodes[slot]
      if (before === snapshot.at(slot)) continue
      this.#add(before, -1)
      this.#nodes[slot] = undefined
    }
    for (const slot of slots) {
      const node = snapshot.at(slot)
      if (node === this.#nodes[slot]) continue
      this.#add(node, 1)
      this.#nodes[slot] = node
      this.#verdicts[slot] = undefined
      this.#sums[slot] = undefined
      for (const scores of this.#scores) if (scores) scores[slot] = undefined
    }
  }

  #allSlots({ nodes }: Snapshot): readonly number[] {
    return [...this.#nodes.keys(), ...nodes.map(({ slot }) => slot)]
  }

  #add(node: NodeInfo | undefined, sign: 1 | -1): void {
    if (!node) return
    for (const count of this.#counts) count?.add(node, sign)
  }
}

function recalled(known: Numbers, { nodes, slots }: Candidates, find: (node: NodeInfo) => number): number[] {
  return slots.map((slot, at) => {
    const before = known[slot]
    const node = nodes[at]
    if (before !== undefined || node === undefined) return before ?? 0
    const found = find(node)
    known[slot] = found
    return found
  })
}

function localVerdict(plugins: readonly PreparedPlugin[], node: NodeInfo): LocalVerdict {
  for (const [index, { plugin, prepared }] of plugins.entries()) {
    const rejection = plugin.isLocal ? prepared.filter?.(node) : undefined
    if (rejection) return { index, verdict: { nodeName: node.name, plugin: plugin.name, rejection } }
  }
  return NO_OBJECTION
}
