/**
 * HorizontalPodAutoscalers in version 1, which knows one metric: the processor. It is a view of the stored version 2;
 * what it has no fields for is in annotations. Whatever is decided about a write is decided about version 2.
 */

import { canonical } from '../../machinery/schema/canonical.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { defineResource } from '../define-resource.ts'
import { withAbsent } from '../field-defaults.ts'
import { keepSpec, keepStatus, withoutStatus } from '../strategy-parts.ts'
import { autoscalerColumns } from './autoscaler-columns.ts'
import { autoscalerErrors, autoscalerStatusErrors } from './autoscaler-rules.ts'
import {
  BEHAVIOR_ANNOTATION,
  CONDITIONS_ANNOTATION,
  CURRENT_METRICS_ANNOTATION,
  METRICS_ANNOTATION,
  withCarriedAnnotations,
  withoutCarriedAnnotations,
} from './carried-annotations.ts'
import {
  behaviorFromText,
  behaviorText,
  conditionsFromText,
  conditionsText,
  currentMetricsFromText,
  currentMetricsText,
  metricsFromText,
  metricsText,
} from './carried-texts.ts'
import { autoscalerSchema, cpuMetric, defaultAutoscaler } from './horizontal-pod-autoscaler.ts'
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus } from './types.gen.ts'
import type {
  HorizontalPodAutoscaler as AutoscalerV1,
  HorizontalPodAutoscalerStatus as StatusV1,
} from './types-v1.gen.ts'

const schema = builtinSchema('autoscaling.v1.HorizontalPodAutoscaler')

export const horizontalPodAutoscalersV1 = defineResource<AutoscalerV1>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  scope: 'Namespaced',
  schema,
  conversion: {
    // Objects in the store are in version 2: it is the one that has no conversion.
    fromStored: (object) => canonical(fromV2(object as HorizontalPodAutoscaler), schema),
    toStored: (object) => canonical(defaultAutoscaler(toV2(object)), autoscalerSchema),
  },
  default: (object) => fromV2(toV2({ ...object, spec: withAbsent(object.spec ?? {}, { minReplicas: 1 }) })),
  prepareForCreate: (object) => fromV2(withoutStatus(toV2(object))),
  prepareForUpdate: (object, previous) => fromV2(keepStatus(toV2(object), toV2(previous))),
  validate: (object) => autoscalerErrors(toV2(object), undefined),
  validateUpdate: (object, previous) => autoscalerErrors(toV2(object), toV2(previous)),
  ratchets: true,
  status: {
    prepareForUpdate: (object, previous) => fromV2(keepSpec(toV2(object), toV2(previous))),
    validateUpdate: (object) => autoscalerStatusErrors(toV2(object)),
  },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: autoscalerColumns(toV2),
})

function toV2(object: AutoscalerV1): HorizontalPodAutoscaler {
  const { annotations = {} } = object.metadata
  const { scaleTargetRef, minReplicas, maxReplicas, targetCPUUtilizationPercentage: percentage } = object.spec ?? {}
  const metrics = [
    ...(metricsFromText(annotations[METRICS_ANNOTATION]) ?? []),
    ...(percentage === undefined ? [] : [cpuMetric(percentage)]),
  ]
  const behavior = behaviorFromText(annotations[BEHAVIOR_ANNOTATION])
  return withoutCarriedAnnotations({
    ...object,
    apiVersion: 'autoscaling/v2',
    spec: {
      scaleTargetRef,
      minReplicas,
      maxReplicas,
      metrics: metrics.length === 0 ? [cpuMetric()] : metrics,
      ...(behavior ? { behavior } : {}),
    },
    status: statusToV2(object.status, annotations),
  })
}

function statusToV2(
  status: StatusV1 | undefined,
  annotations: Readonly<Record<string, string>>,
): HorizontalPodAutoscaler['status'] {
  const { currentCPUUtilizationPercentage: percentage, ...counts } = status ?? {
    currentReplicas: 0,
    desiredReplicas: 0,
  }
  const cpu: MetricStatus = { type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: percentage } } }
  const conditions = conditionsFromText(annotations[CONDITIONS_ANNOTATION])
  const measured = currentMetricsFromText(annotations[CURRENT_METRICS_ANNOTATION])
  const currentMetrics = measured ?? (percentage === undefined ? undefined : [cpu])
  return { ...counts, ...(conditions ? { conditions } : {}), ...(currentMetrics ? { currentMetrics } : {}) }
}

function isCpuUtilization({ type, resource }: MetricSpec): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target?.averageUtilization !== undefined
}

function fromV2(object: HorizontalPodAutoscaler): AutoscalerV1 {
  const { scaleTargetRef, minReplicas, maxReplicas, metrics = [], behavior } = object.spec ?? {}
  const { conditions = [], currentMetrics, ...counts } = object.status ?? { desiredReplicas: 0 }
  const percentage = metrics.find(isCpuUtilization)?.resource?.target.averageUtilization
  const others = metrics.filter((metric) => !isCpuUtilization(metric))
  const measured = (currentMetrics ?? []).findLast(
    ({ type, resource }) =>
      type === 'Resource' && resource?.name === 'cpu' && resource.current?.averageUtilization !== undefined,
  )
  const converted: AutoscalerV1 = {
    ...object,
    apiVersion: 'autoscaling/v1',
    spec: {
      scaleTargetRef,
      minReplicas,
      maxReplicas,
      ...(percentage === undefined ? {} : { targetCPUUtilizationPercentage: percentage }),
    },
    status: {
      ...counts,
      currentReplicas: counts.currentReplicas ?? 0,
      ...(measured ? { currentCPUUtilizationPercentage: measured.resource?.current.averageUtilization } : {}),
    },
  }
  return withCarriedAnnotations(converted, {
    [METRICS_ANNOTATION]: others.length === 0 ? undefined : metricsText(others),
    [CURRENT_METRICS_ANNOTATION]:
      (currentMetrics ?? []).length === 0 ? undefined : currentMetricsText(currentMetrics ?? []),
    [BEHAVIOR_ANNOTATION]: behavior ? behaviorText(behavior) : undefined,
    [CONDITIONS_ANNOTATION]: conditions.length === 0 ? undefined : conditionsText(conditions),
  })
}
