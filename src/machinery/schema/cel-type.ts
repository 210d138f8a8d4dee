/**
 * The type that expressions see of a schema. Properties become fields when an expression names them, under their
 * escaped names; what a schema says nothing about (lists without items, unknown fields) expressions do not see.
 */

import { escapeFieldName, unescapeFieldName } from '../cel/field-names.ts'
import { BOOL, type CelType, DOUBLE, INT, type ObjectField, objectType, type SimpleType } from '../cel/types.ts'
import type { Schema } from './schema.ts'

/** The largest request, which bounds what has no limit of its own. */
const REQUEST_BYTES_MAX = 3 * 1024 * 1024

/** Lists and maps within each other, without an object between them. */
const NESTING_MAX = 32

/** The shortest and longest texts of formats, quotation marks included. */
const DURATION_BYTES = { min: 3, max: 32 }
const DATE_TIME_BYTES = { min: 21, max: 32 }
const DATE_BYTES = { min: 12, max: 12 }
const QUOTES_BYTES = 2

/**
 * `name` names the type, and with their paths the types within it. A resource's root always has its kind and the
 * names in its metadata. undefined: expressions do not see values of this schema.
 */
export function celTypeOf(schema: Schema, name: string, isResourceRoot = false): CelType | undefined {
  return typeOf(schema, name, isResourceRoot, 0)
}

function typeOf(schema: Schema, name: string, isRoot: boolean, nesting: number): CelType | undefined {
  if (nesting > NESTING_MAX) return undefined
  if (schema['x-kubernetes-int-or-string'] === true) return { kind: 'dyn', maxSize: textSize(schema) }
  switch (schema.type) {
    case 'array':
      return listOf(schema, name, nesting)
    case 'object':
      return objectOf(schema, name, isRoot, nesting)
    case 'string':
      return textOf(schema)
    case 'boolean':
      return BOOL
    case 'number':
      return DOUBLE
    case 'integer':
      return INT
    default:
      return isRoot ? objectOf(schema, name, isRoot, nesting) : undefined
  }
}

function listOf(schema: Schema, name: string, nesting: number): CelType | undefined {
  const { items, maxItems } = schema
  const element = items && typeOf(items, `${name}.@idx`, isEmbedded(items), nesting + 1)
  if (items === undefined || element === undefined) return undefined
  const fitting = Math.floor((REQUEST_BYTES_MAX - 2) / (smallestSize(items) + 1))
  return {
    kind: 'list',
    element,
    maxSize: maxItems === undefined ? fitting : Math.max(0, maxItems),
    ...identity(schema),
  }
}

function identity(schema: Schema): { readonly identity?: 'set' | readonly string[] } {
  const type = schema['x-kubernetes-list-type']
  if (type === 'set') return { identity: 'set' }
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return type === 'map' && keys.length > 0 ? { identity: keys } : {}
}

function objectOf(schema: Schema, name: string, isRoot: boolean, nesting: number): CelType | undefined {
  const { additionalProperties, maxProperties } = schema
  if (typeof additionalProperties === 'object') {
    const value = typeOf(additionalProperties, `${name}.@elem`, isEmbedded(additionalProperties), nesting + 1)
    if (value === undefined) return undefined
    // A pair has a key, quotation marks, a colon and a comma.
    const fitting = Math.floor((REQUEST_BYTES_MAX - 2) / (smallestSize(additionalProperties) + 6))
    const maxSize = maxProperties === undefined ? fitting : Math.max(0, maxProperties)
    return { kind: 'map', key: { kind: 'string', maxSize: 0 }, value, maxSize }
  }
  const properties = isRoot ? rootProperties(schema) : (schema.properties ?? {})
  return objectType(name, (field) => fieldOf(properties, name, field))
}

function fieldOf(properties: Readonly<Record<string, Schema>>, name: string, field: string): ObjectField | undefined {
  const property = unescapeFieldName(field)
  if (property === undefined || escapeFieldName(property) !== field || !Object.hasOwn(properties, property))
    return undefined
  const schema = properties[property]
  const type = schema && typeOf(schema, `${name}.${field}`, isEmbedded(schema), 0)
  return type && { type, property }
}

function isEmbedded(schema: Schema): boolean {
  return schema['x-kubernetes-embedded-resource'] === true
}

const TEXT: Schema = { type: 'string' }
const ROOT_METADATA: Schema = { type: 'object', properties: { name: TEXT, generateName: TEXT } }

function rootProperties({ properties = {} }: Schema): Readonly<Record<string, Schema>> {
  const { kind, apiVersion, metadata } = properties
  const names = metadata?.type === 'object' ? metadata.properties : undefined
  const isComplete = [kind, apiVersion, names?.name, names?.generateName].every((part) => part?.type === 'string')
  return isComplete ? properties : { ...properties, kind: TEXT, apiVersion: TEXT, metadata: ROOT_METADATA }
}

function textOf(schema: Schema): SimpleType {
  switch (schema.format) {
    case 'byte':
      return { kind: 'bytes', maxSize: schema.maxLength ?? REQUEST_BYTES_MAX - QUOTES_BYTES }
    case 'duration':
      return { kind: 'duration', maxSize: DURATION_BYTES.max }
    case 'date':
      return { kind: 'timestamp', maxSize: DATE_BYTES.max }
    case 'date-time':
      return { kind: 'timestamp', maxSize: DATE_TIME_BYTES.max }
    default:
      return { kind: 'string', maxSize: textSize(schema) }
  }
}

/** A limit counts characters, and a character may take four bytes. */
function textSize({ maxLength, enum: choices = [] }: Schema): number {
  if (maxLength !== undefined) return Math.max(0, maxLength) * 4
  const texts = choices.filter((choice) => typeof choice === 'string')
  if (texts.length > 0) return Math.max(...texts.map((text) => Buffer.byteLength(text)))
  return REQUEST_BYTES_MAX - QUOTES_BYTES
}

const sizes = new WeakMap<Schema, number>()

/** The bytes that a value of the schema takes in JSON at least. */
function smallestSize(schema: Schema): number {
  const known = sizes.get(schema)
  if (known !== undefined) return known
  // What contains itself is at least a pair of brackets.
  sizes.set(schema, 2)
  const size = computedSize(schema)
  sizes.set(schema, size)
  return size
}

function computedSize(schema: Schema): number {
  if (schema['x-kubernetes-int-or-string'] === true) return 1
  switch (schema.type) {
    case 'string':
      if (schema.format === 'duration') return DURATION_BYTES.min
      if (schema.format === 'date') return DATE_BYTES.min
      return schema.format === 'date-time' ? DATE_TIME_BYTES.min : QUOTES_BYTES
    case 'boolean':
      return 4
    case 'number':
    case 'integer':
      return 1
    case 'object':
      return typeof schema.additionalProperties === 'object' ? 2 : objectSize(schema)
    default:
      return 2
  }
}

function objectSize({ properties = {}, required = [] }: Schema): number {
  let size = 2
  for (const name of required) {
    const schema = Object.hasOwn(properties, name) ? properties[name] : undefined
    // Quotation marks, a colon and a comma.
    if (schema !== undefined && schema.default === undefined) size += Buffer.byteLength(name) + smallestSize(schema) + 4
  }
  return size
}
