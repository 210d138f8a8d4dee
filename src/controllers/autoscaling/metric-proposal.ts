/** What one metric of an autoscaler asks for, and how its status tells what was measured. Pure. */

import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../apis/autoscaling/types.gen.ts'
import { milliValue, quantityFromMilli, quantityOf, quantityText, toFloat } from '../../machinery/meta/quantity.ts'
import { selectorDescription } from '../policy/selector-description.ts'
import {
  type Calculated,
  type Measures,
  replicasForAverage,
  replicasForShare,
  replicasForUtilization,
  replicasForValue,
  type Tolerance,
  type Workload,
} from './replica-calculator.ts'

/** What was read for a metric: of each pod, or one value; an error when nothing could be read. */
export type Reading = { readonly measures: Measures } | { readonly milli: number } | { readonly error: string }

export type MetricOutcome =
  | { readonly replicas: number; readonly name: string; readonly status: MetricStatus }
  | {
      readonly reason: string
      /** For the condition and the event. */
      readonly detail: string
      /** For the summary of all metrics. */
      readonly error: string
    }

export interface Scaled extends Workload {
  /** How many replicas the workload reports, whatever it should have. */
  readonly statusReplicas: number
}

/** Off the target by less than this share of it nothing changes; upstream's. */
const TOLERANCE = 0.1

export function toleranceOf({ spec: { behavior } }: HorizontalPodAutoscaler): Tolerance {
  const own = (text: string | undefined) => (text === undefined ? TOLERANCE : toFloat(quantityOf(text)))
  return { down: own(behavior?.scaleDown?.tolerance), up: own(behavior?.scaleUp?.tolerance) }
}

export function proposalFor(spec: MetricSpec, reading: Reading, workload: Scaled): MetricOutcome {
  switch (spec.type) {
    case 'Resource':
      return resourceProposal(spec, reading, workload)
    case 'ContainerResource':
      return containerProposal(spec, reading, workload)
    case 'Pods':
      return podsProposal(spec, reading, workload)
    case 'Object':
      return objectProposal(spec, reading, workload)
    case 'External':
      return externalProposal(spec, reading, workload)
    default: {
      const error = `unknown metric source type "${spec.type}"`
      return { reason: 'InvalidMetricSourceType', detail: error, error }
    }
  }
}

function resourceProposal({ resource, type }: MetricSpec, reading: Reading, workload: Scaled): MetricOutcome {
  const { name = '', target = { type: '' } } = resource ?? {}
  const found = resourceReplicas(name, target, reading, workload)
  if ('error' in found)
    return {
      reason: 'FailedGetResourceMetric',
      detail: found.error,
      error: `failed to get ${name} resource metric value: ${found.error}`,
    }
  const what = target.averageValue === undefined ? 'resource utilization (percentage of request)' : 'resource'
  return {
    replicas: found.replicas,
    name: `${name} ${what}`,
    status: { type, resource: { name, current: found.current } },
  }
}

function containerProposal({ containerResource, type }: MetricSpec, reading: Reading, workload: Scaled): MetricOutcome {
  const { name = '', container = '', target = { type: '' } } = containerResource ?? {}
  const found = resourceReplicas(name, target, reading, workload, container)
  if ('error' in found)
    return {
      reason: 'FailedGetContainerResourceMetric',
      detail: found.error,
      error: `failed to get ${container} container metric value: ${found.error}`,
    }
  const what = target.averageValue === undefined ? 'container resource utilization (percentage of request)' : 'resource'
  const status = { type, containerResource: { name, container, current: found.current } }
  return { replicas: found.replicas, name: `${name} ${what}`, status }
}

