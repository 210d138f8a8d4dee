/**
 * Pods that want to be near other pods, or away from them, within a topology domain. Required anti-affinity
 * works in both directions: pods that are there keep new ones away too.
 */

import { type Finding, type Plugin, type Rejection, reject, SCORE_MAX, type Scoring } from '../framework.ts'
import { type AffinityTerm, type PodInfo, termMatches } from '../pod-info.ts'
import type { NodeInfo, Snapshot } from '../snapshot.ts'
import { DomainCounts, domainOf } from '../topology.ts'

const REASON_AFFINITY = "node(s) didn't match pod affinity rules"
const REASON_ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
const REASON_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"

export const interPodAffinity: Plugin = {
  name: 'InterPodAffinity',
  prepare(pod, snapshot) {
    const rules = rulesFor(pod, snapshot)
    return {
      ...(rules ? { filter: (node: NodeInfo) => violation(pod, rules, node), explain: explain(pod, rules) } : {}),
      scoring: (feasible) => scoring(pod, snapshot, feasible),
    }
  },
  wakes(pod, event) {
    if (event.resource === 'self' || event.resource === 'namespaces') return true
    if (event.resource === 'nodes') return true
    if (event.resource === 'volumes') return false
    const terms = [...pod.requiredAffinity, ...pod.requiredAntiAffinity]
    const changed = event.pod
    const named = (term: AffinityTerm, other: PodInfo) => termMatches(term, other, () => other.labels)
    return (
      terms.some((term) => term.namespaceSelector !== undefined || named(term, changed)) ||
      changed.requiredAntiAffinity.some((term) => term.namespaceSelector !== undefined || named(term, pod)) ||
      (event.previous !== undefined && terms.some((term) => named(term, event.previous ?? changed)))
    )
  },
}

interface Rules {
  /** Pods there that match all of the pod's required affinity terms, per domain. */
  readonly wanted: DomainCounts
  readonly unwanted: DomainCounts
  /** Pods there that do not want this pod near. */
  readonly refusing: DomainCounts
  /** The first of a group that wants to be together has nobody to join. */
  readonly mayStartGroup: boolean
}

/** Absent: nothing keeps the pod from any node. */
function rulesFor(pod: PodInfo, snapshot: Snapshot): Rules | undefined {
  const matches = (term: AffinityTerm, other: PodInfo) => termMatches(term, other, snapshot.lookups.namespaceLabels)
  const wanted = new DomainCounts()
  const unwanted = new DomainCounts()
  const refusing = new DomainCounts()
  for (const node of snapshot.nodes) {
    for (const other of node.podsWithAntiAffinity) {
      const terms = other.requiredAntiAffinity.filter((term) => matches(term, pod))
      count(refusing, terms, node)
    }
    if (pod.requiredAffinity.length + pod.requiredAntiAffinity.length === 0) continue
    for (const other of node.pods) {
      if (pod.requiredAffinity.length > 0 && pod.requiredAffinity.every((term) => matches(term, other))) {
        count(wanted, pod.requiredAffinity, node)
      }
      const terms = pod.requiredAntiAffinity.filter((term) => matches(term, other))
      count(unwanted, terms, node)
    }
  }
  if (pod.requiredAffinity.length === 0 && unwanted.isEmpty && refusing.isEmpty) return undefined
  const mayStartGroup = wanted.isEmpty && pod.requiredAffinity.every((term) => matches(term, pod))
  return { wanted, unwanted, refusing, mayStartGroup }
}

function count(counts: DomainCounts, terms: readonly AffinityTerm[], node: NodeInfo): void {
  for (const { topologyKey } of terms) {
    const domain = domainOf(node, topologyKey)
    if (domain !== undefined) counts.add(topologyKey, domain, 1)
  }
}

function violation(pod: PodInfo, rules: Rules, node: NodeInfo): Rejection | undefined {
  if (!isNearWanted(pod, rules, node)) return reject(REASON_AFFINITY, false)
  if (pod.requiredAntiAffinity.some(({ topologyKey }) => rules.unwanted.at(topologyKey, node) > 0)) {
    return reject(REASON_ANTI_AFFINITY, true)
  }
  const refused = [...rules.refusing.keys()].some((key) => rules.refusing.at(key, node) > 0)
  return refused ? reject(REASON_EXISTING, true) : undefined
}

function isNearWanted(pod: PodInfo, { wanted, mayStartGroup }: Rules, node: NodeInfo): boolean {
  if (pod.requiredAffinity.some(({ topologyKey }) => domainOf(node, topologyKey) === undefined)) return false
  return mayStartGroup || pod.requiredAffinity.every(({ topologyKey }) => wanted.at(topologyKey, node) > 0)
}

function explain(pod: PodInfo, rules: Rules): (node: NodeInfo) => readonly Finding[] {
  return (node) => {
    const near = pod.requiredAffinity
      .filter(({ topologyKey }) => rules.wanted.at(topologyKey, node) === 0)
      .map((term) => ({ text: `podAffinity: no pod with ${term.selector} in its ${term.topologyKey}` }))
    const away = pod.requiredAntiAffinity
      .filter(({ topologyKey }) => rules.unwanted.at(topologyKey, node) > 0)
      .map((term) => ({ text: `podAntiAffinity: a pod with ${term.selector} in its ${term.topologyKey}` }))
    const refused = [...rules.refusing.keys()]
      .filter((key) => rules.refusing.at(key, node) > 0)
      .map((key) => ({ text: `a pod in its ${key} does not want this one near (podAntiAffinity)` }))
    return [...near, ...away, ...refused]
  }
}

function scoring(pod: PodInfo, snapshot: Snapshot, feasible: readonly NodeInfo[]): Scoring | undefined {
  const matches = (term: AffinityTerm, other: PodInfo) => termMatches(term, other, snapshot.lookups.namespaceLabels)
  const scores = new DomainCounts()
  const add = (terms: readonly AffinityTerm[], other: PodInfo, node: NodeInfo, sign: 1 | -1) => {
    for (const term of terms) {
      const domain = domainOf(node, term.topologyKey)
      if (domain !== undefined && matches(term, other)) scores.add(term.topologyKey, domain, sign * term.weight)
    }
  }
  const prefers = pod.preferredAffinity.length + pod.preferredAntiAffinity.length > 0
  for (const node of snapshot.nodes) {
    for (const other of prefers ? node.pods : node.podsWithAffinity) {
      add(pod.preferredAffinity, other, node, 1)
      add(pod.preferredAntiAffinity, other, node, -1)
      // Those that are there have wishes too; what they require of others counts as a weak wish.
      add(other.requiredAffinity, pod, node, 1)
      add(other.preferredAffinity, pod, node, 1)
      add(other.preferredAntiAffinity, pod, node, -1)
    }
  }
  if (scores.isEmpty || feasible.length === 0) return undefined
  const keys = [...scores.keys()]
  return {
    score: (node) => keys.reduce((sum, key) => sum + scores.at(key, node), 0),
    normalize(raw) {
      const min = Math.min(...raw)
      const spread = Math.max(...raw) - min
      return raw.map((score) => (spread === 0 ? 0 : Math.floor((SCORE_MAX * (score - min)) / spread)))
    },
  }
}
