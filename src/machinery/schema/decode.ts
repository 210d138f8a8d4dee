/**
 * Does a decoded JSON value fit a schema? Two different questions: which fields the schema does not know
 * (reported, ignored or refused as the request's field validation says), and, for built-in types, whether
 * a value has the wrong type (always refused). Both in the words of upstream's decoder, which name Go's types.
 *
 * Checks are compiled once per schema. A value that fits costs no allocation besides the compiled walk.
 */

import { byCodeUnit } from '../../base/group-by.ts'
import { isRecord } from '../../base/is-record.ts'
import { parseQuantity } from '../meta/quantity.ts'
import {
  base64FailureOffset,
  isMicroTime,
  isTime,
  isValidBase64,
  parseMicroTimeFailure,
  parseTimeFailure,
} from './scalar-forms.ts'
import { isSchemaOrOther, type Schema } from './schema.ts'

/** Unknown fields reported per object: the message is for a person. */
const PROBLEMS_MAX = 100

/** A value that cannot be read as the type of its field. The message is upstream's, without naming the kind. */
export class FieldTypeError extends Error {
  override readonly name = 'FieldTypeError'
}

/**
 * The texts `unknown field "spec.foo"`: in document order for built-in types; for custom ones in order of the paths,
 * those inside metadata last. Throws `FieldTypeError` for the first value of a built-in type that cannot be read.
 * Nulls fit everything.
 *
 * `known` is a value that fits and has no unknown fields: what `value` shares with it is not looked at.
 */
export function checkFields(value: unknown, schema: Schema, known?: unknown): readonly string[] {
  const trail: Trail = { segments: [], structs: [], fields: [], problems: [], inMetadata: [] }
  checkOf(schema)(value, trail, known)
  if (schema.definition !== undefined) return [...trail.problems, ...trail.inMetadata].map(unknownField)
  return [...trail.problems.sort(byCodeUnit), ...trail.inMetadata].map(unknownField)
}

