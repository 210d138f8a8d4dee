/**
 * Schemas as types of the expression language, with the sizes that estimates of cost work with: what a limit of the
 * schema says, or what fits into a request.
 */

import { escapeFieldName } from '../cel/field-names.ts'
import {
  BOOL,
  type CelType,
  DOUBLE,
  INT,
  type ListType,
  listType,
  mapType,
  type ObjectField,
  objectType,
  STRING,
} from '../cel/types.ts'
import type { Schema } from './schema.ts'

/** Bytes of a request, as upstream's estimates have it. */
export const REQUEST_BYTES_MAX = 3 * 1024 * 1024

/** Bytes of the shortest and longest forms in JSON; upstream's. */
const STRING_BYTES_MIN = 2
const BOOLEAN_BYTES_MIN = 4
const NUMBER_BYTES_MIN = 1
const COMPOSITE_BYTES_MIN = 2
const DURATION_BYTES = { min: 3, max: 32 }
const DATE_TIME_BYTES = { min: 21, max: 32 }
const DATE_BYTES = { min: 12, max: 12 }
/** A character takes up to this many bytes. */
const CHARACTER_BYTES_MAX = 4

export interface DeclaredType {
  readonly type: CelType
  /** Bytes that a value takes at least. */
  readonly bytesMin: number
}

interface Known {
  readonly plain: Map<boolean, DeclaredType | undefined>
}

const declared = new WeakMap<Schema, Known>()

/**
 * Undefined where expressions see nothing: values without a structure. `name` tells object types apart; `isResource`:
 * the schema is of a whole object, whose kind, apiVersion and names are there whether the schema says so or not.
 */
export function declaredType(schema: Schema, name: string, isResource: boolean): DeclaredType | undefined {
  const known = declared.get(schema) ?? { plain: new Map<boolean, DeclaredType | undefined>() }
  declared.set(schema, known)
  if (!known.plain.has(isResource)) known.plain.set(isResource, declare(schema, name, isResource))
  return known.plain.get(isResource)
}

function declare(schema: Schema, name: string, isResource: boolean): DeclaredType | undefined {
  if (schema['x-kubernetes-int-or-string']) {
    return { type: { kind: 'dyn', maxSize: stringSize(schema) }, bytesMin: NUMBER_BYTES_MIN }
  }
  switch (schema.type) {
    case 'array':
      return declareList(schema, name)
    case 'object':
      return declareObject(isResource ? withMeta(schema) : schema, name)
    case 'string':
      return declareString(schema)
    case 'boolean':
      return { type: BOOL, bytesMin: BOOLEAN_BYTES_MIN }
    case 'number':
      return { type: DOUBLE, bytesMin: NUMBER_BYTES_MIN }
    case 'integer':
      return { type: INT, bytesMin: NUMBER_BYTES_MIN }
    case undefined:
      return undefined
  }
}

function declareList(schema: Schema, name: string): DeclaredType | undefined {
  const items = schema.items && declaredType(schema.items, `${name}.@idx`, isEmbedded(schema.items))
  if (items === undefined) return undefined
  const fitting = Math.floor((REQUEST_BYTES_MAX - 2) / (items.bytesMin + 1))
  const list = listType(items.type, limitOr(schema.maxItems, fitting))
  const identity = identityOf(schema)
  return { type: identity === undefined ? list : { ...list, identity }, bytesMin: COMPOSITE_BYTES_MIN }
}

function identityOf(schema: Schema): ListType['identity'] {
  if (schema['x-kubernetes-list-type'] === 'set') return 'set'
  return schema['x-kubernetes-list-type'] === 'map' ? (schema['x-kubernetes-list-map-keys'] ?? []) : undefined
}

function declareObject(schema: Schema, name: string): DeclaredType | undefined {
  const { additionalProperties: values } = schema
  if (typeof values === 'object') {
    const value = declaredType(values, `${name}.@elem`, isEmbedded(values))
    if (value === undefined) return undefined
    const fitting = Math.floor((REQUEST_BYTES_MAX - 2) / (value.bytesMin + 6))
    return { type: mapType(STRING, value.type, limitOr(schema.maxProperties, fitting)), bytesMin: COMPOSITE_BYTES_MIN }
  }
  const properties = new Map(
    Object.entries(schema.properties ?? {}).flatMap(([property, field]) => {
      const escaped = escapeFieldName(property)
      return escaped === undefined ? [] : [[escaped, { property, field }] as const]
    }),
  )
  const fieldOf = (escaped: string): ObjectField | undefined => {
    const found = properties.get(escaped)
    const type = found && declaredType(found.field, `${name}.${escaped}`, isEmbedded(found.field))?.type
    return type && { type, property: found.property }
  }
  return { type: objectType(name, fieldOf), bytesMin: objectBytes(schema, name) }
}

/** Braces, and the fields that must be there and are not filled in. */
function objectBytes({ properties = {}, required = [] }: Schema, name: string): number {
  let bytes = COMPOSITE_BYTES_MIN
  for (const property of new Set(required)) {
    const field = Object.hasOwn(properties, property) ? properties[property] : undefined
    if (field === undefined || field.default !== undefined) continue
    const type = declaredType(field, `${name}.${escapeFieldName(property) ?? property}`, isEmbedded(field))
    if (type !== undefined) bytes += Buffer.byteLength(property) + type.bytesMin + 4
  }
  return bytes
}

function declareString(schema: Schema): DeclaredType {
  const { maxLength, enum: choices } = schema
  switch (schema.format) {
    case 'byte':
      return { type: { kind: 'bytes', maxSize: limitOr(maxLength, stringSize({})) }, bytesMin: STRING_BYTES_MIN }
    case 'duration':
      return { type: { kind: 'duration', maxSize: DURATION_BYTES.max }, bytesMin: DURATION_BYTES.min }
    case 'date':
      return { type: { kind: 'timestamp', maxSize: DATE_BYTES.max }, bytesMin: DATE_BYTES.min }
    case 'date-time':
      return { type: { kind: 'timestamp', maxSize: DATE_TIME_BYTES.max }, bytesMin: DATE_TIME_BYTES.min }
    default: {
      const texts = (choices ?? []).filter((choice) => typeof choice === 'string')
      const ofChoices = Math.max(0, ...texts.map((text) => Buffer.byteLength(text)))
      const maxSize = maxLength === undefined && choices?.length ? ofChoices : stringSize(schema)
      return { type: { kind: 'string', maxSize }, bytesMin: STRING_BYTES_MIN }
    }
  }
}

/** Bytes of the longest text, without its quotes where it fills a request. */
function stringSize({ maxLength }: Schema): number {
  return maxLength === undefined ? REQUEST_BYTES_MAX - 2 : Math.max(0, maxLength) * CHARACTER_BYTES_MAX
}

function limitOr(limit: number | undefined, otherwise: number): number {
  return limit === undefined ? otherwise : Math.max(0, limit)
}

const TEXT: Schema = { type: 'string' }
const META: Readonly<Record<string, Schema>> = {
  apiVersion: TEXT,
  kind: TEXT,
  metadata: { type: 'object', properties: { name: TEXT, generateName: TEXT } },
}

function withMeta(schema: Schema): Schema {
  return { ...schema, properties: { ...schema.properties, ...META } }
}

function isEmbedded(schema: Schema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true
}
