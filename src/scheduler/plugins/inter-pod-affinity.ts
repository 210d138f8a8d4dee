/**
 * Pods that want to be near other pods, or away from them, within a topology domain. Required anti-affinity
 * works in both directions: pods that are there keep new ones away too.
 */

import {
  type Finding,
  type Plugin,
  type Prepared,
  type Rejection,
  reject,
  SCORE_MAX,
  type Scoring,
} from '../framework.ts'
import { type AffinityTerm, type PodInfo, termMatches } from '../pod-info.ts'
import type { Lookups, NodeInfo } from '../snapshot.ts'
import { DomainCounts, domainOf } from '../topology.ts'

const FAR = reject("node(s) didn't match pod affinity rules", false)
const TOO_NEAR = reject("node(s) didn't match pod anti-affinity rules", true)
const REFUSED = reject("node(s) didn't satisfy existing pods anti-affinity rules", true)

export const interPodAffinity: Plugin = {
  name: 'InterPodAffinity',
  prepare(pod, { nodes, lookups }) {
    const rules = new Rules(pod, lookups)
    for (const node of nodes) rules.add(node, 1)
    return preparedBy(rules, () => {
      const wishes = new Wishes(pod, lookups)
      for (const node of nodes) wishes.add(node, 1)
      return wishes
    })
  },
  count(pod, lookups) {
    const rules = new Rules(pod, lookups)
    const wishes = new Wishes(pod, lookups)
    return {
      add(node, sign) {
        rules.add(node, sign)
        wishes.add(node, sign)
      },
      prepared: () => preparedBy(rules, () => wishes),
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

function preparedBy(rules: Rules, wishes: () => Wishes): Prepared {
  const scoring = (feasible: readonly NodeInfo[]) => (feasible.length === 0 ? undefined : scoringBy(wishes()))
  if (rules.areMet) return { scoring }
  return { filter: filterBy(rules), explain: explain(rules), scoring }
}

type Matches = (term: AffinityTerm, other: PodInfo) => boolean

/** What keeps a pod from nodes, as sums over the pods that are there. */
class Rules {
  readonly pod: PodInfo
  /** Pods there that match all of the pod's required affinity terms, per domain. */
  readonly wanted = new DomainCounts()
  readonly unwanted = new DomainCounts()
  /** Pods there that do not want this pod near. */
  readonly refusing = new DomainCounts()
  readonly #matches: Matches

  constructor(pod: PodInfo, lookups: Lookups) {
    this.pod = pod
    this.#matches = (term, other) => termMatches(term, other, lookups.namespaceLabels)
  }

  /** Nothing keeps the pod from any node. */
  get areMet(): boolean {
    return this.pod.requiredAffinity.length === 0 && this.unwanted.isEmpty && this.refusing.isEmpty
  }

  /** The first of a group that wants to be together has nobody to join. */
  get mayStartGroup(): boolean {
    return this.wanted.isEmpty && this.pod.requiredAffinity.every((term) => this.#matches(term, this.pod))
  }

  add(node: NodeInfo, sign: 1 | -1): void {
    const { requiredAffinity, requiredAntiAffinity } = this.pod
    for (const other of node.podsWithAntiAffinity) {
      const terms = other.requiredAntiAffinity.filter((term) => this.#matches(term, this.pod))
      count(this.refusing, terms, node, sign)
    }
    if (requiredAffinity.length + requiredAntiAffinity.length === 0) return
    for (const other of node.pods) {
      if (requiredAffinity.length > 0 && requiredAffinity.every((term) => this.#matches(term, other))) {
        count(this.wanted, requiredAffinity, node, sign)
      }
      const terms = requiredAntiAffinity.filter((term) => this.#matches(term, other))
      count(this.unwanted, terms, node, sign)
    }
  }
}

function count(counts: DomainCounts, terms: readonly AffinityTerm[], node: NodeInfo, sign: 1 | -1): void {
  for (const { topologyKey } of terms) {
    const domain = domainOf(node, topologyKey)
    if (domain !== undefined) counts.add(topologyKey, domain, sign)
  }
}

/** By the sums as they are now; asked of every node. */
function filterBy({
  pod,
  wanted,
  unwanted,
  refusing,
  mayStartGroup,
}: Rules): (node: NodeInfo) => Rejection | undefined {
  const near = pod.requiredAffinity.map(({ topologyKey }) =>
    mayStartGroup ? (node: NodeInfo) => (domainOf(node, topologyKey) === undefined ? 0 : 1) : wanted.of(topologyKey),
  )
  const away = pod.requiredAntiAffinity.map(({ topologyKey }) => unwanted.of(topologyKey))
  const refused = [...refusing.keys()].map((key) => refusing.of(key))
  return (node) => {
    for (const podsAt of near) if (podsAt(node) === 0) return FAR
    for (const podsAt of away) if (podsAt(node) > 0) return TOO_NEAR
    for (const podsAt of refused) if (podsAt(node) > 0) return REFUSED
    return undefined
  }
}

function explain(rules: Rules): (node: NodeInfo) => readonly Finding[] {
  return (node) => {
    const near = rules.pod.requiredAffinity
      .filter(({ topologyKey }) => rules.wanted.of(topologyKey)(node) === 0)
      .map((term) => ({ text: `podAffinity: no pod with ${term.selector} in its ${term.topologyKey}` }))
    const away = rules.pod.requiredAntiAffinity
      .filter(({ topologyKey }) => rules.unwanted.of(topologyKey)(node) > 0)
      .map((term) => ({ text: `podAntiAffinity: a pod with ${term.selector} in its ${term.topologyKey}` }))
    const refused = [...rules.refusing.keys()]
      .filter((key) => rules.refusing.of(key)(node) > 0)
      .map((key) => ({ text: `a pod in its ${key} does not want this one near (podAntiAffinity)` }))
    return [...near, ...away, ...refused]
  }
}

/** How much the pod and those that are there want to be near each other, as sums over those. */
class Wishes {
  readonly scores = new DomainCounts()
  readonly #pod: PodInfo
  readonly #prefers: boolean
  readonly #matches: Matches

  constructor(pod: PodInfo, lookups: Lookups) {
    this.#pod = pod
    this.#prefers = pod.preferredAffinity.length + pod.preferredAntiAffinity.length > 0
    this.#matches = (term, other) => termMatches(term, other, lookups.namespaceLabels)
  }

  add(node: NodeInfo, sign: 1 | -1): void {
    const pod = this.#pod
    for (const other of this.#prefers ? node.pods : node.podsWithAffinity) {
      this.#add(pod.preferredAffinity, other, node, sign)
      this.#add(pod.preferredAntiAffinity, other, node, -sign)
      // Those that are there have wishes too; what they require of others counts as a weak wish.
      this.#add(other.requiredAffinity, pod, node, sign)
      this.#add(other.preferredAffinity, pod, node, sign)
      this.#add(other.preferredAntiAffinity, pod, node, -sign)
    }
  }

  #add(terms: readonly AffinityTerm[], other: PodInfo, node: NodeInfo, sign: number): void {
    for (const term of terms) {
      const domain = domainOf(node, term.topologyKey)
      if (domain !== undefined && this.#matches(term, other)) {
        this.scores.add(term.topologyKey, domain, sign * term.weight)
      }
    }
  }
}

function scoringBy({ scores }: Wishes): Scoring | undefined {
  if (scores.isEmpty) return undefined
  const ofKeys = [...scores.keys()].map((key) => scores.of(key))
  return {
    score(node) {
      let sum = 0
      for (const scoreAt of ofKeys) sum += scoreAt(node)
      return sum
    },
    normalize(raw) {
      let min = Number.POSITIVE_INFINITY
      let max = Number.NEGATIVE_INFINITY
      for (const score of raw) {
        if (score < min) min = score
        if (score > max) max = score
      }
      const spread = max - min
      return raw.map((score) => (spread === 0 ? 0 : Math.floor((SCORE_MAX * (score - min)) / spread)))
    },
    keepsTies: true,
  }
}