function resourceReplicas(
  resource: string,
  { averageValue, averageUtilization }: MetricTarget,
  reading: Reading,
  workload: Scaled,
  container?: string,
): { readonly replicas: number; readonly current: MetricValueStatus } | { readonly error: string } {
  const format = resource === 'memory' ? 'BinarySI' : 'DecimalSI'
  const text = (milli: number) => quantityText(quantityFromMilli(Math.trunc(milli), format))
  if (averageValue === undefined && averageUtilization === undefined)
    return {
      error:
        'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    }
  const kind = averageValue === undefined ? 'utilization' : 'usage'
  const failed = (error: string) => ({ error: `failed to get ${resource} ${kind}: ${error}` })
  if (!('measures' in reading))
    return failed(`unable to get metrics for resource ${resource}: ${'error' in reading ? reading.error : ''}`)
  const found: Calculated =
    averageValue === undefined
      ? replicasForUtilization(workload, reading.measures, { resource, container, percent: averageUtilization ?? 0 })
      : replicasForAverage(workload, reading.measures, { resource, milli: milliValue(averageValue) })
  if ('error' in found) return failed(found.error)
  const percent = found.percent === undefined ? {} : { averageUtilization: found.percent }
  return { replicas: found.replicas, current: { ...percent, averageValue: text(found.milli) } }
}

function podsProposal({ pods, type }: MetricSpec, reading: Reading, workload: Scaled): MetricOutcome {
  const { metric = { name: '' }, target } = pods ?? {}
  const failed = (detail: string): MetricOutcome => ({
    reason: 'FailedGetPodsMetric',
    detail,
    error: `failed to get pods metric value: ${detail}`,
  })
  if (!('measures' in reading))
    return failed(`unable to get metric ${metric.name}: ${'error' in reading ? reading.error : ''}`)
  const found = replicasForAverage(workload, reading.measures, { milli: milliValue(target?.averageValue) })
  if ('error' in found) return failed(found.error)
  const status = { type, pods: { metric, current: { averageValue: decimal(found.milli) } } }
  return { replicas: found.replicas, name: `pods metric ${metric.name}`, status }
}

function objectProposal({ object, type }: MetricSpec, reading: Reading, workload: Scaled): MetricOutcome {
  const { metric = { name: '' }, target = { type: '' }, describedObject = { kind: '', name: '' } } = object ?? {}
  const failed = (detail: string): MetricOutcome => ({
    reason: 'FailedGetObjectMetric',
    detail,
    error: `failed to get object metric value: ${detail}`,
  })
  const found = sharedReplicas(target, reading, workload)
  if (found === undefined)
    return failed('invalid object metric source: neither a value target nor an average value target was set')
  if ('error' in found) return failed(`unable to get metric ${metric.name}: ${found.error}`)
  const isValue = target.value !== undefined
  const name = isValue
    ? `${describedObject.kind} metric ${metric.name}`
    : `external metric ${metric.name}(${selectorDescription(metric.selector)})`
  return {
    replicas: found.replicas,
    name,
    status: { type, object: { metric, describedObject, current: shownValue(found.milli, isValue) } },
  }
}

function externalProposal({ external, type }: MetricSpec, reading: Reading, workload: Scaled): MetricOutcome {
  const { metric = { name: '' }, target = { type: '' } } = external ?? {}
  const failed = (detail: string): MetricOutcome => ({
    reason: 'FailedGetExternalMetric',
    detail,
    error: `failed to get ${metric.name} external metric value: ${detail}`,
  })
  const found = sharedReplicas(target, reading, workload)
  if (found === undefined)
    return failed('invalid external metric source: neither a value target nor an average value target was set')
  if ('error' in found) return failed(`failed to get external metric ${metric.name}: ${found.error}`)
  const name = `external metric ${metric.name}(${selectorDescription(metric.selector)})`
  const current = shownValue(found.milli, target.averageValue === undefined)
  return { replicas: found.replicas, name, status: { type, external: { metric, current } } }
}

/** For a value that is not of single pods. Undefined: there is no target. */
function sharedReplicas(target: MetricTarget, reading: Reading, workload: Scaled): Calculated | undefined {
  if (target.averageValue === undefined && target.value === undefined) return undefined
  if (!('milli' in reading)) return { error: 'error' in reading ? reading.error : '' }
  if (target.averageValue === undefined) return replicasForValue(workload, reading.milli, milliValue(target.value))
  const shared = { replicas: workload.statusReplicas, tolerance: workload.tolerance }
  return replicasForShare(shared, reading.milli, milliValue(target.averageValue))
}

function shownValue(milli: number, isValue: boolean): MetricValueStatus {
  return isValue ? { value: decimal(milli) } : { averageValue: decimal(milli) }
}

function decimal(milli: number): string {
  return quantityText(quantityFromMilli(Math.trunc(milli), 'DecimalSI'))
}
