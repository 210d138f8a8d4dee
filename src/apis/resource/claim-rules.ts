/** What is wrong with the devices that a claim asks for. */

import {
  type FieldError,
  type FieldPath,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { isValidLabelValue } from '../../machinery/meta/names.ts'
import { dnsLabelErrors, dnsSubdomainErrors, findingErrors, qualifiedNameErrors } from '../field-rules.ts'
import { boundedList, boundedSet } from './bounded-lists.ts'
import { configurationErrors } from './configuration-rules.ts'
import { deviceExpressionErrors } from './device-expressions.ts'
import { fullAttributeNameErrors } from './names.ts'
import type {
  DeviceClaim,
  DeviceConstraint,
  DeviceRequest,
  DeviceSelector,
  DeviceSubRequest,
  DeviceToleration,
  ExactDeviceRequest,
} from './types.gen.ts'

export const REQUESTS_MAX = 32
export const CONFIGURATIONS_MAX = 32
const CONSTRAINTS_MAX = 32
const ALTERNATIVES_MAX = 8
const SELECTORS_MAX = 32
const ALLOCATION_MODES = ['All', 'ExactCount']
const OPERATORS = ['Equal', 'Exists']
export const TAINT_EFFECTS = ['NoExecute', 'NoSchedule', 'None']

export function deviceClaimErrors(path: FieldPath, claim: DeviceClaim): readonly FieldError[] {
  const names = requestNames(claim)
  return [
    ...boundedSet(path.child('requests'), claim.requests, REQUESTS_MAX, requestErrors, ({ name = '' }) => name),
    ...boundedList(path.child('constraints'), claim.constraints, CONSTRAINTS_MAX, (place, constraint) =>
      constraintErrors(place, constraint, names),
    ),
    ...boundedList(path.child('config'), claim.config, CONFIGURATIONS_MAX, (place, config) => [
      ...requestReferencesErrors(place.child('requests'), config.requests, names),
      ...configurationErrors(place, config),
    ]),
  ]
}

/** Requests by name, each with the names of its alternatives. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>

export function requestNames({ requests }: DeviceClaim): RequestNames {
  return new Map(
    (requests ?? []).map(({ name = '', firstAvailable = [] }) => [
      name,
      new Set(firstAvailable.map((alternative) => alternative.name ?? '')),
    ]),
  )
}

/** A list of `request` or `request/alternative`, each once. */
export function requestReferencesErrors(
  path: FieldPath,
  references: readonly string[] | undefined,
  names: RequestNames,
): readonly FieldError[] {
  return boundedSet(
    path,
    references,
    REQUESTS_MAX,
    (place, reference) => requestReferenceErrors(place, reference, names),
    (reference) => reference,
  )
}

export function requestReferenceErrors(path: FieldPath, text: string, names: RequestNames): readonly FieldError[] {
  const detail = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
  const [request = '', alternative, ...rest] = text.split('/')
  if (rest.length > 0) return [invalidValue(path, text, detail)]
  const alternatives = names.get(request)
  const known = alternatives !== undefined && (alternative === undefined || alternatives.has(alternative))
  return [
    ...dnsLabelErrors(path, request),
    ...(alternative === undefined ? [] : dnsLabelErrors(path, alternative)),
    ...(known ? [] : [invalidValue(path, text, detail)]),
  ]
}

function requestErrors(path: FieldPath, request: DeviceRequest): readonly FieldError[] {
  const { name = '', exactly, firstAvailable = [] } = request
  const nameErrors = dnsLabelErrors(path.child('name'), name)
  const oneOf = 'exactly one of `exactly` or `firstAvailable` is required'
  if (firstAvailable.length > 0 && exactly !== undefined)
    return [...nameErrors, invalidValue(path, null, `${oneOf}, but multiple fields are set`)]
  if (exactly !== undefined) return [...nameErrors, ...demandErrors(path.child('exactly'), exactly)]
  if (firstAvailable.length === 0) return [...nameErrors, required(path, oneOf)]
  return [
    ...nameErrors,
    ...boundedSet(
      path.child('firstAvailable'),
      firstAvailable,
      ALTERNATIVES_MAX,
      alternativeErrors,
      (alternative) => alternative.name ?? '',
    ),
  ]
}

function alternativeErrors(path: FieldPath, alternative: DeviceSubRequest): readonly FieldError[] {
  return [...dnsLabelErrors(path.child('name'), alternative.name ?? ''), ...demandErrors(path, alternative)]
}

/** Which devices, and how many. */
function demandErrors(path: FieldPath, demand: ExactDeviceRequest): readonly FieldError[] {
  const { deviceClassName = '', selectors, tolerations = [] } = demand
  const classPath = path.child('deviceClassName')
  return [
    ...(deviceClassName === '' ? [required(classPath)] : dnsSubdomainErrors(classPath, deviceClassName)),
    ...selectorsErrors(path.child('selectors'), selectors),
    ...countErrors(path, demand),
    ...tolerations.flatMap((toleration, index) => tolerationErrors(path.child('tolerations').index(index), toleration)),
  ]
}

function countErrors(path: FieldPath, { allocationMode: mode, count = 0 }: ExactDeviceRequest): readonly FieldError[] {
  const countPath = path.child('count')
  switch (mode) {
    case 'All':
      return count === 0 ? [] : [invalidValue(countPath, count, "must not be specified when allocationMode is 'All'")]
    case 'ExactCount':
      return count > 0 ? [] : [invalidValue(countPath, count, 'must be greater than zero')]
    default:
      return [notSupported(path.child('allocationMode'), mode ?? '', ALLOCATION_MODES)]
  }
}

export function selectorsErrors(
  path: FieldPath,
  selectors: readonly DeviceSelector[] | undefined,
): readonly FieldError[] {
  return boundedList(path, selectors, SELECTORS_MAX, (place, { cel }) =>
    cel === undefined
      ? [required(place.child('cel'))]
      : deviceExpressionErrors(place.child('cel', 'expression'), cel.expression ?? ''),
  )
}

export function tolerationErrors(path: FieldPath, toleration: DeviceToleration): readonly FieldError[] {
  const { key = '', operator, value = '', effect } = toleration
  return [
    ...(key === '' ? [] : qualifiedNameErrors(path.child('key'), key)),
    ...toleratedValueErrors(path, operator, value),
    ...(effect === undefined || TAINT_EFFECTS.includes(effect)
      ? []
      : [notSupported(path.child('effect'), effect, TAINT_EFFECTS)]),
  ]
}

function toleratedValueErrors(path: FieldPath, operator: string | undefined, value: string): readonly FieldError[] {
  const valuePath = path.child('value')
  switch (operator) {
    case 'Exists':
      return value === '' ? [] : [invalidValue(valuePath, value, 'must be empty for operator `Exists`')]
    case 'Equal':
      return findingErrors(valuePath, value, isValidLabelValue(value))
    default:
      return [operator ? notSupported(path.child('operator'), operator, OPERATORS) : required(path.child('operator'))]
  }
}

function constraintErrors(path: FieldPath, constraint: DeviceConstraint, names: RequestNames): readonly FieldError[] {
  const { requests, matchAttribute, distinctAttribute } = constraint
  const missing = 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'
  return [
    ...requestReferencesErrors(path.child('requests'), requests, names),
    ...(matchAttribute !== undefined
      ? fullAttributeNameErrors(path.child('matchAttribute'), matchAttribute)
      : distinctAttribute !== undefined
        ? fullAttributeNameErrors(path.child('distinctAttribute'), distinctAttribute)
        : [required(path, missing)]),
  ]
}
