/** Node selectors and node affinity: which nodes a pod may run on, and which it would rather. */

import { matchesNode, matchesTerm } from '../../apis/core/pod/node-fit.ts'
import type { NodeSelectorTerm, PodSpec } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import { type Finding, normalizeByMax, type Plugin, reject } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import type { NodeInfo } from '../snapshot.ts'

export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  isLocal: true,
  prepare(pod) {
    const preferred = pod.pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return {
      only: namedNodes(pod.pod.spec),
      filter: (node) =>
        isAllowed(pod, node) ? undefined : reject("node(s) didn't match Pod's node affinity/selector", false),
      scoring() {
        if (preferred.length === 0) return undefined
        return {
          score: (node) =>
            preferred
              .filter(({ preference }) => matchesTerm(preference, node.node))
              .reduce((sum, { weight }) => sum + weight, 0),
          normalize: (scores) => normalizeByMax(scores, false),
          keepsTies: true,
        }
      },
      explain: (node) => findings(pod, node),
    }
  },
  wakes(pod, event) {
    if (event.resource === 'self') return true
    return (
      event.resource === 'nodes' && isAllowed(pod, event.node) && !(event.previous && isAllowed(pod, event.previous))
    )
  },
}

/** By the pod's node selector and the required part of its node affinity. */
export function isAllowed({ pod }: PodInfo, { node }: Pick<NodeInfo, 'node'>): boolean {
  return matchesNode(pod.spec ?? {}, node)
}

function requiredTerms(spec: PodSpec | undefined): readonly NodeSelectorTerm[] | undefined {
  return spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
}

/** The nodes named by fields, where every term names some: daemon pods, which need to look at one node only. */
export function namedNodes(spec: PodSpec | undefined): ReadonlySet<string> | undefined {
  const terms = requiredTerms(spec)
  if (!terms || terms.length === 0) return undefined
  const names = terms.map((term) => {
    const named = term.matchFields?.filter(({ key, operator }) => key === 'metadata.name' && operator === 'In') ?? []
    const [first, ...others] = named.map(({ values }) => new Set(values))
    return first && others.reduce((both, next) => both.intersection(next), first)
  })
  if (names.some((set) => set === undefined)) return undefined
  return new Set(names.flatMap((set) => [...(set ?? [])]))
}

function findings({ pod }: PodInfo, node: NodeInfo): Finding[] {
  const wrong = Object.entries(pod.spec?.nodeSelector ?? {})
    .filter(([key, value]) => node.labels[key] !== value)
    .map(([key, value]) => ({
      text: `nodeSelector: ${key}=${value}`,
      remedy: {
        text: `drop nodeSelector ${key}=${value}`,
        apply: (object: PodInfo['pod']) => withoutSelector(object, key),
      },
    }))
  const terms = requiredTerms(pod.spec)
  if (!terms || terms.some((term) => matchesTerm(term, node.node))) return wrong
  const texts = terms.map(({ matchExpressions = [], matchFields = [] }) =>
    [...matchExpressions, ...matchFields]
      .map(({ key, operator, values }) => (values ? `${key} ${operator} [${values.join(', ')}]` : `${key} ${operator}`))
      .join(' and '),
  )
  return [...wrong, { text: `nodeAffinity: ${texts.join(' or ')}` }]
}

function withoutSelector(pod: PodInfo['pod'], key: string): PodInfo['pod'] {
  const { [key]: _, ...nodeSelector } = { ...pod.spec?.nodeSelector }
  if (deepEqual(nodeSelector, pod.spec?.nodeSelector)) return pod
  return { ...pod, spec: { ...pod.spec, containers: pod.spec?.containers ?? [], nodeSelector } }
}
