/**
 * Structural validation of custom objects: types, required fields, value rules, compositions, list types, in
 * upstream's words. Expression rules (`x-kubernetes-validations`) are another module's. Never throws.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { isRecord } from '../../base/is-record.ts'
import { duplicate, type FieldError, FieldPath, invalidValue, required } from '../meta/field-error.ts'
import { canonicalText, keysOf } from './list-keys.ts'
import type { Schema } from './schema.ts'
import { enumRule, jsonTypeOf, listRules, numberRules, objectRules, stringRules, wrongType } from './value-rules.ts'

type JsonObject = Readonly<Record<string, unknown>>

/** Findings kept per object: a hostile list must not make an answer of megabytes. */
const ERRORS_MAX = 200

/**
 * `path` is where `value` stands; empty for a whole object. What an update leaves as it was in `previous` is
 * not validated again: a schema may have become stricter since.
 */
export function validateValue(value: unknown, schema: Schema, path = '', previous?: unknown): readonly FieldError[] {
  const errors: FieldError[] = []
  collect(value, schema, path, errors, previous)
  return errors
}

/** `previous` is undefined where there is nothing to compare with. */
function collect(value: unknown, schema: Schema, path: string, errors: FieldError[], previous?: unknown): void {
  if (errors.length >= ERRORS_MAX || (value === null && schema.nullable)) return
  // Built-in types inside a custom object, its metadata above all, have validation of their own.
  if (schema.definition !== undefined) return
  if (previous !== undefined && deepEqual(value, previous)) return
  const mismatch = typeError(value, schema, path)
  if (mismatch !== undefined) {
    errors.push(mismatch)
    return
  }
  errors.push(...enumRule(value, schema, path))
  if (typeof value === 'string') errors.push(...stringRules(value, schema, path))
  else if (typeof value === 'number') errors.push(...numberRules(value, schema, path))
  else if (Array.isArray(value)) collectList(value, schema, path, errors, previous)
  else if (isRecord(value)) collectObject(value, schema, path, errors, previous)
  collectCompositions(value, schema, path, errors)
}

function typeError(value: unknown, schema: Schema, path: string): FieldError | undefined {
  const given = jsonTypeOf(value)
  if (schema['x-kubernetes-int-or-string']) {
    return given === 'integer' || given === 'string' ? undefined : wrongType(value, 'integer,string', path)
  }
  const { type } = schema
  if (type === undefined || type === given || (type === 'number' && given === 'integer')) return undefined
  return wrongType(value, type, path)
}

function collectList(
  list: readonly unknown[],
  schema: Schema,
  path: string,
  errors: FieldError[],
  previous: unknown,
): void {
  errors.push(...listRules(list, schema, path))
  const { items } = schema
  if (items !== undefined) {
    const counterpart = counterpartIn(previous, schema)
    for (const [index, item] of list.entries()) collect(item, items, `${path}[${index}]`, errors, counterpart(item))
  }
  errors.push(...listTypeErrors(list, schema, path))
}

/** Finds the previous item with the same keys; only lists that are maps have such. */
function counterpartIn(previous: unknown, schema: Schema): (item: unknown) => unknown {
  if (!Array.isArray(previous) || schema['x-kubernetes-list-type'] !== 'map') return () => undefined
  const items = new Map(previous.map((item: unknown) => [canonicalText(keysOf(item, schema)), item]))
  return (item) => items.get(canonicalText(keysOf(item, schema)))
}

function collectObject(
  object: JsonObject,
  schema: Schema,
  path: string,
  errors: FieldError[],
  previous: unknown,
): void {
  errors.push(...objectRules(object, schema, path))
  for (const name of schema.required ?? []) {
    if (!Object.hasOwn(object, name)) errors.push(required(new FieldPath(childOf(path, name))))
  }
  const { properties = {}, additionalProperties } = schema
  for (const [name, value] of Object.entries(object)) {
    const field = Object.hasOwn(properties, name) ? properties[name] : additionalProperties
    if (typeof field !== 'object') continue
    const before = isRecord(previous) && Object.hasOwn(previous, name) ? previous[name] : undefined
    collect(value, field, childOf(path, name), errors, before)
  }
  if (schema['x-kubernetes-embedded-resource']) errors.push(...embeddedResourceErrors(object, path))
}

function childOf(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}

/** A set has no item twice, a map no two items with the same keys. */
function listTypeErrors(list: readonly unknown[], schema: Schema, path: string): readonly FieldError[] {
  const listType = schema['x-kubernetes-list-type']
  if (listType !== 'set' && listType !== 'map') return []
  const seen = new Set<string>()
  const errors: FieldError[] = []
  list.forEach((item, index) => {
    const identity = listType === 'set' ? item : keysOf(item, schema)
    const text = canonicalText(identity)
    if (seen.has(text)) errors.push(duplicate(new FieldPath(path).index(index), identity))
    seen.add(text)
  })
  return errors
}

function embeddedResourceErrors(object: JsonObject, path: string): readonly FieldError[] {
  const errors: FieldError[] = []
  for (const name of ['apiVersion', 'kind']) {
    const field = new FieldPath(childOf(path, name))
    const value = object[name]
    if (typeof value !== 'string' || value === '') errors.push(required(field, 'must not be empty'))
  }
  const { metadata } = object
  if (metadata !== undefined && !isRecord(metadata))
    errors.push(wrongType(metadata, 'object', childOf(path, 'metadata')))
  return errors
}

function collectCompositions(value: unknown, schema: Schema, path: string, errors: FieldError[]): void {
  for (const part of schema.allOf ?? []) collect(value, part, path, errors)
  // Upstream's findings about alternatives have no path of their own.
  const fail = (text: string): void => void errors.push(invalidValue(NO_PATH, '', `${quoted(path)} ${text}`))
  if (schema.anyOf !== undefined) {
    const attempts = schema.anyOf.map((part) => validateValue(value, part, path))
    if (attempts.every((attempt) => attempt.length > 0)) {
      fail('must validate at least one schema (anyOf)')
      errors.push(...closest(attempts))
    }
  }
  if (schema.oneOf !== undefined) {
    const attempts = schema.oneOf.map((part) => validateValue(value, part, path))
    const valid = attempts.filter((attempt) => attempt.length === 0).length
    if (valid !== 1) {
      const found = valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`
      fail(`must validate one and only one schema (oneOf). ${found}`)
      if (valid === 0) errors.push(...closest(attempts))
    }
  }
  if (schema.not !== undefined && validateValue(value, schema.not, path).length === 0) {
    fail('must not validate the schema (not)')
  }
}

const NO_PATH = new FieldPath('<nil>')

function quoted(path: string): string {
  return JSON.stringify(path)
}

/** What the alternative with the fewest findings found. */
function closest(attempts: readonly (readonly FieldError[])[]): readonly FieldError[] {
  return attempts.reduce((best, attempt) => (attempt.length < best.length ? attempt : best), attempts[0] ?? [])
}
