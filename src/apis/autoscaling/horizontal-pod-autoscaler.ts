/** HorizontalPodAutoscalers: how many replicas a workload has, by what is measured of it. Stored in this version, v2. */

import { builtinSchema } from '../builtin-schema.ts'
import { defineResource } from '../define-resource.ts'
import { withAbsent } from '../field-defaults.ts'
import { keepSpec, keepStatus, withoutStatus } from '../strategy-parts.ts'
import { autoscalerColumns } from './autoscaler-columns.ts'
import { autoscalerErrors, autoscalerStatusErrors } from './autoscaler-rules.ts'
import { withoutCarriedAnnotations } from './carried-annotations.ts'
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
  MetricSpec,
} from './types.gen.ts'

export const autoscalerSchema = builtinSchema('autoscaling.v2.HorizontalPodAutoscaler')

export const horizontalPodAutoscalers = defineResource<HorizontalPodAutoscaler>({
  group: 'autoscaling',
  version: 'v2',
  kind: 'HorizontalPodAutoscaler',
  resource: 'horizontalpodautoscalers',
  shortNames: ['hpa'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: autoscalerSchema,
  default: defaultAutoscaler,
  prepareForCreate: withoutStatus,
  prepareForUpdate: keepStatus,
  validate: (object) => autoscalerErrors(object, undefined),
  validateUpdate: autoscalerErrors,
  // A target's version that was never right is only found when the target changes.
  ratchets: true,
  status: { prepareForUpdate: keepSpec, validateUpdate: autoscalerStatusErrors },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: autoscalerColumns((object: HorizontalPodAutoscaler) => object),
})

/** Of the processor's time that pods have asked for, where nobody says what is measured. */
const CPU_UTILIZATION_DEFAULT = 80

export function cpuMetric(averageUtilization: number = CPU_UTILIZATION_DEFAULT): MetricSpec {
  return { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }
}

export function defaultAutoscaler(object: HorizontalPodAutoscaler): HorizontalPodAutoscaler {
  return withoutCarriedAnnotations({ ...object, spec: defaultSpec(object.spec ?? {}) })
}

function defaultSpec(spec: HorizontalPodAutoscalerSpec): HorizontalPodAutoscalerSpec {
  const filled = withAbsent(spec, { minReplicas: 1 })
  const metrics = (spec.metrics ?? []).length > 0 ? filled : { ...filled, metrics: [cpuMetric()] }
  return spec.behavior ? { ...metrics, behavior: defaultBehavior(spec.behavior) } : metrics
}

const POLICY_PERIOD_SECONDS = 15
const FOUR_PODS = { type: 'Pods', value: 4, periodSeconds: POLICY_PERIOD_SECONDS }
const TWICE = { type: 'Percent', value: 100, periodSeconds: POLICY_PERIOD_SECONDS }
/** As fast as possible: double, or four more, whichever is more. */
const UP: HPAScalingRules = { stabilizationWindowSeconds: 0, selectPolicy: 'Max', policies: [FOUR_PODS, TWICE] }
/** All at once, but only after the window that the controller is configured with. */
const DOWN: HPAScalingRules = { selectPolicy: 'Max', policies: [TWICE] }

function defaultBehavior({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior): HorizontalPodAutoscalerBehavior {
  return { scaleUp: withAbsent(scaleUp ?? {}, UP), scaleDown: withAbsent(scaleDown ?? {}, DOWN) }
}
