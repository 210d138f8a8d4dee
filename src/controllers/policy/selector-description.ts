/** A label selector as upstream's messages show it: field by field, not as the text that requests take. */

import type { LabelSelector } from '../../apis/meta/types.gen.ts'
import { byCodeUnit } from '../../base/group-by.ts'

export function selectorDescription(selector: LabelSelector | undefined): string {
  if (selector === undefined) return 'nil'
  const labels = Object.entries(selector.matchLabels ?? {}).toSorted(([left], [right]) => byCodeUnit(left, right))
  const expressions = (selector.matchExpressions ?? []).map(
    ({ key, operator, values = [] }) =>
      `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],}`,
  )
  const labelText = labels.map(([key, value]) => `${key}: ${value},`).join('')
  const expressionText = expressions.map((expression) => `${expression},`).join('')
  return (
    `&LabelSelector{MatchLabels:map[string]string{${labelText}},` +
    `MatchExpressions:[]LabelSelectorRequirement{${expressionText}},}`
  )
}
