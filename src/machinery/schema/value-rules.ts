/** The value rules of a schema that concern one value: bounds, lengths, patterns, formats, enums. */

import { deepEqual } from '../../base/deep-equal.ts'
import {
  type FieldError,
  FieldPath,
  invalidValue,
  notSupported,
  tooLong,
  tooMany,
  typeInvalid,
} from '../meta/field-error.ts'
import { matchesFormat } from './formats.ts'
import { matchesPattern } from './patterns.ts'
import type { Schema } from './schema.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Findings about a number. `path` is as messages print it. */
export function numberRules(value: number, schema: Schema, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  const fail = (text: string): void => void errors.push(inBody(path, value, text))
  const { minimum, maximum, multipleOf } = schema
  if (minimum !== undefined) {
    if (schema.exclusiveMinimum && value <= minimum) fail(`should be greater than ${minimum}`)
    else if (value < minimum) fail(`should be greater than or equal to ${minimum}`)
  }
  if (maximum !== undefined) {
    if (schema.exclusiveMaximum && value >= maximum) fail(`should be less than ${maximum}`)
    else if (value > maximum) fail(`should be less than or equal to ${maximum}`)
  }
  if (multipleOf !== undefined && !isMultiple(value, multipleOf)) fail(`should be a multiple of ${multipleOf}`)
  if (schema.format === 'int32' && (value | 0) !== value) fail('must be of type int32')
  return errors
}

function isMultiple(value: number, factor: number): boolean {
  const quotient = value / factor
  return Math.abs(quotient - Math.round(quotient)) < 1e-9
}

/** Findings about a string. Lengths count characters, not code units. */
export function stringRules(value: string, schema: Schema, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  const { minLength, maxLength, pattern, format } = schema
  if (minLength !== undefined && charactersOf(value) < minLength) {
    errors.push(inBody(path, value, `should be at least ${minLength} chars long`))
  }
  if (maxLength !== undefined && charactersOf(value) > maxLength) errors.push(tooLong(new FieldPath(path), maxLength))
  if (pattern !== undefined && !matchesPattern(value, pattern)) {
    errors.push(inBody(path, value, `should match '${pattern}'`))
  }
  if (format !== undefined && !matchesFormat(value, format)) {
    const detail = `${path} in body must be of type ${format}: ${JSON.stringify(value)}`
    errors.push(invalidValue(new FieldPath(path), value, detail))
  }
  return errors
}

function charactersOf(text: string): number {
  let count = 0
  for (const _character of text) count++
  return count
}

/** Findings about the size of a list and the sameness of its items. */
export function listRules(value: readonly unknown[], schema: Schema, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  const { minItems, maxItems } = schema
  if (minItems !== undefined && value.length < minItems) {
    errors.push(inBody(path, value, `should have at least ${minItems} items`))
  }
  if (maxItems !== undefined && value.length > maxItems)
    errors.push(tooMany(new FieldPath(path), value.length, maxItems))
  if (schema.uniqueItems && hasDuplicates(value)) errors.push(inBody(path, value, "shouldn't contain duplicates"))
  return errors
}

function hasDuplicates(items: readonly unknown[]): boolean {
  return new Set(items.map((item) => JSON.stringify(item))).size < items.length
}

export function objectRules(value: JsonObject, schema: Schema, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  const { minProperties, maxProperties } = schema
  const count = Object.keys(value).length
  if (minProperties !== undefined && count < minProperties) {
    errors.push(inBody(path, value, `should have at least ${minProperties} properties`))
  }
  if (maxProperties !== undefined && count > maxProperties)
    errors.push(tooMany(new FieldPath(path), count, maxProperties))
  return errors
}

export function enumRule(value: unknown, schema: Schema, path: string): readonly FieldError[] {
  const { enum: choices } = schema
  if (choices === undefined || choices.some((choice) => deepEqual(choice, value))) return []
  const supported = choices.map((choice) => (typeof choice === 'string' ? choice : JSON.stringify(choice)))
  return [notSupported(new FieldPath(path), value, supported)]
}

/** The finding for a value of the wrong JSON type. */
export function wrongType(value: unknown, wanted: string, path: string): FieldError {
  const given = jsonTypeOf(value)
  const subject = path === '' ? '' : `${path} in body `
  return typeInvalid(new FieldPath(path), given, `${subject}must be of type ${wanted}: ${JSON.stringify(given)}`)
}

export function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

function inBody(path: string, value: unknown, text: string): FieldError {
  return invalidValue(new FieldPath(path), value, `${path} in body ${text}`)
}
