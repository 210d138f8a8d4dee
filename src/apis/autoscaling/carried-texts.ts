/**
 * The texts of the annotations of version 1, in the form that all servers since 1.6 have written them:
 *
 *   metrics   [{"type":"Resource","resource":{"name":"memory","targetAverageUtilization":60}}]
 *   behavior  {"ScaleUp":{"StabilizationWindowSeconds":0,…},"ScaleDown":null}
 *
 * Clients write annotations, too. What cannot be read, or would be of another type in version 2, is as if not there.
 */

import { checkFields } from '../../machinery/schema/decode.ts'
import { autoscalerSchema } from './horizontal-pod-autoscaler.ts'
import type {
  HorizontalPodAutoscalerBehavior,
  HorizontalPodAutoscalerCondition,
  HPAScalingRules,
  MetricSpec,
  MetricStatus,
} from './types.gen.ts'

type Json = Readonly<Record<string, unknown>>

/** The list that a text says, each item as `convert` makes it; `place` is where it stands in version 2. */
function listFromText(text: string | undefined, place: readonly [string, string], convert: (item: Json) => object) {
  const list = parse(text)
  if (!Array.isArray(list)) return undefined
  const items = list.map((item) => convert(recordOf(item)))
  return fits({ [place[0]]: { [place[1]]: items } }) ? items : undefined
}

export function metricsFromText(text: string | undefined): readonly MetricSpec[] | undefined {
  // The schema has been asked, here and below.
  return listFromText(text, ['spec', 'metrics'], metricToV2) as readonly MetricSpec[] | undefined
}

export function currentMetricsFromText(text: string | undefined): readonly MetricStatus[] | undefined {
  return listFromText(text, ['status', 'currentMetrics'], currentToV2) as readonly MetricStatus[] | undefined
}

export function conditionsFromText(text: string | undefined): readonly HorizontalPodAutoscalerCondition[] | undefined {
  const convert = (item: Json): object => item
  return listFromText(text, ['status', 'conditions'], convert) as
    | readonly HorizontalPodAutoscalerCondition[]
    | undefined
}

export function behaviorFromText(text: string | undefined): HorizontalPodAutoscalerBehavior | undefined {
  const { scaleup, scaledown } = lowerKeys(parse(text))
  if (!isRecord(scaleup) && !isRecord(scaledown)) return undefined
  const behavior = {
    ...(isRecord(scaleup) ? { scaleUp: rulesToV2(scaleup) } : {}),
    ...(isRecord(scaledown) ? { scaleDown: rulesToV2(scaledown) } : {}),
  }
  return fits({ spec: { behavior } }) ? (behavior as HorizontalPodAutoscalerBehavior) : undefined
}

export function metricsText(metrics: readonly MetricSpec[]): string {
  return textOf(metrics.map(metricFromV2))
}

export function currentMetricsText(metrics: readonly MetricStatus[]): string {
  return textOf(metrics.map(currentFromV2))
}

export function conditionsText(conditions: readonly HorizontalPodAutoscalerCondition[]): string {
  return textOf(
    conditions.map(({ type, status, lastTransitionTime, reason, message }) => ({
      type,
      status,
      lastTransitionTime: lastTransitionTime ?? null,
      reason,
      message,
    })),
  )
}

