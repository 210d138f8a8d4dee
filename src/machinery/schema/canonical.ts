/**
 * The form in which objects are stored and served: for built-in types exactly the fields upstream writes, in
 * its order (required ones even when empty, optional ones not), quantities and times in their one spelling,
 * map keys sorted, and nothing the schema does not know. Custom objects keep what they have, keys sorted.
 *
 * Canonicalising twice is canonicalising once. Compiled once per schema into closures: this is on the path of
 * every write.
 */

import { deepFreeze, setOwn } from '../../base/deep-freeze.ts'
import { sortedKeys } from '../../base/group-by.ts'
import { isRecord } from '../../base/is-record.ts'
import { canonicalQuantity } from '../meta/quantity.ts'
import { canonicalBase64, canonicalMicroTime, canonicalTime } from './scalar-forms.ts'
import { isSchemaOrOther, type Schema } from './schema.ts'

/**
 * The value in form, frozen all the way down; `value` is not changed. Its types must fit (`checkFields`): what does not
 * is kept as it is, and frozen.
 *
 * `known` is a value that this schema's form has been made of: what comes out equal to one of its parts is that part.
 * Parts that `value` shares with it are not walked, and who compares the result with `known` finds the rest at once.
 */
export function canonical<T>(value: T, schema: Schema, known?: unknown): T {
  return formOf(schema).write(value, known) as T
}

/** Structs in form that many objects have, and which definition they are of: recognised, wherever they stand. */
const sharedForms = new WeakMap<object, string>()

/** As `canonical`, of a struct that many objects are going to have: its form is not looked at again. See `shared.ts`. */
export function sharedForm<T extends object>(value: T, schema: Schema, known?: T): T {
  const written = canonical(value, schema, known)
  if (schema.definition !== undefined && isRecord(written)) sharedForms.set(written, schema.definition)
  return written
}

/** Whether `sharedForm` made it: it is frozen all the way down, and there for many objects. */
export function isShared(value: object): boolean {
  return sharedForms.has(value)
}

/** How values of one schema are written. */
interface Form {
  /** `known` is in form already, and stands in the same place. */
  write(value: unknown, known: unknown): unknown
  /** What an unset field is written as. */
  zero(): unknown
  /** Whether a written value is the zero value. */
  isZero(value: unknown): boolean
}

type Write = Form['write']

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
    case 'meta.v1.FieldsV1':
      return fieldsV1
    case 'runtime#.RawExtension':
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
  write(value, known) {
    if (value === null || value === undefined) return '0'
    return value === known ? known : canonicalQuantity(String(value))
  },
  zero: () => '0',
  isZero: () => false,
}

/** What `fieldsInForm` has made: recognised, wherever it stands. */
const fieldsMade = new WeakSet<object>()

const fieldsV1: Form = {
  write: (value, known) => (isRecord(value) && fieldsMade.has(value) ? value : sorted(value, known)),
  zero: () => null,
  isZero: (value) => value === null,
}

/** FieldsV1 that many objects are going to have, in form. */
export function fieldsInForm<T extends object>(fields: T): T {
  const written = fieldsV1.write(fields, undefined) as T
  fieldsMade.add(written)
  return written
}

const untyped: Form = { write: sorted, zero: () => null, isZero: (value) => value === null }

/** Text of which null is the zero value, besides `empty` if given. */
function nullable(canonicalText: (text: string) => string, empty?: string): Form {
  return {
    write: (value, known) => (typeof value === 'string' && value !== known ? canonicalText(value) : (value ?? null)),
    zero: () => null,
    isZero: (value) => value === null || value === empty,
  }
}

function schemaOrOther({ items = {} }: Schema): Form {
  const write: Write = (value, known) => {
    if (Array.isArray(value)) return mapItems(value, write, known)
    return isRecord(value) ? formOf(items).write(value, known) : (value ?? null)
  }
  return { write, zero: () => null, isZero: (value) => value === null }
}

function list(schema: Schema): Form {
  const items = schema.items ?? {}
  let form: Form | undefined
  return {
    write(value, known) {
      if (!Array.isArray(value)) return deepFreeze(value ?? null)
      form ??= formOf(items)
      return mapItems(value, form.write, known)
    },
    zero: () => null,
    isZero: (value) => value === null || (Array.isArray(value) && value.length === 0),
  }
}

