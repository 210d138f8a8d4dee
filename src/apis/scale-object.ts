/** An autoscaling/v1 Scale made of the object that is scaled. */

import type { KubeObject } from '../machinery/meta/object.ts'
import type { ScaleAccess } from './definition.ts'

export const SCALE_KIND = { group: 'autoscaling', version: 'v1', kind: 'Scale' } as const

export function scaleObject(object: KubeObject, access: ScaleAccess): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = access.selector(object)
  const scale = {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: access.replicas(object) },
    status: { replicas: access.statusReplicas(object), ...(selector === '' ? {} : { selector }) },
  }
  return scale
}

/** How many replicas a Scale wants: what a client sent need not have the number. */
export function scaleReplicas(scale: KubeObject): number {
  return replicasIn(Reflect.get(scale, 'spec'))
}

/** How many replicas a Scale says there are. */
export function availableReplicas(scale: KubeObject): number {
  return replicasIn(Reflect.get(scale, 'status'))
}

function replicasIn(part: unknown): number {
  const replicas: unknown = typeof part === 'object' && part !== null ? Reflect.get(part, 'replicas') : undefined
  return typeof replicas === 'number' ? replicas : 0
}