export function behaviorText({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior): string {
  return textOf({ ScaleUp: rulesFromV2(scaleUp), ScaleDown: rulesFromV2(scaleDown) })
}

function metricFromV2({ type, object, pods, resource, containerResource, external }: MetricSpec): object {
  return {
    type,
    object: object && {
      target: object.describedObject,
      metricName: object.metric.name,
      targetValue: object.target.value ?? '0',
      selector: object.metric.selector,
      averageValue: object.target.averageValue,
    },
    pods: pods && {
      metricName: pods.metric.name,
      targetAverageValue: pods.target.averageValue ?? '0',
      selector: pods.metric.selector,
    },
    resource: resource && {
      name: resource.name,
      targetAverageUtilization: resource.target.averageUtilization,
      targetAverageValue: resource.target.averageValue,
    },
    containerResource: containerResource && {
      name: containerResource.name,
      targetAverageUtilization: containerResource.target.averageUtilization,
      targetAverageValue: containerResource.target.averageValue,
      container: containerResource.container,
    },
    external: external && {
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      targetValue: external.target.value,
      targetAverageValue: external.target.averageValue,
    },
  }
}

function metricToV2({ type, object, pods, resource, containerResource, external }: Json): object {
  return {
    type,
    ...when(object, 'object', ({ target, metricName, targetValue, selector, averageValue }) => ({
      describedObject: target,
      metric: metricOf(metricName, selector),
      target: isSet(averageValue)
        ? { type: 'AverageValue', averageValue, ...(isZero(targetValue) ? {} : { value: targetValue }) }
        : { type: 'Value', value: targetValue ?? '0' },
    })),
    ...when(pods, 'pods', ({ metricName, targetAverageValue, selector }) => ({
      metric: metricOf(metricName, selector),
      target: { type: 'AverageValue', averageValue: targetAverageValue ?? '0' },
    })),
    ...when(resource, 'resource', (source) => ({ name: source.name, target: resourceTarget(source) })),
    ...when(containerResource, 'containerResource', (source) => ({
      name: source.name,
      container: source.container,
      target: resourceTarget(source),
    })),
    ...when(external, 'external', ({ metricName, metricSelector, targetValue, targetAverageValue }) => ({
      metric: metricOf(metricName, metricSelector),
      target: {
        type: isSet(targetValue) ? 'Value' : 'AverageValue',
        ...given({ value: targetValue, averageValue: targetAverageValue }),
      },
    })),
  }
}

function resourceTarget({ targetAverageUtilization: averageUtilization, targetAverageValue: averageValue }: Json) {
  const type = isSet(averageUtilization) ? 'Utilization' : 'AverageValue'
  return { type, ...given({ averageUtilization, averageValue }) }
}

function currentFromV2({ type, object, pods, resource, containerResource, external }: MetricStatus): object {
  return {
    type,
    object: object && {
      target: object.describedObject,
      metricName: object.metric.name,
      currentValue: object.current.value ?? '0',
      selector: object.metric.selector,
      averageValue: object.current.averageValue,
    },
    pods: pods && {
      metricName: pods.metric.name,
      currentAverageValue: pods.current.averageValue ?? '0',
      selector: pods.metric.selector,
    },
    resource: resource && {
      name: resource.name,
      currentAverageUtilization: resource.current.averageUtilization,
      currentAverageValue: resource.current.averageValue ?? '0',
    },
    containerResource: containerResource && {
      name: containerResource.name,
      currentAverageUtilization: containerResource.current.averageUtilization,
      currentAverageValue: containerResource.current.averageValue ?? '0',
      container: containerResource.container,
    },
    external: external && {
      metricName: external.metric.name,
      metricSelector: external.metric.selector,
      currentValue: external.current.value ?? '0',
      currentAverageValue: external.current.averageValue,
    },
  }
}

function currentToV2({ type, object, pods, resource, containerResource, external }: Json): object {
  return {
    type,
    ...when(object, 'object', ({ target, metricName, currentValue, selector, averageValue }) => ({
      describedObject: target,
      metric: metricOf(metricName, selector),
      current: { value: currentValue ?? '0', ...given({ averageValue }) },
    })),
    ...when(pods, 'pods', ({ metricName, currentAverageValue, selector }) => ({
      metric: metricOf(metricName, selector),
      current: { averageValue: currentAverageValue ?? '0' },
    })),
    ...when(resource, 'resource', (status) => ({ name: status.name, current: resourceCurrent(status) })),
    ...when(containerResource, 'containerResource', (status) => ({
      name: status.name,
      container: status.container,
      current: resourceCurrent(status),
    })),
    ...when(external, 'external', ({ metricName, metricSelector, currentValue, currentAverageValue }) => ({
      metric: metricOf(metricName, metricSelector),
      current: { value: currentValue ?? '0', ...given({ averageValue: currentAverageValue }) },
    })),
  }
}

function resourceCurrent({ currentAverageUtilization: averageUtilization, currentAverageValue }: Json) {
  return { averageValue: currentAverageValue ?? '0', ...given({ averageUtilization }) }
}

function metricOf(name: unknown, selector: unknown) {
  return { name, ...given({ selector }) }
}

/** Under the names of the server's own fields, which is how upstream has always written them. */
function rulesFromV2(rules: HPAScalingRules | undefined): object | null {
  if (!rules) return null
  const { stabilizationWindowSeconds, selectPolicy, policies, tolerance } = rules
  return {
    StabilizationWindowSeconds: stabilizationWindowSeconds ?? null,
    SelectPolicy: selectPolicy ?? null,
    Policies:
      policies?.map(({ type, value, periodSeconds }) => ({ Type: type, Value: value, PeriodSeconds: periodSeconds })) ??
      null,
    Tolerance: tolerance ?? null,
  }
}

function rulesToV2(rules: Json): object {
  const { stabilizationwindowseconds, selectpolicy, policies, tolerance } = lowerKeys(rules)
  return given({
    stabilizationWindowSeconds: stabilizationwindowseconds,
    selectPolicy: selectpolicy,
    policies: Array.isArray(policies) ? policies.map((policy) => policyToV2(lowerKeys(policy))) : policies,
    tolerance,
  })
}

function policyToV2({ type, value, periodseconds }: Json): object {
  return { type, value, periodSeconds: periodseconds }
}

function when(value: unknown, field: string, convert: (value: Json) => object): object {
  return isSet(value) ? { [field]: convert(recordOf(value)) } : {}
}

function given(fields: Json): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => isSet(value)))
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null
const isZero = (value: unknown): boolean => !isSet(value) || value === '0' || value === 0
const isRecord = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)
const recordOf = (value: unknown): Json => (isRecord(value) ? value : {})

function lowerKeys(value: unknown): Json {
  return Object.fromEntries(Object.entries(recordOf(value)).map(([key, item]) => [key.toLowerCase(), item]))
}

function parse(text: string | undefined): unknown {
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function fits(parts: object): boolean {
  try {
    return Array.isArray(checkFields(parts, autoscalerSchema))
  } catch {
    return false
  }
}

/** As Go writes JSON: these three characters are escaped. */
const ESCAPES: Readonly<Record<string, string>> = { '<': '\\u003c', '>': '\\u003e', '&': '\\u0026' }

function textOf(value: unknown): string {
  return JSON.stringify(value).replace(/[<>&]/g, (character) => ESCAPES[character] ?? character)
}
