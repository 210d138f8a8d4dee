/** How much of a device's capacity one request may take: named amounts, or a range in steps. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  required,
  tooMany,
} from '../../machinery/meta/field-error.ts'
import {
  addQuantities,
  compareQuantities,
  type Quantity,
  quantityOf,
  quantityText,
  quantityValue,
} from '../../machinery/meta/quantity.ts'
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, DeviceCapacity } from './types.gen.ts'

const VALUES_MAX = 10

export function capacityErrors(path: FieldPath, capacity: DeviceCapacity, shared: boolean): readonly FieldError[] {
  const { requestPolicy: policy } = capacity
  const policyPath = path.child('requestPolicy')
  if (policy === undefined) return []
  if (!shared) return [forbidden(policyPath, 'allowMultipleAllocations must be true')]
  const { validValues = [], validRange } = policy
  if (validValues.length > 0 && validRange !== undefined) {
    const detail = 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'
    return [forbidden(policyPath, detail)]
  }
  return policyErrors(policyPath, policy, quantityOf(capacity.value))
}

function policyErrors(path: FieldPath, policy: CapacityRequestPolicy, capacity: Quantity): readonly FieldError[] {
  const { validValues = [], validRange } = policy
  const usual = policy.default ?? undefined
  const usualPath = path.child('default')
  if (validValues.length > 0)
    return usual === undefined
      ? [required(usualPath, 'required when validValues is defined')]
      : valuesErrors(path.child('validValues'), validValues.map(quantityOf), quantityOf(usual), capacity)
  if (validRange === undefined) return []
  return usual === undefined
    ? [required(usualPath, 'required when validRange is defined')]
    : rangeErrors(path.child('validRange'), validRange, quantityOf(usual), capacity)
}

function valuesErrors(
  path: FieldPath,
  values: readonly Quantity[],
  usual: Quantity,
  capacity: Quantity,
): readonly FieldError[] {
  const unsorted = values.flatMap((value, index) => {
    const before = values[index - 1]
    return before !== undefined && isLarger(before, value)
      ? [invalidValue(path.index(index), quantityText(value), 'values must be sorted in ascending order')]
      : []
  })
  const notAValue = 'default value is not valid according to the requestPolicy'
  const wrongUsual = invalidValue(path, quantityText(usual), notAValue)
  if (values.length > VALUES_MAX) return [...unsorted, tooMany(path, values.length, VALUES_MAX), wrongUsual]
  const whole = values.map(quantityValue)
  const tooLarge = `option is larger than capacity value: ${quantityText(capacity)}`
  return [
    ...unsorted,
    ...values.flatMap((value, index) =>
      isLarger(value, capacity) ? [invalidValue(path.index(index), quantityText(value), tooLarge)] : [],
    ),
    ...whole.flatMap((value, index) =>
      whole.indexOf(value) < index ? [duplicate(path.index(index), String(value))] : [],
    ),
    ...(values.some((value) => compareQuantities(value, usual) === 0) ? [] : [wrongUsual]),
  ]
}

function isLarger(left: Quantity, right: Quantity): boolean {
  return compareQuantities(left, right) > 0
}

function rangeErrors(
  path: FieldPath,
  range: CapacityRequestPolicyRange,
  usual: Quantity,
  capacity: Quantity,
): readonly FieldError[] {
  if (range.min === undefined) return [required(path.child('min'), 'required when validRange is defined')]
  const min = quantityOf(range.min)
  const max = range.max === undefined ? undefined : quantityOf(range.max)
  const finding = (field: string, value: Quantity, text: string, other: Quantity): FieldError =>
    invalidValue(path.child(field), quantityText(value), `${text}: ${quantityText(other)}`)
  return [
    ...(isLarger(min, capacity) ? [finding('min', min, 'min is larger than capacity value', capacity)] : []),
    ...(isLarger(min, usual) ? [finding('min', usual, 'default is less than min', min)] : []),
    ...(max === undefined
      ? []
      : [
          ...(isLarger(min, max) ? [finding('max', min, 'min is larger than max', max)] : []),
          ...(isLarger(max, capacity) ? [finding('max', max, 'max is larger than capacity value', capacity)] : []),
          ...(isLarger(usual, max) ? [finding('max', usual, 'default is more than max', max)] : []),
        ]),
    ...(range.step === undefined
      ? []
      : stepErrors(
          path.child('step'),
          quantityOf(range.step),
          min,
          max === undefined ? [usual] : [usual, max],
          capacity,
        )),
  ]
}

function stepErrors(
  path: FieldPath,
  step: Quantity,
  min: Quantity,
  values: readonly Quantity[],
  capacity: Quantity,
): readonly FieldError[] {
  const first = addQuantities(min, step)
  const stepText = quantityText(step)
  const tooLarge = `one step ${quantityText(first)} is larger than capacity value: ${quantityText(capacity)}`
  const between = `value is not a multiple of a given step (${stepText}) from (${quantityText(min)})`
  const isOnStep = (value: Quantity): boolean => (quantityValue(value) - quantityValue(min)) % quantityValue(step) === 0
  return [
    ...(isLarger(first, capacity) ? [invalidValue(path, stepText, tooLarge)] : []),
    ...values.flatMap((value) => (isOnStep(value) ? [] : [invalidValue(path, quantityText(value), between)])),
  ]
}
