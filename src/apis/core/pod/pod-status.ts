/** Questions that many parts ask about a pod's state. All pure. */

import type { Container, Pod, PodCondition, PodSpec, PodTemplateSpec } from '../types.gen.ts'

/** The pod has run to its end: it will not start containers any more. */
export function isPodTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

export function isPodTerminating(pod: Pod): boolean {
  return Boolean(pod.metadata.deletionTimestamp)
}

/** Neither finished nor on its way out. */
export function isPodActive(pod: Pod): boolean {
  return !isPodTerminal(pod) && !isPodTerminating(pod)
}

export function podCondition(pod: Pod, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type)
}

export function isPodReady(pod: Pod): boolean {
  return podCondition(pod, 'Ready')?.status === 'True'
}

/** Ready, and has been so for `minReadySeconds`. */
export function isPodAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  if (!isPodReady(pod)) return false
  if (minReadySeconds === 0) return true
  const since = podCondition(pod, 'Ready')?.lastTransitionTime
  return since ? Date.parse(since) + minReadySeconds * 1000 <= nowMs : false
}

/** An init container that keeps running beside the main containers: a sidecar. */
export function isRestartableInit(container: Container | undefined): boolean {
  return container?.restartPolicy === 'Always'
}

/** The spec of a template, which may be missing in an object that was never validated. */
export function templateSpec(template: PodTemplateSpec): PodSpec {
  return template.spec ?? { containers: [] }
}
