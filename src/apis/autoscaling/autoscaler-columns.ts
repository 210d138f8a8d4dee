/** The table of autoscalers, in either version. */

import type { KubeObject } from '../../machinery/meta/object.ts'
import { ageColumn, NONE, nameColumn, textColumn } from '../columns.ts'
import { UNSET } from '../core/volume-rules.ts'
import type { Column } from '../definition.ts'
import type { HorizontalPodAutoscaler, MetricSpec, MetricStatus, MetricTarget, MetricValueStatus } from './types.gen.ts'

const METRICS_SHOWN_MAX = 2
const UNKNOWN = '<unknown>'

export function autoscalerColumns<T extends KubeObject>(
  view: (object: T) => HorizontalPodAutoscaler,
): readonly Column<T>[] {
  return [
    nameColumn,
    textColumn('Reference', (object: T) => {
      const { kind = '', name = '' } = view(object).spec.scaleTargetRef ?? {}
      return `${kind}/${name}`
    }),
    textColumn('Targets', (object: T) => targetsText(view(object))),
    textColumn('MinPods', (object: T) => String(view(object).spec.minReplicas ?? UNSET)),
    textColumn('MaxPods', (object: T) => view(object).spec.maxReplicas ?? 0),
    textColumn('Replicas', (object: T) => view(object).status?.currentReplicas ?? 0),
    ageColumn,
  ]
}

function targetsText({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? []
  if (metrics.length === 0) return NONE
  const texts = metrics.map((metric, index) => metricText(metric, status?.currentMetrics?.[index]))
  const shown = texts.slice(0, METRICS_SHOWN_MAX).join(', ')
  return texts.length > METRICS_SHOWN_MAX ? `${shown} + ${texts.length - METRICS_SHOWN_MAX} more...` : shown
}

function metricText(metric: MetricSpec, status: MetricStatus | undefined): string {
  const { external, pods, object, resource, containerResource } = metric
  switch (metric.type) {
    case 'External':
      return valueText(external?.target, status?.external?.current)
    case 'Object':
      return valueText(object?.target, status?.object?.current)
    case 'Pods':
      return `${status?.pods?.current.averageValue ?? UNKNOWN}/${pods?.target.averageValue}`
    case 'Resource':
      return `${resource?.name}: ${resourceText(resource?.target, status?.resource?.current)}`
    case 'ContainerResource':
      return `${containerResource?.name}: ${resourceText(containerResource?.target, status?.containerResource?.current)}`
    default:
      return '<unknown type>'
  }
}

function valueText(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  return target?.averageValue === undefined
    ? `${current?.value ?? UNKNOWN}/${target?.value}`
    : `${current?.averageValue ?? UNKNOWN}/${target.averageValue} (avg)`
}

function resourceText(target: MetricTarget | undefined, current: MetricValueStatus | undefined): string {
  if (target?.averageValue !== undefined) return `${current?.averageValue ?? UNKNOWN}/${target.averageValue}`
  const percent = (value: number | undefined, otherwise: string): string =>
    value === undefined ? otherwise : `${value}%`
  return `${percent(current?.averageUtilization, UNKNOWN)}/${percent(target?.averageUtilization, '<auto>')}`
}