/** The message of a 400 for a body that cannot be read: `detail` is a `FieldTypeError`'s or a strict decoding one. */
export function cannotBeHandled(kind: string, version: string, detail: string): string {
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${detail}`
}

/** What strict field validation answers; `problems` are those of `checkFields` and of duplicate keys. */
export function strictDecodingError(problems: readonly string[]): string {
  return `strict decoding error: ${problems.join(', ')}`
}

export function unknownField(path: string): string {
  return `unknown field ${JSON.stringify(path)}`
}

export function duplicateField(path: string): string {
  return `duplicate field ${JSON.stringify(path)}`
}

/** Where the walk is: pushed and popped, printed only when there is something to report. */
interface Trail {
  readonly segments: (string | number)[]
  /** Names of the structs around the value, innermost last. */
  readonly structs: string[]
  /** Names of the struct fields that lead to the value: no indexes and no map keys. */
  readonly fields: string[]
  /** Paths of unknown fields. */
  readonly problems: string[]
  /** Those of them that are in the metadata of a custom object, or of one that is embedded in it. */
  readonly inMetadata: string[]
}

/** `known`: what stands in the same place of a value that fits. */
type Check = (value: unknown, trail: Trail, known?: unknown) => void

/** The outermost struct of what custom objects have of built-in types. */
const META_STRUCT = 'ObjectMeta'

const checks = new WeakMap<Schema, Check>()

function checkOf(schema: Schema): Check {
  let check = checks.get(schema)
  if (check === undefined) {
    check = compile(schema)
    checks.set(schema, check)
  }
  return check
}

const accept: Check = () => undefined

function compile(schema: Schema): Check {
  if (isSchemaOrOther(schema)) return compileSchemaOrOther(schema)
  const special = specialCheck(schema)
  if (special !== undefined) return special
  switch (schema.type) {
    case 'object':
      return compileObject(schema)
    case 'array':
      return compileArray(schema)
    case 'string':
      return scalarCheck(schema, (value) => typeof value === 'string')
    case 'boolean':
      return scalarCheck(schema, (value) => typeof value === 'boolean')
    case 'integer':
      return schema.format === 'int32'
        ? scalarCheck(schema, (value) => typeof value === 'number' && (value | 0) === value)
        : scalarCheck(schema, (value) => Number.isSafeInteger(value))
    case 'number':
      return scalarCheck(schema, (value) => typeof value === 'number')
    case undefined:
      return schema.properties === undefined && schema.additionalProperties === undefined
        ? accept
        : compileObject(schema)
  }
}

function compileSchemaOrOther({ items = {} }: Schema): Check {
  const check: Check = (value, trail) => {
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        trail.segments.push(index)
        check(item, trail)
        trail.segments.pop()
      }
    } else if (typeof value === 'object') checkOf(items)(value, trail)
  }
  return check
}

function specialCheck(schema: Schema): Check | undefined {
  switch (schema.definition) {
    case 'intstr#.IntOrString':
      return (value, trail) => {
        if (typeof value === 'string' || value === null || (typeof value === 'number' && (value | 0) === value)) return
        mismatch(value, 'int32', trail)
      }
    case 'resource#.Quantity':
      return (value) => {
        if (value === null) return
        const quantity = parseQuantity(typeof value === 'string' ? value : JSON.stringify(value))
        if (typeof quantity === 'string') throw new FieldTypeError(quantity)
      }
    case 'meta.v1.MicroTime':
      return (value, trail) => {
        if (value === null) return
        if (typeof value !== 'string') mismatch(value, 'string', trail)
        else if (!isMicroTime(value)) throw new FieldTypeError(parseMicroTimeFailure(value))
      }
    case 'meta.v1.Time':
      return (value, trail) => {
        if (value === null) return
        if (typeof value !== 'string') mismatch(value, 'string', trail)
        else if (!isTime(value)) throw new FieldTypeError(parseTimeFailure(value))
      }
    default:
      return isBytes(schema) ? checkBytes : undefined
  }
}

/** A built-in scalar: only those have a presence or stand in a built-in list or map, and custom ones are validated instead. */
function scalarCheck(schema: Schema, fits: (value: unknown) => boolean): Check {
  return (value, trail) => {
    if (fits(value) || value === null || trail.structs.length === 0) return
    mismatch(value, goTypeOf(schema), trail)
  }
}

function isBytes(schema: Schema): boolean {
  return schema.type === 'string' && schema.format === 'byte'
}

const checkBytes: Check = (value, trail) => {
  if (value === null || trail.structs.length === 0) return
  if (typeof value !== 'string') mismatch(value, '[]uint8', trail)
  else if (!isValidBase64(value))
    throw new FieldTypeError(`illegal base64 data at input byte ${base64FailureOffset(value)}`)
}

function compileArray(schema: Schema): Check {
  const items = schema.items
  let check: Check | undefined
  return (value, trail, known) => {
    if (!Array.isArray(value)) {
      if (value !== null && trail.structs.length > 0) mismatch(value, goTypeOf(schema), trail)
      return
    }
    if (value === known) return
    const like: readonly unknown[] = Array.isArray(known) ? known : []
    check ??= items === undefined ? accept : checkOf(items)
    for (let index = 0; index < value.length; index++) {
      trail.segments.push(index)
      check(value[index], trail, like[index])
      trail.segments.pop()
    }
  }
}

function compileObject(schema: Schema): Check {
  const struct = schema.definition === undefined ? undefined : goNameOf(schema.definition)
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const fields = new Map<string, Check>()
  const others = otherFields(schema)
  const checkOfField = (name: string): Check | undefined => {
    const known = fields.get(name)
    if (known !== undefined) return known
    const field = fieldSchema(schema, name)
    if (field === undefined) return undefined
    const check = checkOf(field)
    fields.set(name, check)
    return check
  }
  return (value, trail, known) => {
    if (!isRecord(value)) {
      if (value !== null && trail.structs.length > 0 && !isUntyped(schema)) mismatch(value, goTypeOf(schema), trail)
      return
    }
    if (value === known) return
    const like = isRecord(known) ? known : {}
    if (struct !== undefined) trail.structs.push(struct)
    for (const name of Object.keys(value)) {
      const field = value[name]
      if (field === like[name] && field !== undefined) continue
      const check = checkOfField(name) ?? others
      trail.segments.push(name)
      if (check === undefined) reportUnknown(trail)
      else if (embedded) checkEmbedded(name, field, check, trail)
      else if (struct === undefined) check(field, trail, like[name])
      else {
        trail.fields.push(name)
        check(field, trail, like[name])
        trail.fields.pop()
      }
      trail.segments.pop()
    }
    if (struct !== undefined) trail.structs.pop()
  }
}

/** What makes an embedded object an object is read as if it were one of its own. */
function checkEmbedded(name: string, field: unknown, check: Check, trail: Trail): void {
  const fail = (detail: string): never => {
    throw new FieldTypeError(`${printPath(trail)}: Invalid value: ${JSON.stringify(field)}: ${detail}`)
  }
  if ((name === 'apiVersion' || name === 'kind') && field !== null && typeof field !== 'string')
    fail('must be a string')
  if (name !== 'metadata') {
    check(field, trail)
    return
  }
  try {
    check(field, trail)
  } catch (error) {
    if (!(error instanceof FieldTypeError)) throw error
    fail(error.message)
  }
}

function isUntyped(schema: Schema): boolean {
  return schema['x-kubernetes-preserve-unknown-fields'] === true
}

function fieldSchema(schema: Schema, name: string): Schema | undefined {
  const { properties } = schema
  if (properties !== undefined && Object.hasOwn(properties, name)) return properties[name]
  if (schema['x-kubernetes-embedded-resource'] && (name === 'apiVersion' || name === 'kind' || name === 'metadata'))
    return {}
  return undefined
}

/** The check of fields that are not properties; undefined when there may be none. */
function otherFields(schema: Schema): Check | undefined {
  const additional = schema.additionalProperties
  if (typeof additional === 'object') {
    let check: Check | undefined
    return (value, trail, known) => {
      check ??= checkOf(additional)
      check(value, trail, known)
    }
  }
  return additional === true || isUntyped(schema) ? accept : undefined
}

function reportUnknown(trail: Trail): void {
  const list = trail.structs[0] === META_STRUCT ? trail.inMetadata : trail.problems
  if (list.length < PROBLEMS_MAX) list.push(printPath(trail))
}

function printPath({ segments }: Trail): string {
  let text = ''
  for (const segment of segments) {
    if (typeof segment === 'number') text += `[${segment}]`
    else text += text === '' ? segment : `.${segment}`
  }
  return text
}

function mismatch(value: unknown, type: string, trail: Trail): never {
  const given = jsonTypeOf(value, type)
  const struct = trail.structs.at(-1)
  const place = trail.fields.length === 0 ? 'value' : `struct field ${struct}.${trail.fields.join('.')}`
  throw new FieldTypeError(`json: cannot unmarshal ${given} into Go ${place} of type ${type}`)
}

function jsonTypeOf(value: unknown, wanted: string): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return /^(int|float)/.test(wanted) ? `number ${value}` : 'number'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** Go's name of a type, as far as the facts know it: named strings are plain ones. */
function goTypeOf(schema: Schema): string {
  if (schema.type === 'array') return `[]${goTypeOf(schema.items ?? {})}`
  if (schema.definition !== undefined) return `${goPackageOf(schema.definition)}.${goNameOf(schema.definition)}`
  switch (schema.type) {
    case 'object':
      return typeof schema.additionalProperties === 'object'
        ? `map[string]${goTypeOf(schema.additionalProperties)}`
        : 'map[string]interface {}'
    case 'boolean':
      return 'bool'
    case 'integer':
      return schema.format === 'int32' ? 'int32' : 'int64'
    case 'number':
      return 'float64'
    case 'string':
      return isBytes(schema) ? '[]uint8' : 'string'
    default:
      return 'interface {}'
  }
}

function goNameOf(definition: string): string {
  return definition.slice(definition.lastIndexOf('.') + 1)
}

/** `core.v1.Pod` → `v1`; `resource#.Quantity` → `resource`. */
function goPackageOf(definition: string): string {
  const parts = definition.split('.')
  return (parts.length > 2 ? parts.at(-2) : parts[0]?.replace('#', '')) ?? ''
}
