/**
 * Why a pod fits on no node, for people: per node everything that is wrong, and the smallest change to the
 * pod that would make it fit. Each suggestion has been tried: the changed pod passes all filters. Pure.
 */

import type { Finding, Profile, Remedy } from './framework.ts'
import { firstRejection, type PreparedPlugin, preparePlugins } from './judge.ts'
import { type PodInfo, podInfoOf } from './pod-info.ts'
import type { NodeInfo, Snapshot } from './snapshot.ts'

export interface NodeExplanation {
  readonly node: string
  readonly fits: boolean
  /** In the order of the filters; the first is what the scheduler stopped at. */
  readonly findings: readonly { readonly plugin: string; readonly text: string }[]
}

export interface Suggestion {
  /** `lower requests.cpu from 2 to 1400m`; several are needed together. */
  readonly changes: readonly string[]
  readonly node: string
}

export interface PendingExplanation {
  readonly nodes: readonly NodeExplanation[]
  /** The smallest first. */
  readonly suggestions: readonly Suggestion[]
}

/** More than a handful is no advice. */
const SUGGESTIONS_MAX = 5

export function explainNodes(pod: PodInfo, snapshot: Snapshot, profile: Profile): PendingExplanation {
  const plugins = preparePlugins(pod, snapshot, profile)
  const nodes = snapshot.nodes.map((node) => ({ node, found: findingsOn(plugins, node) }))
  const suggestions = nodes.flatMap(({ node, found }) => suggestionFor(pod, node, found, snapshot, profile))
  return {
    nodes: nodes.map(({ node, found }) => ({
      node: node.name,
      fits: found.length === 0,
      findings: found.map(({ plugin, finding }) => ({ plugin, text: finding.text })),
    })),
    suggestions: withoutRepeats(suggestions.toSorted((left, right) => left.changes.length - right.changes.length)),
  }
}

interface Found {
  readonly plugin: string
  readonly finding: Finding
}

/** What every plugin objects to on this node, not only the first. */
function findingsOn(plugins: readonly PreparedPlugin[], node: NodeInfo): Found[] {
  return plugins.flatMap(({ plugin, prepared }) => {
    const rejection =
      prepared.everywhere ??
      prepared.filter?.(node) ??
      (prepared.only && !prepared.only.has(node.name) ? { reasons: ['is not one of the nodes it names'] } : undefined)
    if (!rejection) return []
    const explained = prepared.explain?.(node) ?? []
    const findings: readonly Finding[] = explained.length > 0 ? explained : rejection.reasons.map((text) => ({ text }))
    return findings.map((finding) => ({ plugin: plugin.name, finding }))
  })
}

function suggestionFor(
  pod: PodInfo,
  node: NodeInfo,
  found: readonly Found[],
  snapshot: Snapshot,
  profile: Profile,
): Suggestion[] {
  const remedies = found.flatMap(({ finding }): readonly Remedy[] => (finding.remedy ? [finding.remedy] : []))
  if (found.length === 0 || remedies.length < found.length) return []
  const changed = podInfoOf(remedies.reduce((object, remedy) => remedy.apply(object), pod.pod))
  const fits = firstRejection(preparePlugins(changed, snapshot, profile), node) === undefined
  return fits ? [{ changes: remedies.map(({ text }) => text), node: node.name }] : []
}

function withoutRepeats(suggestions: readonly Suggestion[]): readonly Suggestion[] {
  const seen = new Set<string>()
  const distinct = suggestions.filter(({ changes }) => {
    const text = changes.join(' and ')
    return seen.has(text) ? false : seen.add(text)
  })
  return distinct.slice(0, SUGGESTIONS_MAX)
}
