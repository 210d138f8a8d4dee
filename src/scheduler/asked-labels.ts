/**
 * Which labels of a pod can matter to where it goes: those that other pods' (anti)affinity asks for, and the pod's own
 * terms and constraints. The number of a replica is none of them as a rule, and pods that differ in it only are alike.
 */

import type { LabelSelector } from '../machinery/meta/labels.ts'
import type { AffinityTerm, PodInfo } from './pod-info.ts'

/** Keys that are kept, about 60 bytes each. With more than that, every label counts as asked for. */
const KEYS_MAX = 1_000

/** The keys that pods in the cluster have asked for. They only become more: few pods go for good with all their likes. */
export class AskedLabels {
  readonly #keys = new Set<string>()

  /** Another one after every change. */
  get version(): number {
    return this.#keys.size
  }

  /** A pod that other pods will meet. */
  note(pod: PodInfo): void {
    for (const key of termKeys(pod)) if (this.#keys.size < KEYS_MAX) this.#keys.add(key)
  }

  /** The labels of the pod that any others, or itself, ask for. */
  of(pod: PodInfo): readonly (readonly [string, string])[] {
    const own = new Set([...termKeys(pod), ...constraintKeys(pod)])
    const isAsked = (key: string) => this.#keys.size >= KEYS_MAX || this.#keys.has(key) || own.has(key)
    return Object.entries(pod.labels).filter(([key]) => isAsked(key))
  }
}

function* termKeys(pod: PodInfo): Iterable<string> {
  const all: readonly (readonly AffinityTerm[])[] = [
    pod.requiredAffinity,
    pod.requiredAntiAffinity,
    pod.preferredAffinity,
    pod.preferredAntiAffinity,
  ]
  for (const terms of all) {
    for (const { selector } of terms) for (const { key } of selector.requirements) yield key
  }
}

function constraintKeys({ pod }: PodInfo): readonly string[] {
  return (pod.spec?.topologySpreadConstraints ?? []).flatMap(({ labelSelector, matchLabelKeys = [] }) => [
    ...selectorKeys(labelSelector),
    ...matchLabelKeys,
  ])
}

function selectorKeys({ matchLabels = {}, matchExpressions = [] }: LabelSelector = {}): readonly string[] {
  return [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)]
}
