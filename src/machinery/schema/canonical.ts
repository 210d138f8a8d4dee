/**
 * The form in which objects are stored and served: for built-in types exactly the fields upstream writes, in
 * its order (required ones even when empty, optional ones not), quantities and times in their one spelling,
 * map keys sorted, and nothing the schema does not know. Custom objects keep what they have, keys sorted.
 *
 * Canonicalising twice is canonicalising once. Compiled once per schema into closures: this is on the path of
 * every write.
 */

import { deepFreeze, setOwn } from '../../base/deep-freeze.ts'
import { isRecord } from '../../base/is-record.ts'
import { canonicalQuantity } from '../meta/quantity.ts'
import { canonicalBase64, canonicalMicroTime, canonicalTime } from './scalar-forms.ts'
import { isSchemaOrOther, type Schema } from './schema.ts'

/**
 * A new value, frozen all the way down; `value` is not changed. Its types must fit (`checkFields`): what does not is
 * kept as it is, and frozen.
 */
export function canonical<T>(value: T, schema: Schema): T {
  return formOf(schema).write(value) as T
}

/** How values of one schema are written. */
interface Form {
  write(value: unknown): unknown
  /** What an unset field is written as. */
  zero(): unknown
  /** Whether a written value is the zero value. */
  isZero(value: unknown): boolean
}

interface Field {
  readonly name: string
  readonly form: Form
  readonly presence: Schema['presence']
}

const forms = new WeakMap<Schema, Form>()

function formOf(schema: Schema): Form {
  let form = forms.get(schema)
  if (form === undefined) {
    form = compile(schema)
    forms.set(schema, form)
  }
  return form
}

function compile(schema: Schema): Form {
  if (isSchemaOrOther(schema)) return schemaOrOther(schema)
  switch (schema.definition) {
    case undefined:
      return schema.properties === undefined ? compilePlain(schema) : custom(schema)
    case 'meta.v1.Time':
      return nullable(canonicalTime)
    case 'meta.v1.MicroTime':
      return nullable(canonicalMicroTime)
    case 'resource#.Quantity':
      return quantity
    case 'intstr#.IntOrString':
      return intOrString
    case 'runtime#.RawExtension':
    case 'meta.v1.FieldsV1':
    case 'apiextensions.v1.JSON':
      return untyped
    default:
      return schema['x-kubernetes-preserve-unknown-fields'] ? untyped : struct(schema)
  }
}

function compilePlain(schema: Schema): Form {
  switch (schema.type) {
    case 'string':
      return schema.format === 'byte' ? bytes : text
    case 'integer':
    case 'number':
      return number
    case 'boolean':
      return boolean
    case 'array':
      return list(schema)
    case 'object':
      return typeof schema.additionalProperties === 'object' ? map(schema.additionalProperties) : untyped
    case undefined:
      return untyped
  }
}

const text: Form = { write: (value) => value ?? '', zero: () => '', isZero: (value) => value === '' }
const number: Form = { write: (value) => value ?? 0, zero: () => 0, isZero: (value) => value === 0 }
const boolean: Form = { write: (value) => value ?? false, zero: () => false, isZero: (value) => value === false }
const intOrString: Form = { write: (value) => value ?? 0, zero: () => 0, isZero: () => false }
const bytes: Form = nullable(canonicalBase64, '')

const quantity: Form = {
  write: (value) => (value === null || value === undefined ? '0' : canonicalQuantity(String(value))),
  zero: () => '0',
  isZero: () => false,
}

const untyped: Form = { write: sorted, zero: () => null, isZero: (value) => value === null }

/** Text of which null is the zero value, besides `empty` if given. */
function nullable(canonicalText: (text: string) => string, empty?: string): Form {
  return {
    write: (value) => (typeof value === 'string' ? canonicalText(value) : (value ?? null)),
    zero: () => null,
    isZero: (value) => value === null || value === empty,
  }
}

function schemaOrOther({ items = {} }: Schema): Form {
  const write = (value: unknown): unknown => {
    if (Array.isArray(value)) return mapItems(value, write)
    return isRecord(value) ? formOf(items).write(value) : (value ?? null)
  }
  return { write, zero: () => null, isZero: (value) => value === null }
}

function list(schema: Schema): Form {
  const items = schema.items ?? {}
  let form: Form | undefined
  return {
    write(value) {
      if (!Array.isArray(value)) return deepFreeze(value ?? null)
      form ??= formOf(items)
      return mapItems(value, form.write)
    },
    zero: () => null,
    isZero: (value) => value === null || (Array.isArray(value) && value.length === 0),
  }
}

function map(values: Schema): Form {
  let form: Form | undefined
  return {
    write(value) {
      if (!isRecord(value)) return deepFreeze(value ?? null)
      form ??= formOf(values)
      return mapSorted(value, form.write)
    },
    zero: () => null,
    isZero: (value) => value === null || (isRecord(value) && Object.keys(value).length === 0),
  }
}

function struct(schema: Schema): Form {
  let fields: readonly Field[] | undefined
  const write = (value: unknown): unknown => {
    if (value !== null && value !== undefined && !isRecord(value)) return deepFreeze(value)
    const source = value ?? {}
    fields ??= fieldsOf(schema)
    const result: Record<string, unknown> = {}
    for (const field of fields) writeField(field, source[field.name], result)
    return Object.freeze(result)
  }
  return { write, zero: () => write({}), isZero: () => false }
}

function fieldsOf(schema: Schema): readonly Field[] {
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    form: formOf(property),
    presence: property.presence,
  }))
}

function writeField({ name, form, presence }: Field, value: unknown, result: Record<string, unknown>): void {
  if (value === undefined || value === null) {
    if (presence === 'always') result[name] = form.zero()
    else if (presence === 'setOrNull') result[name] = null
    return
  }
  const written = form.write(value)
  if (presence === 'nonZero' || presence === 'always') {
    if (!form.isZero(written)) result[name] = written
    else if (presence === 'always') result[name] = form.zero()
    return
  }
  result[name] = written
}

/** A custom object: its own fields, of which some (metadata) may be of built-in types. */
function custom(schema: Schema): Form {
  const { properties = {} } = schema
  return {
    write: (value) =>
      isRecord(value)
        ? mapSorted(value, (field, name) => {
            const property = Object.hasOwn(properties, name) ? properties[name] : undefined
            return property?.definition === undefined ? sorted(field) : formOf(property).write(field)
          })
        : sorted(value),
    zero: () => null,
    isZero: (value) => value === null,
  }
}

/** A copy of any JSON value with the keys of its objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return mapItems(value, sorted)
  return isRecord(value) ? mapSorted(value, sorted) : (value ?? null)
}

function mapItems(items: readonly unknown[], write: (item: unknown) => unknown): readonly unknown[] {
  return Object.freeze(items.map((item) => write(item)))
}

function mapSorted(
  value: Readonly<Record<string, unknown>>,
  write: (item: unknown, key: string) => unknown,
): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  const keys = Object.keys(value)
  if (keys.length > 1) keys.sort()
  for (const key of keys) setOwn(result, key, write(value[key], key))
  return Object.freeze(result)
}
