/** The rules of autoscalers: bounds, what is scaled, by which metrics, and how fast. */

import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { isPathSegmentName } from '../../machinery/meta/names.ts'
import { isNegative, quantityOf, quantityText } from '../../machinery/meta/quantity.ts'
import { findingErrors, nonNegative } from '../field-rules.ts'
import { metricErrors } from './metric-rules.ts'
import type {
  CrossVersionObjectReference,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HPAScalingPolicy,
  HPAScalingRules,
} from './types.gen.ts'

const PERIOD_SECONDS_MAX = 1800
const WINDOW_SECONDS_MAX = 3600
const SELECT_POLICIES = ['Disabled', 'Max', 'Min']
const POLICY_TYPES = ['Percent', 'Pods']

const specPath = new FieldPath('spec')
const statusPath = new FieldPath('status')

export function autoscalerErrors(
  { spec }: HorizontalPodAutoscaler,
  previous: HorizontalPodAutoscaler | undefined,
): readonly FieldError[] {
  const { behavior } = spec
  const path = specPath.child('behavior')
  return [
    ...boundErrors(spec, previous?.spec),
    ...targetErrors(spec.scaleTargetRef ?? {}, previous?.spec.scaleTargetRef),
    ...metricsErrors(spec, previous?.spec),
    ...(behavior?.scaleUp ? rulesErrors(behavior.scaleUp, path.child('scaleUp')) : []),
    ...(behavior?.scaleDown ? rulesErrors(behavior.scaleDown, path.child('scaleDown')) : []),
  ]
}

export function autoscalerStatusErrors({ status }: HorizontalPodAutoscaler): readonly FieldError[] {
  return [
    ...nonNegative(statusPath.child('currentReplicas'), status?.currentReplicas),
    ...nonNegative(statusPath.child('desiredReplicas'), status?.desiredReplicas),
  ]
}

/** Who scales to zero already may go on with it. */
function boundErrors(
  { minReplicas, maxReplicas = 0 }: HorizontalPodAutoscalerSpec,
  previous: HorizontalPodAutoscalerSpec | undefined,
): readonly FieldError[] {
  const lowest = previous?.minReplicas === 0 ? 0 : 1
  const maxPath = specPath.child('maxReplicas')
  const errors: FieldError[] = []
  if (minReplicas !== undefined && minReplicas < lowest) {
    const detail = `must be greater than or equal to ${lowest}`
    errors.push(invalidValue(specPath.child('minReplicas'), minReplicas, detail))
  }
  if (maxReplicas === 0) errors.push(required(maxPath, 'must be set and greater than 0'))
  if (maxReplicas < 0) errors.push(invalidValue(maxPath, maxReplicas, 'must be greater than or equal to 1'))
  if (minReplicas !== undefined && maxReplicas < minReplicas)
    errors.push(invalidValue(maxPath, maxReplicas, 'must be greater than or equal to `minReplicas`'))
  return errors
}

/** A version is looked at when the target becomes another one; only one kind that scales is in the core group. */
function targetErrors(
  target: CrossVersionObjectReference,
  previous: CrossVersionObjectReference | undefined,
): readonly FieldError[] {
  const path = specPath.child('scaleTargetRef')
  const isSame = previous && previous.apiVersion === target.apiVersion && previous.kind === target.kind
  const finding = apiVersionFinding(target.apiVersion ?? '', target.kind === 'ReplicationController')
  const errors = referenceErrors(target, path)
  if (isSame || finding === undefined) return errors
  return [...errors, invalidValue(path.child('apiVersion'), target.apiVersion ?? '', finding)]
}

function referenceErrors({ kind, name }: CrossVersionObjectReference, path: FieldPath): readonly FieldError[] {
  const segment = (text: string | undefined, place: FieldPath): readonly FieldError[] =>
    text ? findingErrors(place, text, isPathSegmentName(text)) : [required(place)]
  return [...segment(kind, path.child('kind')), ...segment(name, path.child('name'))]
}

