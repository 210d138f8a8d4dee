/**
 * Spreads pods evenly over domains. The skew of a domain is how many more matching pods it would have than
 * the emptiest one; hard constraints bound it, soft ones prefer it small.
 */

import { tolerates } from '../../apis/core/pod/node-fit.ts'
import type { TopologySpreadConstraint } from '../../apis/core/types.gen.ts'
import { type Selector, selectorFromLabelSelector, selectorOf } from '../../machinery/meta/labels.ts'
import {
  countedOver,
  type NodeCount,
  type Plugin,
  type Prepared,
  type Rejection,
  reject,
  SCORE_MAX,
  type Scoring,
} from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import type { Lookups, NodeInfo } from '../snapshot.ts'
import { DomainSizes, domainOf } from '../topology.ts'
import { isAllowed } from './node-affinity.ts'
import { hardTaints } from './taint-toleration.ts'

const REASON = "node(s) didn't match pod topology spread constraints"
const SKEWED = reject(REASON, true)
const LABEL_MISSING = reject(`${REASON} (missing required label)`, false)
const HOSTNAME = 'kubernetes.io/hostname'

/** How pods are spread that say nothing about it: loosely over nodes, more loosely over zones. */
const DEFAULT_SKEWS = [
  { topologyKey: HOSTNAME, maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
] as const

export const podTopologySpread: Plugin = {
  name: 'PodTopologySpread',
  prepare: (pod, { nodes, lookups }) => countedOver(count(pod, lookups), nodes),
  count,
  wakes(pod, event) {
    if (event.resource === 'self' || event.resource === 'nodes') return true
    if (event.resource !== 'pods' || event.pod.namespace !== pod.namespace) return false
    return (pod.pod.spec?.topologySpreadConstraints ?? []).some((entry) => {
      const { selector } = constraintOf(entry, pod)
      return (
        selector.matches(event.pod.labels) || (event.previous !== undefined && selector.matches(event.previous.labels))
      )
    })
  },
}

function count(pod: PodInfo, lookups: Lookups): NodeCount {
  const own = (pod.pod.spec?.topologySpreadConstraints ?? []).map((entry) => constraintOf(entry, pod))
  const hard = new SpreadCount(
    pod,
    own.filter(({ isHard }) => isHard),
    true,
  )
  const soft =
    own.length === 0
      ? new SpreadCount(pod, defaultConstraints(lookups.siblings(pod)), false)
      : new SpreadCount(
          pod,
          own.filter(({ isHard }) => !isHard),
          true,
        )
  return {
    add(node, sign) {
      hard.add(node, sign)
      soft.add(node, sign)
    },
    prepared: () => ({
      ...(hard.isEmpty ? {} : hardParts(pod, hard)),
      scoring: (feasible) => (soft.isEmpty ? undefined : scoring(soft, feasible)),
    }),
  }
}

/** What a pod without constraints of its own is held to. */
function defaultConstraints(siblings: Selector): readonly Constraint[] {
  if (siblings.nothing || siblings.requirements.length === 0) return []
  const rest = { minDomains: 1, selector: siblings, isHard: false, honorsAffinity: true, honorsTaints: false }
  return DEFAULT_SKEWS.map((skew) => ({ ...skew, ...rest }))
}

interface Constraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly minDomains: number
  readonly selector: Selector
  readonly isHard: boolean
  /** Which nodes count: only those the pod's affinity allows, only those whose taints it tolerates. */
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
}

function constraintOf(constraint: TopologySpreadConstraint, pod: PodInfo): Constraint {
  const selector = selectorFromLabelSelector(constraint.labelSelector)
  const own = (constraint.matchLabelKeys ?? []).flatMap((key) =>
    Object.hasOwn(pod.labels, key) ? [{ key, operator: '=' as const, values: [pod.labels[key] ?? ''] }] : [],
  )
  const narrowed = selector.nothing || own.length === 0 ? selector : selectorOf([...selector.requirements, ...own])
  return {
    topologyKey: constraint.topologyKey,
    maxSkew: constraint.maxSkew,
    minDomains: constraint.minDomains ?? 1,
    selector: narrowed,
    isHard: constraint.whenUnsatisfiable === 'DoNotSchedule',
    honorsAffinity: constraint.nodeAffinityPolicy !== 'Ignore',
    honorsTaints: constraint.nodeTaintsPolicy === 'Honor',
  }
}

function counts(pod: PodInfo, constraint: Constraint, node: NodeInfo): boolean {
  if (constraint.honorsAffinity && !isAllowed(pod, node)) return false
  if (!constraint.honorsTaints) return true
  return hardTaints(node).every((taint) => tolerates(pod.pod.spec?.tolerations, taint))
}

function matching(constraint: Constraint, pod: PodInfo, node: NodeInfo): number {
  return node.pods.filter(
    (other) =>
      other.namespace === pod.namespace &&
      !other.pod.metadata.deletionTimestamp &&
      constraint.selector.matches(other.labels),
  ).length
}

