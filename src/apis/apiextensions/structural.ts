/**
 * Structural schemas: every field is declared once, outside of logic. Value rules in `allOf`, `anyOf`, `oneOf` and
 * `not` may only restrict what is declared. Messages are upstream's, sorted as upstream's are.
 */

import { deepEqual } from '../../base/deep-equal.ts'
import { byCodeUnit } from '../../base/group-by.ts'
import { type FieldError, FieldPath, forbidden, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { isList, itemSchema, someSchema } from './schema-walk.ts'
import { completenessErrors, valueErrors } from './structural-nested.ts'
import type { JSONSchemaProps } from './types.gen.ts'

type Level = 'root' | 'item' | 'field'

export function isStructural(schema: JSONSchemaProps): boolean {
  return unsupportedKeyword(schema) === undefined && structuralErrors(schema, new FieldPath('')).length === 0
}

/** Why a schema has no structure at all. */
export function unsupportedKeyword(schema: JSONSchemaProps): string | undefined {
  let found: string | undefined
  someSchema(schema, (one) => {
    found ??= unsupportedIn(one)
    return found !== undefined
  })
  return found
}

function unsupportedIn(schema: JSONSchemaProps): string | undefined {
  const isUsed = (value: object | string | boolean | undefined): boolean =>
    typeof value === 'object' ? Object.keys(value).length > 0 : Boolean(value)
  const used: readonly (readonly [string, boolean])[] = [
    ['id', isUsed(schema.id)],
    ['schema', isUsed(schema.$schema)],
    ['$ref', isUsed(schema.$ref)],
    ['patternProperties', isUsed(schema.patternProperties)],
    ['dependencies', isUsed(schema.dependencies)],
    ['additionalItems', schema.additionalItems !== undefined],
    ['definitions', isUsed(schema.definitions)],
  ]
  const [keyword] = used.find(([, present]) => present) ?? []
  if (keyword !== undefined) return `OpenAPIV3Schema '${keyword}' is not supported`
  if (schema['x-kubernetes-preserve-unknown-fields'] === false)
    return "internal error: 'x-kubernetes-preserve-unknown-fields' must be true or undefined"
  return schema.items !== undefined && isList(schema.items)
    ? "OpenAPIV3Schema 'items' must be a schema, but is an array"
    : undefined
}

export function structuralErrors(schema: JSONSchemaProps, path: FieldPath): readonly FieldError[] {
  const places = { declared: path, rule: path }
  const errors = [...invariantErrors(schema, 'root', path), ...completenessErrors(schema, schema, places)]
  return errors.toSorted((left, right) => byCodeUnit(textOf(left), textOf(right)))
}

const textOf = ({ path, message }: FieldError): string => `${path}: ${message}`

function invariantErrors(schema: JSONSchemaProps, level: Level, path: FieldPath): readonly FieldError[] {
  const { additionalProperties } = schema
  const items = itemSchema(schema)
  const errors: FieldError[] = []
  if (schema.type === 'array' && items === undefined) errors.push(required(path.child('items'), 'must be specified'))
  if (items !== undefined) errors.push(...invariantErrors(items, 'item', path.child('items')))
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    errors.push(...invariantErrors(property, 'field', path.child('properties').key(name)))
  if (additionalProperties !== undefined && level === 'root')
    errors.push(forbidden(path.child('additionalProperties'), 'must not be used at the root'))
  if (typeof additionalProperties === 'object')
    errors.push(...invariantErrors(additionalProperties, 'field', path.child('additionalProperties')))
  return [
    ...errors,
    ...extensionErrors(schema, path),
    ...valueErrors(schema, path, {
      anyOf: isIntOrString(schema.anyOf),
      allOf: isIntOrString(schema.allOf?.[0]?.anyOf),
    }),
    ...typeErrors(schema, level, path),
    ...metaErrors(schema, level, path),
  ]
}

function extensionErrors(schema: JSONSchemaProps, path: FieldPath): readonly FieldError[] {
  if (!schema['x-kubernetes-int-or-string']) return []
  return (['x-kubernetes-preserve-unknown-fields', 'x-kubernetes-embedded-resource'] as const).flatMap((keyword) =>
    schema[keyword]
      ? [invalidValue(path.child(keyword), true, 'must be false if x-kubernetes-int-or-string is true')]
      : [],
  )
}

/** `anyOf: [{type: integer}, {type: string}]`: the one place where logic may name types. */
function isIntOrString(choices: readonly JSONSchemaProps[] | undefined): boolean {
  return deepEqual(choices, [{ type: 'integer' }, { type: 'string' }])
}

const EMPTY_TYPE: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
}

function typeErrors(schema: JSONSchemaProps, level: Level, path: FieldPath): readonly FieldError[] {
  const { type = '', additionalProperties } = schema
  const typePath = path.child('type')
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const errors: FieldError[] = []
  if (embedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true'
    errors.push(type === '' ? required(typePath, detail) : invalidValue(typePath, type, detail))
  } else if (type === '' && !schema['x-kubernetes-int-or-string'] && !schema['x-kubernetes-preserve-unknown-fields']) {
    errors.push(required(typePath, EMPTY_TYPE[level]))
  }
  if (embedded && additionalProperties !== undefined) {
    const detail = 'must not be used if x-kubernetes-embedded-resource is set'
    errors.push(forbidden(path.child('additionalProperties'), detail))
  }
  if (level === 'root' && type !== '' && type !== 'object')
    errors.push(invalidValue(typePath, type, 'must be object at the root'))
  return errors
}

/** What every object has is not for a schema to say, but for the form of names. */
function metaErrors(schema: JSONSchemaProps, level: Level, path: FieldPath): readonly FieldError[] {
  const { properties = {} } = schema
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const isResource = level === 'root' || embedded
  const errors: FieldError[] = []
  for (const name of ['kind', 'apiVersion']) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!isResource || property === undefined || property.type === 'string') continue
    errors.push(invalidValue(path.child('properties').key(name).child('type'), property.type ?? '', 'must be string'))
  }
  const metadata = Object.hasOwn(properties, 'metadata') ? properties.metadata : undefined
  const metadataPath = path.child('properties').key('metadata')
  if (metadata !== undefined && isResource && metadata.type !== 'object')
    errors.push(invalidValue(metadataPath.child('type'), metadata.type ?? '', 'must be object'))
  if (metadata !== undefined && level === 'root' && !isNameRuleOnly(metadata)) {
    const detail = 'must not specify anything other than name and generateName, but metadata is implicitly specified'
    errors.push(forbidden(metadataPath, detail))
  }
  if (embedded && !schema['x-kubernetes-preserve-unknown-fields'] && Object.keys(properties).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields'
    errors.push(required(path.child('properties'), detail))
  }
  return errors
}

function isNameRuleOnly({ properties = {}, type: _type, default: _default, ...others }: JSONSchemaProps): boolean {
  if (!Object.keys(properties).every((name) => name === 'name' || name === 'generateName')) return false
  return Object.values(others).every((value) => value === undefined)
}