function map(values: Schema): Form {
  let form: Form | undefined
  return {
    write(value, known) {
      if (!isRecord(value)) return deepFreeze(value ?? null)
      form ??= formOf(values)
      return mapSorted(value, form.write, known)
    },
    zero: () => null,
    isZero: (value) => value === null || (isRecord(value) && isEmpty(value)),
  }
}

function isEmpty(value: Readonly<Record<string, unknown>>): boolean {
  for (const key in value) if (Object.hasOwn(value, key)) return false
  return true
}

function struct(schema: Schema): Form {
  let fields: readonly Field[] | undefined
  const write: Write = (value, known) => {
    if (value !== null && value !== undefined && !isRecord(value)) return deepFreeze(value)
    const source = value ?? {}
    if (source === known || sharedForms.get(source) === schema.definition) return source
    const like = isRecord(known) ? known : undefined
    fields ??= fieldsOf(schema)
    const result: Record<string, unknown> = {}
    let written = 0
    let isSame = true
    for (const field of fields) {
      const given = source[field.name]
      const before = like?.[field.name]
      const member = given === before && given !== undefined ? given : memberOf(field, given, before)
      if (member !== before) isSame = false
      if (member === undefined) continue
      result[field.name] = member
      written++
    }
    return like && isSame && written === Object.keys(like).length ? like : Object.freeze(result)
  }
  return { write, zero: () => write({}, undefined), isZero: () => false }
}

function fieldsOf(schema: Schema): readonly Field[] {
  return Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    form: formOf(property),
    presence: property.presence,
  }))
}

/** Undefined: the field is not written. */
function memberOf({ form, presence }: Field, value: unknown, known: unknown): unknown {
  if (value === undefined || value === null) {
    if (presence === 'always') return form.zero()
    return presence === 'setOrNull' ? null : undefined
  }
  const written = form.write(value, known)
  if ((presence !== 'nonZero' && presence !== 'always') || !form.isZero(written)) return written
  return presence === 'always' ? form.zero() : undefined
}

/** A custom object: its own fields, of which some (metadata) may be of built-in types. */
function custom(schema: Schema): Form {
  const { properties = {} } = schema
  const writeMember = (field: unknown, known: unknown, name: string): unknown => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    return property?.definition === undefined ? sorted(field, known) : formOf(property).write(field, known)
  }
  return {
    write: (value, known) => (isRecord(value) ? mapSorted(value, writeMember, known) : sorted(value, known)),
    zero: () => null,
    isZero: (value) => value === null,
  }
}

/** A copy of any JSON value with the keys of its objects in order. */
function sorted(value: unknown, known: unknown): unknown {
  if (Array.isArray(value)) return mapItems(value, sorted, known)
  return isRecord(value) ? mapSorted(value, sorted, known) : (value ?? null)
}

function mapItems(items: readonly unknown[], write: Write, known: unknown): readonly unknown[] {
  if (items === known) return items
  const like: readonly unknown[] | undefined = Array.isArray(known) ? known : undefined
  const result: unknown[] = []
  let isSame = like?.length === items.length
  for (let index = 0; index < items.length; index++) {
    const before = like?.[index]
    const written = write(items[index], before)
    if (written !== before) isSame = false
    result.push(written)
  }
  return like && isSame ? like : Object.freeze(result)
}

function mapSorted(
  value: Readonly<Record<string, unknown>>,
  write: (item: unknown, known: unknown, key: string) => unknown,
  known: unknown,
): Readonly<Record<string, unknown>> {
  if (value === known) return value
  const like = isRecord(known) ? known : undefined
  const result: Record<string, unknown> = {}
  const keys = sortedKeys(value)
  let isSame = true
  for (const key of keys) {
    const before = like && Object.hasOwn(like, key) ? like[key] : undefined
    const written = write(value[key], before, key)
    if (written !== before) isSame = false
    setOwn(result, key, written)
  }
  return like && isSame && keys.length === Object.keys(like).length ? like : Object.freeze(result)
}
