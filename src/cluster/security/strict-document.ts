/**
 * Documents that people write about a cluster, read strictly: a field that nobody knows, or one that is there twice, is
 * a mistake to be told and not to be passed over.
 */

import { assert } from '../../base/assert.ts'
import { isRecord } from '../../base/is-record.ts'
import { nearest } from '../../base/nearest.ts'
import { DecodeError } from '../../machinery/wire/json.ts'
import { decodeYaml } from '../../machinery/wire/yaml.ts'

/** The value of a YAML or JSON text. Throws `DecodeError`, for keys that are there twice as well. */
export function decodeStrictly(bytes: Uint8Array): unknown {
  const duplicates: string[] = []
  const value = decodeYaml(bytes, duplicates)
  if (duplicates.length > 0) throw new DecodeError(duplicates.join(', '))
  return value
}

/** What these documents need of JSON schema: a library for all of it takes longer to load than a cluster to answer. */
interface Schema {
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly items?: Schema
  readonly required?: readonly string[]
  readonly additionalProperties?: false
  readonly properties?: Readonly<Record<string, Schema>>
}

const KEYWORDS = 'type const enum minimum maximum minLength items required additionalProperties properties'.split(' ')

/**
 * Where the document is not what the JSON schema says, a sentence each; none for one that is.
 *
 *   spec.nodes[0]: unknown field "cout". Did you mean "count"?
 */
export function findingsIn(document: unknown, schema: object): readonly string[] {
  return [...findings(document, schema, '')]
}

function* findings(value: unknown, schema: Schema, path: string): Generator<string> {
  for (const keyword of Object.keys(schema))
    assert(KEYWORDS.includes(keyword), `documents are not described by ${keyword}`)
  const place = path === '' ? 'the document' : path
  for (const finding of ownFindings(value, schema)) yield `${place}: ${finding}`
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries())
      if (schema.items) yield* findings(item, schema.items, `${path}[${index}]`)
  } else if (isRecord(value)) {
    for (const [name, field] of Object.entries(schema.properties ?? {}))
      if (Object.hasOwn(value, name)) yield* findings(value[name], field, path === '' ? name : `${path}.${name}`)
  }
}

/** Of the value itself, not of what is in it. */
function* ownFindings(value: unknown, schema: Schema): Generator<string> {
  const types = [schema.type ?? []].flat()
  if (types.length > 0 && !types.some((type) => isOfType(value, type))) yield `must be ${types}`
  if ('const' in schema && value !== schema.const) yield `must be ${schema.const}`
  if (schema.enum && !schema.enum.includes(value)) yield `must be ${schema.enum.join(' or ')}`
  if (typeof value === 'number') {
    const { minimum = -Infinity, maximum = Infinity } = schema
    if (!(value <= maximum)) yield `must be <= ${maximum}`
    if (!(value >= minimum)) yield `must be >= ${minimum}`
  }
  const { minLength = 0 } = schema
  if (typeof value === 'string' && [...value].length < minLength)
    yield `must NOT have fewer than ${minLength} characters`
  if (isRecord(value)) yield* fieldFindings(value, schema)
}

function* fieldFindings(value: object, { required = [], additionalProperties, properties = {} }: Schema) {
  for (const name of required) if (!Object.hasOwn(value, name)) yield `must have required property '${name}'`
  if (additionalProperties !== false) return
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(properties, name)) continue
    const meant = nearest(name, Object.keys(properties))
    yield `unknown field "${name}"${meant ? `. Did you mean "${meant}"?` : ''}`
  }
}

function isOfType(value: unknown, type: string): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isRecord(value)
  if (type === 'integer') return Number.isInteger(value)
  return typeof value === type
}
