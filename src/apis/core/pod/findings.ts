/** Small makers of field errors that most validators of pods share. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  notSupported,
  required,
} from '../../../machinery/meta/field-error.ts'
import { isInRange } from '../../../machinery/meta/names.ts'
import { findingErrors } from '../../field-rules.ts'

/** A `NotSupported` for a value that is given and none of the choices. */
export function validateChoice(value: string | undefined, choices: readonly string[], path: FieldPath): FieldError[] {
  return value === undefined || choices.includes(value) ? [] : [notSupported(path, value, choices)]
}

/** As above, and missing when there is none. */
export function requiredChoice(value: string | undefined, choices: readonly string[], path: FieldPath): FieldError[] {
  return value ? validateChoice(value, choices, path) : [required(path)]
}

export function validateRange(value: number | undefined, low: number, high: number, path: FieldPath): FieldError[] {
  return value === undefined ? [] : findingErrors(path, value, isInRange(value, low, high))
}

/** A `Required` for every named field that is absent or empty. */
export function requiredFields<T extends object>(
  source: T | undefined,
  fields: readonly (keyof T & string)[],
  path: FieldPath,
): FieldError[] {
  const isEmpty = (value: unknown) =>
    value === undefined || value === null || value === '' || (Array.isArray(value) && value.length === 0)
  return fields.filter((field) => isEmpty(source?.[field])).map((field) => required(path.child(field)))
}

/** A `Forbidden` for every named field that is present. */
export function forbiddenFields<T extends object>(
  source: T,
  fields: readonly (keyof T & string)[],
  detail: string,
  path: FieldPath,
): FieldError[] {
  return fields.filter((field) => source[field] !== undefined).map((field) => forbidden(path.child(field), detail))
}