function apiVersionFinding(apiVersion: string, isCoreTaken: boolean): string | undefined {
  const slashes = apiVersion.split('/').length - 1
  if (apiVersion !== '/' && slashes > 1) return `unexpected GroupVersion string: ${apiVersion}`
  const hasGroup = slashes === 1 && !apiVersion.startsWith('/')
  return hasGroup || isCoreTaken ? undefined : 'apiVersion must specify API group'
}

function metricsErrors(
  { metrics = [], minReplicas }: HorizontalPodAutoscalerSpec,
  previous: HorizontalPodAutoscalerSpec | undefined,
): readonly FieldError[] {
  const path = specPath.child('metrics')
  const isOdd = ({ apiVersion = '' }: Partial<CrossVersionObjectReference>) => apiVersionFinding(apiVersion, true)
  const wasOdd = previous?.metrics?.some(({ object }) => object && isOdd(object.describedObject ?? {}) !== undefined)
  const describedErrors = (reference: CrossVersionObjectReference, place: FieldPath): readonly FieldError[] => {
    const finding = wasOdd ? undefined : isOdd(reference)
    const errors = referenceErrors(reference, place)
    if (finding === undefined) return errors
    return [...errors, invalidValue(place.child('apiVersion'), reference.apiVersion ?? '', finding)]
  }
  const errors = metrics.flatMap((metric, index) => metricErrors(metric, path.index(index), describedErrors))
  const canBeZero = metrics.some(({ type }) => type === 'Object' || type === 'External')
  if (minReplicas !== 0 || canBeZero) return errors
  const detail = 'must specify at least one Object or External metric to support scaling to zero replicas'
  return [...errors, forbidden(path, detail)]
}

function rulesErrors(rules: HPAScalingRules, path: FieldPath): readonly FieldError[] {
  const { stabilizationWindowSeconds: window, selectPolicy, policies = [], tolerance } = rules
  const windowPath = path.child('stabilizationWindowSeconds')
  const policiesPath = path.child('policies')
  const errors: FieldError[] = []
  if (window !== undefined && window < 0)
    errors.push(invalidValue(windowPath, window, 'must be greater than or equal to zero'))
  if (window !== undefined && window > WINDOW_SECONDS_MAX)
    errors.push(invalidValue(windowPath, window, `must be less than or equal to ${WINDOW_SECONDS_MAX}`))
  if (selectPolicy !== undefined && !SELECT_POLICIES.includes(selectPolicy))
    errors.push(notSupported(path.child('selectPolicy'), selectPolicy, SELECT_POLICIES))
  if (policies.length === 0) errors.push(required(policiesPath, 'must specify at least one Policy'))
  errors.push(...policies.flatMap((policy, index) => policyErrors(policy, policiesPath.index(index))))
  if (tolerance === undefined || !isNegative(quantityOf(tolerance))) return errors
  const detail = 'must be greater than or equal to 0'
  return [...errors, invalidValue(path.child('tolerance'), quantityText(quantityOf(tolerance)), detail)]
}

function policyErrors({ type, value, periodSeconds }: HPAScalingPolicy, path: FieldPath): readonly FieldError[] {
  const periodPath = path.child('periodSeconds')
  const errors: FieldError[] = []
  if (!POLICY_TYPES.includes(type)) errors.push(notSupported(path.child('type'), type ?? '', POLICY_TYPES))
  if (!(value > 0)) errors.push(invalidValue(path.child('value'), value ?? 0, 'must be greater than zero'))
  if (!(periodSeconds > 0)) errors.push(invalidValue(periodPath, periodSeconds ?? 0, 'must be greater than zero'))
  if (periodSeconds > PERIOD_SECONDS_MAX)
    errors.push(invalidValue(periodPath, periodSeconds, `must be less than or equal to ${PERIOD_SECONDS_MAX}`))
  return errors
}
