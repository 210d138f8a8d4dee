/** Values that are a number or a percentage of a total: `maxUnavailable: 25%`, `targetPort: http`. */

import { type FieldError, type FieldPath, invalidValue } from './field-error.ts'
import { isValidPercent } from './names.ts'

export type IntOrString = number | string

/** `25%` → 25; undefined for numbers and other strings. */
export function percentOf(value: IntOrString): number | undefined {
  return typeof value === 'string' && isValidPercent(value).length === 0 ? Number(value.slice(0, -1)) : undefined
}

/** The number meant out of `total`; undefined for a string that is no percentage. */
export function scaledValue(value: IntOrString, total: number, rounding: 'up' | 'down'): number | undefined {
  if (typeof value === 'number') return value
  const match = /^([+-]?\d{1,15})%$/.exec(value)
  if (match === null) return undefined
  const share = (Number(match[1]) * total) / 100
  return rounding === 'up' ? Math.ceil(share) : Math.floor(share)
}

/** As upstream shows it: the string, or the number's digits. */
export function intOrStringText(value: IntOrString | undefined): string {
  return value === undefined ? '<nil>' : String(value)
}

/** A whole number that is not negative, or a percentage. */
export function validateNonNegativeIntOrPercent(value: IntOrString, path: FieldPath): FieldError[] {
  if (typeof value === 'number')
    return value < 0 ? [invalidValue(path, value, 'must be greater than or equal to 0')] : []
  return isValidPercent(value).map((finding) => invalidValue(path, value, finding))
}

export function validateAtMostHundredPercent(value: IntOrString, path: FieldPath): FieldError[] {
  const percent = percentOf(value)
  return percent === undefined || percent <= 100 ? [] : [invalidValue(path, value, 'must not be greater than 100%')]
}
