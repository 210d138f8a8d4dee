/**
 * Spreads pods evenly over domains. The skew of a domain is how many more matching pods it would have than
 * the emptiest one; hard constraints bound it, soft ones prefer it small.
 */

import { tolerates } from '../../apis/core/pod/node-fit.ts'
import type { TopologySpreadConstraint } from '../../apis/core/types.gen.ts'
import { type Selector, selectorFromLabelSelector, selectorOf } from '../../machinery/meta/labels.ts'
import { type Plugin, type Rejection, reject, SCORE_MAX, type Scoring } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import type { NodeInfo, Snapshot } from '../snapshot.ts'
import { DomainCounts, domainOf } from '../topology.ts'
import { isAllowed } from './node-affinity.ts'
import { hardTaints } from './taint-toleration.ts'

const REASON = "node(s) didn't match pod topology spread constraints"
const REASON_LABEL = `${REASON} (missing required label)`
const HOSTNAME = 'kubernetes.io/hostname'

/** How pods are spread that say nothing about it: loosely over nodes, more loosely over zones. */
const DEFAULT_SKEWS = [
  { topologyKey: HOSTNAME, maxSkew: 3 },
  { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 5 },
] as const

export const podTopologySpread: Plugin = {
  name: 'PodTopologySpread',
  prepare(pod, snapshot) {
    const constraints = (pod.pod.spec?.topologySpreadConstraints ?? []).map((entry) => constraintOf(entry, pod))
    const hard = constraints.filter(({ isHard }) => isHard)
    const soft = constraints.filter(({ isHard }) => !isHard)
    const counted = hard.length > 0 ? countDomains(pod, snapshot, hard) : []
    return {
      ...(hard.length > 0
        ? {
            filter: (node: NodeInfo) => violation(pod, counted, node),
            explain: (node: NodeInfo) => counted.flatMap((entry) => explain(pod, entry, node)),
          }
        : {}),
      scoring(feasible) {
        if (constraints.length === 0) return defaultScoring(pod, snapshot, feasible)
        return soft.length > 0 ? scoring(pod, snapshot, soft, feasible, true) : undefined
      },
    }
  },
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
  readonly domains: ReadonlyMap<string, number>
  /** Pods in the emptiest domain; 0 while there are fewer domains than wanted. */
  readonly least: number
}

function countDomains(pod: PodInfo, snapshot: Snapshot, constraints: readonly Constraint[]): readonly Counted[] {
  const keys = constraints.map(({ topologyKey }) => topologyKey)
  const nodes = snapshot.nodes.filter((node) => keys.every((key) => domainOf(node, key) !== undefined))
  return constraints.map((constraint) => {
    const domains = new DomainCounts()
    for (const node of nodes) {
      if (!counts(pod, constraint, node)) continue
      domains.add(constraint.topologyKey, domainOf(node, constraint.topologyKey) ?? '', matching(constraint, pod, node))
    }
    const numbers = domains.domains(constraint.topologyKey)
    const least = numbers.size < constraint.minDomains ? 0 : Math.min(...numbers.values())
    return { constraint, domains: numbers, least }
  })
}

function skewOn(pod: PodInfo, { constraint, domains, least }: Counted, domain: string): number {
  const self = constraint.selector.matches(pod.labels) ? 1 : 0
  return (domains.get(domain) ?? 0) + self - least
}

function violation(pod: PodInfo, counted: readonly Counted[], node: NodeInfo): Rejection | undefined {
  for (const entry of counted) {
    const domain = domainOf(node, entry.constraint.topologyKey)
    if (domain === undefined) return reject(REASON_LABEL, false)
    if (skewOn(pod, entry, domain) > entry.constraint.maxSkew) return reject(REASON, true)
  }
  return undefined
}

function explain(pod: PodInfo, entry: Counted, node: NodeInfo) {
  const { topologyKey, maxSkew } = entry.constraint
  const domain = domainOf(node, topologyKey)
  if (domain === undefined) return [{ text: `topologySpread: no label ${topologyKey}` }]
  const skew = skewOn(pod, entry, domain)
  if (skew <= maxSkew) return []
  return [{ text: `topologySpread: skew of ${topologyKey}=${domain} would be ${skew}, at most ${maxSkew} allowed` }]
}

function defaultScoring(pod: PodInfo, snapshot: Snapshot, feasible: readonly NodeInfo[]): Scoring | undefined {
  const selector = snapshot.lookups.siblings(pod)
  if (selector.nothing || selector.requirements.length === 0) return undefined
  const rest = { minDomains: 1, selector, isHard: false, honorsAffinity: true, honorsTaints: false }
  const constraints = DEFAULT_SKEWS.map((skew) => ({ ...skew, ...rest }))
  return scoring(pod, snapshot, constraints, feasible, false)
}

/** With `needsKeys`, nodes that lack the label of any constraint are the worst; else they miss that constraint only. */
function scoring(
  pod: PodInfo,
  snapshot: Snapshot,
  constraints: readonly Constraint[],
  feasible: readonly NodeInfo[],
  needsKeys: boolean,
): Scoring {
  const hasKeys = (node: NodeInfo) =>
    !needsKeys || constraints.every(({ topologyKey }) => domainOf(node, topologyKey) !== undefined)
  const candidates = feasible.filter(hasKeys)
  const perConstraint = constraints.map((constraint) => {
    const { topologyKey } = constraint
    const domains = new DomainCounts()
    for (const node of candidates) {
      const domain = domainOf(node, topologyKey)
      if (domain !== undefined) domains.add(topologyKey, domain, 0)
    }
    const isHost = topologyKey === HOSTNAME
    for (const node of isHost ? [] : snapshot.nodes) {
      const domain = domainOf(node, topologyKey)
      if (domain === undefined || !domains.domains(topologyKey).has(domain) || !hasKeys(node)) continue
      if (counts(pod, constraint, node)) domains.add(topologyKey, domain, matching(constraint, pod, node))
    }
    // Many domains with few pods each should weigh as much as few domains with many.
    const size = isHost ? candidates.length : domains.domains(topologyKey).size
    return { constraint, domains, isHost, weight: Math.log(size + 2) }
  })
  return {
    score(node) {
      if (!hasKeys(node)) return 0
      const sum = perConstraint.reduce((total, { constraint, domains, isHost, weight }) => {
        if (domainOf(node, constraint.topologyKey) === undefined) return total
        const pods = isHost ? matching(constraint, pod, node) : domains.at(constraint.topologyKey, node)
        return total + pods * weight + (constraint.maxSkew - 1)
      }, 0)
      return Math.round(sum)
    },
    normalize(scores, nodes) {
      const relevant = scores.filter((_, index) => isCandidate(nodes[index], hasKeys))
      const max = Math.max(0, ...relevant)
      const min = Math.min(...relevant)
      return scores.map((score, index) => {
        if (!isCandidate(nodes[index], hasKeys)) return 0
        return max === 0 ? SCORE_MAX : Math.floor((SCORE_MAX * (max + min - score)) / max)
      })
    },
  }
}

function isCandidate(node: NodeInfo | undefined, hasKeys: (node: NodeInfo) => boolean): boolean {
  return node !== undefined && hasKeys(node)
}
