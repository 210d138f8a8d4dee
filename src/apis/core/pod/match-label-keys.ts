/**
 * `matchLabelKeys` on (anti)affinity terms and spread constraints: on create, the pod's own values of these
 * labels become part of the selector, so that the pods of one revision look only at each other.
 */

import { isValidLabelValue } from '../../../machinery/meta/names.ts'
import { mapField, mapItems } from '../../field-defaults.ts'
import type { LabelSelector } from '../../meta/types.gen.ts'
import type { Affinity, Pod, PodAffinity, PodAffinityTerm, PodSpec, WeightedPodAffinityTerm } from '../types.gen.ts'

type PodLabels = Readonly<Record<string, string>>

export function withMatchLabelKeys(pod: Pod): Pod {
  const labels = pod.metadata.labels
  if (!labels) return pod
  return mapField(pod, 'spec', (spec) => spreadWithKeys(affinityWithKeys(spec, labels), labels))
}

function affinityWithKeys(spec: PodSpec, labels: PodLabels): PodSpec {
  const terms = <T extends PodAffinity>(affinity: T): T => {
    const required = mapField(affinity, 'requiredDuringSchedulingIgnoredDuringExecution', (items) =>
      mapItems(items, (term: PodAffinityTerm) => termWithKeys(term, labels)),
    )
    return mapField(required, 'preferredDuringSchedulingIgnoredDuringExecution', (items) =>
      mapItems(items, (weighted: WeightedPodAffinityTerm) =>
        mapField(weighted, 'podAffinityTerm', (term) => termWithKeys(term, labels)),
      ),
    )
  }
  return mapField(spec, 'affinity', (affinity: Affinity) =>
    mapField(mapField(affinity, 'podAffinity', terms), 'podAntiAffinity', terms),
  )
}

function termWithKeys(term: PodAffinityTerm, labels: PodLabels): PodAffinityTerm {
  const { labelSelector } = term
  if (!labelSelector) return term
  const matched = selectorWithKeys(labelSelector, term.matchLabelKeys, 'In', labels)
  const selector = selectorWithKeys(matched, term.mismatchLabelKeys, 'NotIn', labels)
  return selector === labelSelector ? term : { ...term, labelSelector: selector }
}

function spreadWithKeys(spec: PodSpec, labels: PodLabels): PodSpec {
  return mapField(spec, 'topologySpreadConstraints', (constraints) =>
    mapItems(constraints, (constraint) =>
      mapField(constraint, 'labelSelector', (selector) =>
        selectorWithKeys(selector, constraint.matchLabelKeys, 'In', labels),
      ),
    ),
  )
}

function selectorWithKeys(
  selector: LabelSelector,
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  labels: PodLabels,
): LabelSelector {
  const added = (keys ?? []).flatMap((key) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined
    return value === undefined || isValidLabelValue(value).length > 0 ? [] : [{ key, operator, values: [value] }]
  })
  if (added.length === 0) return selector
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...added] }
}
