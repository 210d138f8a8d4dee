/** The annotations in which version 1 carries what it has no fields for. No other version shows them. */

import type { KubeObject } from '../../machinery/meta/object.ts'

export const METRICS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/metrics'
export const CURRENT_METRICS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/current-metrics'
export const CONDITIONS_ANNOTATION = 'autoscaling.alpha.kubernetes.io/conditions'
export const BEHAVIOR_ANNOTATION = 'autoscaling.alpha.kubernetes.io/behavior'

const CARRIED: readonly string[] = [
  METRICS_ANNOTATION,
  CURRENT_METRICS_ANNOTATION,
  CONDITIONS_ANNOTATION,
  BEHAVIOR_ANNOTATION,
  'autoscaling.alpha.kubernetes.io/scale-down-tolerance',
  'autoscaling.alpha.kubernetes.io/scale-up-tolerance',
]

export function withoutCarriedAnnotations<T extends KubeObject>(object: T): T {
  return CARRIED.some((name) => object.metadata.annotations?.[name] !== undefined)
    ? withCarriedAnnotations(object, {})
    : object
}

/** Those given, and no others of them. */
export function withCarriedAnnotations<T extends KubeObject>(
  object: T,
  carried: Readonly<Record<string, string | undefined>>,
): T {
  const kept = Object.entries(object.metadata.annotations ?? {}).filter(([name]) => !CARRIED.includes(name))
  const added = Object.entries(carried).flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]))
  const annotations = Object.fromEntries([...kept, ...added])
  const isEmpty = kept.length + added.length === 0
  return { ...object, metadata: { ...object.metadata, annotations: isEmpty ? undefined : annotations } }
}