interface Counted {
  readonly constraint: Constraint
  /** By domain: the pods that match, on nodes that count. */
  readonly domains: DomainSizes
  /** Pods that match by node, for constraints on single nodes. */
  readonly byNode: Map<string, number>
}

/** Matching pods per domain of each constraint. With `needsKeys`, nodes that lack the label of any do not count. */
class SpreadCount {
  readonly counted: readonly Counted[]
  readonly #pod: PodInfo
  readonly #needsKeys: boolean

  constructor(pod: PodInfo, constraints: readonly Constraint[], needsKeys: boolean) {
    this.#pod = pod
    this.#needsKeys = needsKeys
    this.counted = constraints.map((constraint) => ({ constraint, domains: new DomainSizes(), byNode: new Map() }))
  }

  get isEmpty(): boolean {
    return this.counted.length === 0
  }

  hasKeys(node: NodeInfo): boolean {
    if (!this.#needsKeys) return true
    return this.counted.every(({ constraint: { topologyKey } }) => domainOf(node, topologyKey) !== undefined)
  }

  add(node: NodeInfo, sign: 1 | -1): void {
    if (this.isEmpty || !this.hasKeys(node)) return
    for (const { constraint, domains, byNode } of this.counted) {
      const domain = domainOf(node, constraint.topologyKey)
      if (domain === undefined) continue
      const pods = matching(constraint, this.#pod, node)
      if (counts(this.#pod, constraint, node)) domains.add(domain, pods, sign)
      if (constraint.topologyKey !== HOSTNAME) continue
      if (sign > 0) byNode.set(node.name, pods)
      else byNode.delete(node.name)
    }
  }
}

function hardParts(pod: PodInfo, hard: SpreadCount): Prepared {
  const bounds = hard.counted.map(({ constraint, domains }) => {
    const self = constraint.selector.matches(pod.labels) ? 1 : 0
    // The pods in the emptiest domain; 0 while there are fewer domains than wanted.
    const least = domains.size < constraint.minDomains ? 0 : domains.leastPods()
    return { constraint, skewOn: (domain: string) => domains.pods(domain) + self - least }
  })
  return {
    filter: (node) => violation(bounds, node),
    explain: (node) => bounds.flatMap((bound) => explain(bound, node)),
  }
}

interface Bound {
  readonly constraint: Constraint
  /** What the skew would be with the pod there. */
  skewOn(domain: string): number
}

function violation(bounds: readonly Bound[], node: NodeInfo): Rejection | undefined {
  for (const { constraint, skewOn } of bounds) {
    const domain = domainOf(node, constraint.topologyKey)
    if (domain === undefined) return LABEL_MISSING
    if (skewOn(domain) > constraint.maxSkew) return SKEWED
  }
  return undefined
}

function explain({ constraint: { topologyKey, maxSkew }, skewOn }: Bound, node: NodeInfo) {
  const domain = domainOf(node, topologyKey)
  if (domain === undefined) return [{ text: `topologySpread: no label ${topologyKey}` }]
  const skew = skewOn(domain)
  if (skew <= maxSkew) return []
  return [{ text: `topologySpread: skew of ${topologyKey}=${domain} would be ${skew}, at most ${maxSkew} allowed` }]
}

/** Nodes that do not count are the worst; those that lack one label miss that constraint only. */
function scoring(soft: SpreadCount, feasible: readonly NodeInfo[]): Scoring {
  const candidates = feasible.filter((node) => soft.hasKeys(node))
  const weighted = soft.counted.map(({ constraint, domains, byNode }) => {
    const { topologyKey, maxSkew } = constraint
    const isHost = topologyKey === HOSTNAME
    // Many domains with few pods each should weigh as much as few domains with many.
    const weight = Math.log((isHost ? candidates.length : domainsAmong(candidates, topologyKey)) + 2)
    const podsAt = (node: NodeInfo, domain: string) => (isHost ? (byNode.get(node.name) ?? 0) : domains.pods(domain))
    return { topologyKey, maxSkew, weight, podsAt }
  })
  return {
    score(node) {
      if (!soft.hasKeys(node)) return 0
      let sum = 0
      for (const { topologyKey, maxSkew, weight, podsAt } of weighted) {
        const domain = domainOf(node, topologyKey)
        if (domain !== undefined) sum = sum + podsAt(node, domain) * weight + (maxSkew - 1)
      }
      return Math.round(sum)
    },
    normalize(scores, nodes) {
      const isCandidate = nodes.map((node) => soft.hasKeys(node))
      const relevant = scores.filter((_, index) => isCandidate[index])
      const max = relevant.reduce((left, right) => Math.max(left, right), 0)
      const min = relevant.reduce((left, right) => Math.min(left, right), Number.POSITIVE_INFINITY)
      return scores.map((score, index) => {
        if (!isCandidate[index]) return 0
        return max === 0 ? SCORE_MAX : Math.floor((SCORE_MAX * (max + min - score)) / max)
      })
    },
  }
}

function domainsAmong(nodes: readonly NodeInfo[], topologyKey: string): number {
  const domains = new Set(nodes.map((node) => domainOf(node, topologyKey)))
  domains.delete(undefined)
  return domains.size
}
