/** Node selectors and node affinity: which nodes a pod may run on, and which it would rather. */

import type { Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from '../../apis/core/types.gen.ts'
import { deepEqual } from '../../base/deep-equal.ts'
import type { Labels } from '../../machinery/meta/labels.ts'
import { type Finding, normalizeByMax, type Plugin, reject } from '../framework.ts'
import type { PodInfo } from '../pod-info.ts'
import type { NodeInfo } from '../snapshot.ts'

export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  prepare(pod) {
    const preferred = pod.pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
    return {
      only: namedNodes(pod.pod.spec),
      filter: (node) =>
        matchesNode(pod, node) ? undefined : reject("node(s) didn't match Pod's node affinity/selector", false),
      scoring() {
        if (preferred.length === 0) return undefined
        return {
          score: (node) =>
            preferred
              .filter(({ preference }) => matchesTerm(preference, node.node))
              .reduce((sum, { weight }) => sum + weight, 0),
          normalize: (scores) => normalizeByMax(scores, false),
        }
      },
      explain: (node) => findings(pod, node),
    }
  },
  wakes(pod, event) {
    if (event.resource === 'self') return true
    return (
      event.resource === 'nodes' &&
      matchesNode(pod, event.node) &&
      !(event.previous && matchesNode(pod, event.previous))
    )
  },
}

/** The node selector and the required part of node affinity. */
export function matchesNode({ pod }: PodInfo, { node, labels }: Pick<NodeInfo, 'node' | 'labels'>): boolean {
  if (!matchesSelector(pod.spec?.nodeSelector, labels)) return false
  const terms = requiredTerms(pod.spec)
  return terms === undefined || terms.some((term) => matchesTerm(term, node))
}

function requiredTerms(spec: PodSpec | undefined): readonly NodeSelectorTerm[] | undefined {
  return spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
}

function matchesSelector(selector: Labels | undefined, labels: Labels): boolean {
  return Object.entries(selector ?? {}).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
}

/** A term without requirements matches nothing. */
export function matchesTerm({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm, node: Node): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false
  const fields = { 'metadata.name': node.metadata.name ?? '' }
  return (
    matchExpressions.every((requirement) => matchesRequirement(requirement, node.metadata.labels ?? {})) &&
    matchFields.every((requirement) => matchesRequirement(requirement, fields))
  )
}

function matchesRequirement({ key, operator, values = [] }: NodeSelectorRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
    case 'Lt':
      return compares(operator, value, values[0])
    default:
      return false
  }
}

function compares(operator: 'Gt' | 'Lt', value: string | undefined, bound: string | undefined): boolean {
  const integer = /^[+-]?\d{1,19}$/
  if (value === undefined || bound === undefined || !integer.test(value) || !integer.test(bound)) return false
  const difference = BigInt(value.replace('+', '')) - BigInt(bound.replace('+', ''))
  return operator === 'Gt' ? difference > 0n : difference < 0n
}

/** The nodes named by fields, where every term names some: daemon pods, which need to look at one node only. */
function namedNodes(spec: PodSpec | undefined): ReadonlySet<string> | undefined {
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
