/** Whether a pod may be on a node by its own word and the node's: node selector, required node affinity, taints. */

import type { Labels } from '../../../machinery/meta/labels.ts'
import type { Node, NodeSelectorRequirement, NodeSelectorTerm, PodSpec, Taint, Toleration } from '../types.gen.ts'

/** The node selector and the required part of node affinity. */
export function matchesNode(spec: Pick<PodSpec, 'nodeSelector' | 'affinity'>, node: Node): boolean {
  const labels = node.metadata.labels ?? {}
  const isSelected = Object.entries(spec.nodeSelector ?? {}).every(([key, value]) => labelOf(labels, key) === value)
  const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return isSelected && (required === undefined || required.nodeSelectorTerms.some((term) => matchesTerm(term, node)))
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
  const value = labelOf(labels, key)
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
      return difference(value, values[0]) > 0n
    case 'Lt':
      return difference(value, values[0]) < 0n
    default:
      return false
  }
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

/** 0 when one of them is no number: then neither is greater. */
function difference(value: string | undefined, bound: string | undefined): bigint {
  const integer = /^[+-]?\d{1,19}$/
  if (value === undefined || bound === undefined || !integer.test(value) || !integer.test(bound)) return 0n
  return BigInt(value.replace('+', '')) - BigInt(bound.replace('+', ''))
}

type TaintFacts = Pick<Taint, 'key' | 'effect'> & Partial<Pick<Taint, 'value'>>

export function tolerates(tolerations: readonly Toleration[] | undefined, taint: TaintFacts): boolean {
  return findToleration(tolerations, taint) !== undefined
}

/** The first that matches the taint. */
export function findToleration(
  tolerations: readonly Toleration[] | undefined,
  taint: TaintFacts,
): Toleration | undefined {
  return tolerations?.find(({ key, operator, value, effect }) => {
    if (effect && effect !== taint.effect) return false
    if (key && key !== taint.key) return false
    if (operator === 'Exists') return true
    return Boolean(key) && (value ?? '') === (taint.value ?? '')
  })
}
