/** The rules of what an autoscaler measures: one source of one type, and a target that goes with it. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { isPathSegmentName } from '../../machinery/meta/names.ts'
import { quantityOf } from '../../machinery/meta/quantity.ts'
import { validateContainerResourceName } from '../core/pod/validate-resources.ts'
import { dnsLabelErrors, findingErrors } from '../field-rules.ts'
import type { CrossVersionObjectReference, MetricIdentifier, MetricSpec, MetricTarget } from './types.gen.ts'

const TARGET_TYPES = ['Utilization', 'Value', 'AverageValue']
const TYPES = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

/** The field that goes with a type, in the order in which fields are looked at. */
const FIELDS = {
  Object: 'object',
  External: 'external',
  Pods: 'pods',
  Resource: 'resource',
  ContainerResource: 'containerResource',
} as const

type Field = (typeof FIELDS)[keyof typeof FIELDS]
type ReferenceRule = (reference: CrossVersionObjectReference, path: FieldPath) => readonly FieldError[]

export function metricErrors(metric: MetricSpec, path: FieldPath, described: ReferenceRule): readonly FieldError[] {
  const { type = '' } = metric
  const typePath = path.child('type')
  const present = Object.values(FIELDS).filter((field) => metric[field] !== undefined)
  const expected = Object.entries(FIELDS).find(([name]) => name === type)?.[1]
  const errors: FieldError[] = type === '' ? [required(typePath, 'must specify a metric source type')] : []
  if (!expected) errors.push(notSupported(typePath, type, TYPES))
  // Only the first one is looked into: any other should not be there.
  if (present[0]) errors.push(...sourceErrors(metric, present[0], path.child(present[0]), described))
  if (!expected) {
    // Upstream says so at both ends of its look.
    errors.push(notSupported(typePath, type, TYPES))
  } else if (!present.includes(expected)) {
    errors.push(required(path.child(expected), 'must populate information for the given metric source'))
  }
  const surplus = present.length === 1 ? [] : present.filter((field) => field !== expected)
  return [
    ...errors,
    ...surplus.map((field) => forbidden(path.child(field), 'must populate the given metric source only')),
  ]
}

function sourceErrors(
  { object, external, pods, resource, containerResource }: MetricSpec,
  field: Field,
  path: FieldPath,
  described: ReferenceRule,
): readonly FieldError[] {
  switch (field) {
    case 'object':
      return [
        ...described(object?.describedObject ?? { kind: '', name: '' }, path.child('describedObject')),
        ...identifierErrors(object?.metric, path.child('metric')),
        ...valueErrors(object?.target, path.child('target'), 'must set either a target value or averageValue'),
      ]
    case 'external':
      return [
        ...identifierErrors(external?.metric, path.child('metric')),
        ...externalTargetErrors(external?.target, path.child('target')),
      ]
    case 'pods':
      return [
        ...identifierErrors(pods?.metric, path.child('metric')),
        ...podsTargetErrors(pods?.target, path.child('target')),
      ]
    case 'resource':
      return [
        ...(resource?.name ? [] : [required(path.child('name'), 'must specify a resource name')]),
        ...resourceTargetErrors(resource?.target, path.child('target')),
      ]
    case 'containerResource':
      return [
        ...resourceNameErrors(containerResource?.name ?? '', path.child('name')),
        ...containerErrors(containerResource?.container ?? '', path.child('container')),
        ...resourceTargetErrors(containerResource?.target, path.child('target')),
      ]
  }
}

function identifierErrors(identifier: MetricIdentifier | undefined, path: FieldPath): readonly FieldError[] {
  const { name = '' } = identifier ?? {}
  const place = path.child('name')
  return name === ''
    ? [required(place, 'must specify a metric name')]
    : findingErrors(place, name, isPathSegmentName(name))
}

function resourceNameErrors(name: string, path: FieldPath): readonly FieldError[] {
  return name === '' ? [required(path, 'must specify a resource name')] : validateContainerResourceName(name, path)
}

function containerErrors(name: string, path: FieldPath): readonly FieldError[] {
  return name === '' ? [required(path, 'must specify a container')] : dnsLabelErrors(path, name)
}

function valueErrors(target: MetricTarget | undefined, path: FieldPath, detail: string): readonly FieldError[] {
  const isSet = target?.value !== undefined || target?.averageValue !== undefined
  return [...targetErrors(target, path), ...(isSet ? [] : [required(path.child('averageValue'), detail)])]
}

function externalTargetErrors(target: MetricTarget | undefined, path: FieldPath): readonly FieldError[] {
  const errors = valueErrors(target, path, 'must set either a target value for metric or a per-pod target')
  if (target?.value === undefined || target.averageValue === undefined) return errors
  const detail = 'may not set both a target value for metric and a per-pod target'
  return [...errors, forbidden(path.child('value'), detail)]
}

function podsTargetErrors(target: MetricTarget | undefined, path: FieldPath): readonly FieldError[] {
  const errors = targetErrors(target, path)
  if (target?.averageValue !== undefined) return errors
  return [...errors, required(path.child('averageValue'), 'must specify a positive target averageValue')]
}

function resourceTargetErrors(target: MetricTarget | undefined, path: FieldPath): readonly FieldError[] {
  const errors = targetErrors(target, path)
  const { averageUtilization, averageValue } = target ?? {}
  if (averageUtilization === undefined && averageValue === undefined) {
    const detail = 'must set either a target raw value or a target utilization'
    return [...errors, required(path.child('averageUtilization'), detail)]
  }
  if (averageUtilization === undefined || averageValue === undefined) return errors
  const detail = 'may not set both a target raw value and a target utilization'
  return [...errors, forbidden(path.child('averageValue'), detail)]
}

function targetErrors(target: MetricTarget | undefined, path: FieldPath): readonly FieldError[] {
  const { type = '', value, averageValue, averageUtilization } = target ?? {}
  const typePath = path.child('type')
  const errors: FieldError[] = type === '' ? [required(typePath, 'must specify a metric target type')] : []
  if (!TARGET_TYPES.includes(type))
    errors.push(invalidValue(typePath, type, 'must be either Utilization, Value, or AverageValue'))
  for (const [field, quantity] of Object.entries({ value, averageValue })) {
    if (quantity !== undefined && quantityOf(quantity).nano <= 0n)
      errors.push(invalidValue(path.child(field), quantity, 'must be positive'))
  }
  if (averageUtilization !== undefined && averageUtilization < 1)
    errors.push(invalidValue(path.child('averageUtilization'), averageUtilization, 'must be greater than 0'))
  return errors
}
