/** Scales: how many replicas of something there should be and are. A subresource of workloads, not a resource. */

import { type FieldError, FieldPath } from '../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, integerColumn, textColumn } from '../columns.ts'
import type { Column, ScaleAccess } from '../definition.ts'
import { nonNegative } from '../field-rules.ts'
import type { Scale } from './types-v1.gen.ts'

export const scaleSchema = builtinSchema('autoscaling.v1.Scale')

export const scaleColumns: readonly Column<Scale>[] = [
  textColumn('Name', ({ metadata }) => metadata.name ?? ''),
  integerColumn('Desired', ({ spec }) => spec?.replicas ?? 0),
  integerColumn('Available', ({ status }) => status?.replicas ?? 0),
  ageColumn,
]

/** The scale of an object, as `/scale` answers it. */
export function scaleOf<T extends KubeObject>(object: T, access: ScaleAccess<T>): Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const selector = access.selector(object)
  return {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: access.replicas(object) },
    status: { replicas: access.statusReplicas(object), ...(selector === '' ? {} : { selector }) },
  }
}

export function validateScale({ spec }: Scale): readonly FieldError[] {
  return nonNegative(new FieldPath('spec.replicas'), spec?.replicas)
}
