/** Schemas inside logic: what they must not say, and that they name only fields declared outside of it. */

import { type FieldError, type FieldPath, forbidden, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { compilePattern } from '../../machinery/schema/patterns.ts'
import { itemSchema } from './schema-walk.ts'
import type { JSONSchemaProps } from './types.gen.ts'

const LISTS = ['anyOf', 'allOf', 'oneOf'] as const

/** Logic that is not looked into: the two ways to write integer-or-string. */
interface Skips {
  readonly anyOf: boolean
  /** The `anyOf` of the first of `allOf`. */
  readonly allOf: boolean
}

const NO_SKIPS: Skips = { anyOf: false, allOf: false }

/** What the value rules of a schema, and of the logic in it, must not say. */
export function valueErrors(schema: JSONSchemaProps, path: FieldPath, skips: Skips = NO_SKIPS): readonly FieldError[] {
  const { not } = schema
  const listed = LISTS.flatMap((list) => {
    if (list === 'anyOf' && skips.anyOf) return []
    return (schema[list] ?? []).flatMap((part, index) => {
      const inner = { anyOf: list === 'allOf' && index === 0 && skips.allOf, allOf: false }
      return nestedErrors(part, path.child(list).index(index), inner)
    })
  })
  return [...listed, ...(not === undefined ? [] : nestedErrors(not, path.child('not'))), ...patternErrors(schema, path)]
}

function patternErrors({ pattern = '' }: JSONSchemaProps, path: FieldPath): readonly FieldError[] {
  if (pattern === '') return []
  const compiled = compilePattern(pattern)
  if (typeof compiled !== 'string') return []
  const detail = `must be a valid regular expression, but isn't: ${compiled}`
  return [invalidValue(path.child('pattern'), pattern, detail)]
}

const EMPTY = 'must be empty to be structural'
const FALSE = 'must be false to be structural'
const UNDEFINED = 'must be undefined to be structural'

/** Keywords that only declarations have. */
const FORBIDDEN: readonly (readonly [keyword: keyof JSONSchemaProps, detail: string])[] = [
  ['type', EMPTY],
  ['additionalProperties', UNDEFINED],
  ['default', UNDEFINED],
  ['title', EMPTY],
  ['description', EMPTY],
  ['nullable', FALSE],
  ['x-kubernetes-preserve-unknown-fields', FALSE],
  ['x-kubernetes-embedded-resource', FALSE],
  ['x-kubernetes-int-or-string', FALSE],
  ['x-kubernetes-list-map-keys', EMPTY],
  ['x-kubernetes-list-type', UNDEFINED],
  ['x-kubernetes-map-type', UNDEFINED],
  ['x-kubernetes-validations', EMPTY],
]

function nestedErrors(schema: JSONSchemaProps, path: FieldPath, skips: Skips = NO_SKIPS): readonly FieldError[] {
  const items = itemSchema(schema)
  const { properties = {}, additionalProperties } = schema
  const isUsed = (keyword: keyof JSONSchemaProps): boolean =>
    keyword === 'additionalProperties'
      ? additionalProperties !== undefined && additionalProperties !== false
      : schema[keyword] !== undefined
  return [
    ...valueErrors(schema, path, skips),
    ...(items === undefined ? [] : nestedErrors(items, path.child('items'))),
    ...Object.entries(properties).flatMap(([name, property]) =>
      nestedErrors(property, path.child('properties').key(name)),
    ),
    ...FORBIDDEN.flatMap(([keyword, detail]) => (isUsed(keyword) ? [forbidden(path.child(keyword), detail)] : [])),
    ...(Object.hasOwn(properties, 'metadata')
      ? [forbidden(path.child('properties').key('metadata'), 'must not be specified in a nested context')]
      : []),
  ]
}

/** Where a rule is, and where what it is about should be declared. */
interface Places {
  readonly declared: FieldPath
  readonly rule: FieldPath
}

/** `logic` stands somewhere inside `schema`; at the root both are the same. */
export function completenessErrors(
  logic: JSONSchemaProps,
  schema: JSONSchemaProps,
  { declared, rule }: Places,
): readonly FieldError[] {
  const parts: readonly (readonly [JSONSchemaProps, FieldPath])[] = [
    ...(logic.not === undefined ? [] : [[logic.not, rule.child('not')] as const]),
    ...LISTS.flatMap((list) =>
      (logic[list] ?? []).map((part, index) => [part, rule.child(list).index(index)] as const),
    ),
  ]
  return parts.flatMap(([part, place]) => [
    ...completenessErrors(part, schema, { declared, rule: place }),
    ...fieldErrors(part, schema, { declared, rule: place }),
  ])
}

function fieldErrors(
  part: JSONSchemaProps,
  schema: JSONSchemaProps,
  { declared, rule }: Places,
): readonly FieldError[] {
  const errors: FieldError[] = []
  const look = (inner: JSONSchemaProps, target: JSONSchemaProps | undefined, places: Places): void => {
    if (target === undefined) {
      errors.push(required(places.declared, `because it is defined in ${places.rule}`))
      return
    }
    errors.push(...completenessErrors(inner, target, places), ...fieldErrors(inner, target, places))
  }
  const items = itemSchema(part)
  if (items !== undefined)
    look(items, itemSchema(schema), { declared: declared.child('items'), rule: rule.child('items') })
  for (const [name, property] of Object.entries(part.properties ?? {})) {
    const target = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined
    const places = { declared: declared.child('properties').key(name), rule: rule.child('properties').key(name) }
    look(property, target, places)
  }
  return errors
}
