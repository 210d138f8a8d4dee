/** What the schema of a version must satisfy, in upstream's words and order. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
} from '../../machinery/meta/field-error.ts'
import { SCHEMA_TYPES, type SchemaTolerances } from './schema-tolerances.ts'
import { isList, isSchema, itemSchemas, someSchema } from './schema-walk.ts'
import { structuralErrors, unsupportedKeyword } from './structural.ts'
import type { JSONSchemaProps } from './types.gen.ts'
import { defaultErrors } from './validate-defaults.ts'
import { listTypeErrors } from './validate-list-type.ts'
import { type RuleWalk, ruleFormErrors, startRules } from './validate-rules.ts'

export interface SchemaRules {
  readonly hasStatus: boolean
  /** The version's name. */
  readonly version: string
  readonly tolerances: SchemaTolerances
}

export function schemaErrors(schema: JSONSchemaProps, path: FieldPath, rules: SchemaRules): readonly FieldError[] {
  const { tolerances } = rules
  const errors: FieldError[] = [...rootErrors(schema, path, rules.hasStatus)]
  const unsupported = unsupportedKeyword(schema)
  const mustBeStructural = !tolerances.nonStructural || saysExtensions(schema)
  let soundForRules = false
  if (mustBeStructural && unsupported === undefined) {
    const structural = structuralErrors(schema, path)
    const found = structural.length > 0 ? structural : defaultErrors(schema, path, !tolerances.unprunedDefaults)
    errors.push(...found)
    soundForRules = found.length === 0
  }
  const rulesWalk = startRules(schema, {
    compiles: soundForRules,
    priceIsChecked: !tolerances.unchangedSchemas.has(rules.version),
  })
  const found = walkErrors({ schema, path, isRoot: true, place: OUTSIDE, rules: rulesWalk, tolerances })
  errors.push(...found.schema, ...found.rules)
  if (errors.length === 0 && mustBeStructural && unsupported !== undefined)
    errors.push(invalidValue(path, '', unsupported))
  return [...errors, ...rulesWalk.totalErrors(path)]
}

/** Where a schema stands, as far as it decides what it may say. */
interface Place {
  /** Why there may be no default; undefined where there may. */
  readonly noDefault: string | undefined
  readonly insideMetadata: boolean
  /** The innermost ancestor whose parts of before and after an update cannot be told to belong together. */
  readonly uncorrelated: FieldPath | undefined
}

const OUTSIDE: Place = { noDefault: undefined, insideMetadata: false, uncorrelated: undefined }

interface Visit {
  readonly schema: JSONSchemaProps
  readonly path: FieldPath
  readonly isRoot: boolean
  readonly place: Place
  /** Undefined inside logic, where there are no rules. */
  readonly rules: RuleWalk | undefined
  readonly tolerances: SchemaTolerances
}

interface Found {
  readonly schema: readonly FieldError[]
  readonly rules: readonly FieldError[]
}

const META_FIELDS = ['metadata', 'kind', 'apiVersion']

function walkErrors(visit: Visit): Found {
  const { schema, path, place, rules, tolerances } = visit
  const errors: FieldError[] = [...keywordErrors(visit)]
  const ofRules: FieldError[] = []
  for (const child of childVisits(visit)) {
    const found = walkErrors(child)
    errors.push(...found.schema)
    ofRules.push(...found.rules)
  }
  errors.push(...listTypeErrors(schema, path, tolerances), ...ruleFormErrors(schema, path))
  // Expressions over a schema that is wrong would only be blamed for it.
  if (errors.length === 0 && rules !== undefined) ofRules.push(...rules.errors(path, place.uncorrelated))
  return { schema: errors, rules: ofRules }
}

function childVisits(visit: Visit): readonly Visit[] {
  const { schema, path, place, rules } = visit
  const { additionalProperties: additional, items, not, dependencies = {}, definitions = {} } = schema
  const inside = (child: JSONSchemaProps, at: FieldPath, changes: Partial<Visit> = {}): Visit => ({
    ...visit,
    schema: child,
    path: at,
    isRoot: false,
    rules: undefined,
    ...changes,
  })
  const itemPlace =
    schema['x-kubernetes-list-type'] === 'map' ? place : { ...place, uncorrelated: place.uncorrelated ?? path }
  return [
    ...(typeof additional === 'object'
      ? [
          inside(additional, path.child('additionalProperties'), {
            place: place.insideMetadata
              ? { ...place, noDefault: 'inside additionalProperties applying to object metadata' }
              : place,
            rules: rules?.values(additional),
          }),
        ]
      : []),
    ...Object.entries(schema.properties ?? {}).map(([name, property]) =>
      inside(property, path.child('properties').key(name), {
        place: placeOfProperty(visit, name),
        rules: rules?.property(property, name),
      }),
    ),
    ...(not === undefined ? [] : [inside(not, path.child('not'))]),
    ...(['allOf', 'oneOf', 'anyOf'] as const).flatMap((list) =>
      (schema[list] ?? []).map((part, index) => inside(part, path.child(list).index(index))),
    ),
    ...Object.entries(definitions).map(([name, part]) => inside(part, path.child('definitions').key(name))),
    ...(items === undefined
      ? []
      : isList(items)
        ? itemSchemas(items).map((part, index) => inside(part, path.child('items').index(index), { place: itemPlace }))
        : [inside(items, path.child('items'), { place: itemPlace, rules: rules?.items(items) })]),
    ...Object.entries(dependencies).flatMap(([name, part]) =>
      isSchema(part) ? [inside(part, path.child('dependencies').key(name))] : [],
    ),
  ]
}

function placeOfProperty({ schema, isRoot, place }: Visit, name: string): Place {
  const ofResource = (isRoot || schema['x-kubernetes-embedded-resource']) && META_FIELDS.includes(name)
  if (!ofResource) return place
  return {
    ...place,
    insideMetadata: true,
    noDefault: isRoot ? `in top-level ${name}` : place.noDefault,
  }
}

function keywordErrors({ schema, path, place, tolerances }: Visit): readonly FieldError[] {
  const { type = '', items, additionalProperties: additional } = schema
  const errors: FieldError[] = []
  const refuse = (keyword: string, detail: string): void => void errors.push(forbidden(path.child(keyword), detail))
  if (!tolerances.otherTypes && type !== '' && !SCHEMA_TYPES.includes(type))
    errors.push(notSupported(path.child('type'), type, SCHEMA_TYPES))
  if (schema.default !== undefined && place.noDefault !== undefined)
    refuse('default', `must not be set ${place.noDefault}`)
  if (schema.id) refuse('id', 'id is not supported')
  if (schema.additionalItems !== undefined) refuse('additionalItems', 'additionalItems is not supported')
  for (const keyword of ['patternProperties', 'definitions'] as const)
    if (Object.keys(schema[keyword] ?? {}).length > 0) refuse(keyword, `${keyword} is not supported`)
  if (schema.dependencies !== undefined) refuse('dependencies', 'dependencies is not supported')
  if (schema.$ref !== undefined) refuse('$ref', '$ref is not supported')
  if (type === 'null') refuse('type', 'type cannot be set to null, use nullable as an alternative')
  if (items !== undefined && isList(items) && items.length > 0)
    refuse('items', 'items must be a schema object and not an array')
  if (place.insideMetadata && schema['x-kubernetes-embedded-resource'])
    refuse('x-kubernetes-embedded-resource', 'must not be used inside of resource meta')
  if (schema.uniqueItems)
    refuse('uniqueItems', 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic')
  if (additional !== undefined && additional !== true && Object.keys(schema.properties ?? {}).length > 0)
    refuse('additionalProperties', 'additionalProperties and properties are mutual exclusive')
  const preserves = schema['x-kubernetes-preserve-unknown-fields']
  if (preserves === false) {
    const place = path.child('x-kubernetes-preserve-unknown-fields')
    errors.push(invalidValue(place, false, 'must be true or undefined'))
  }
  return errors
}

/** What may stand beside `properties` where the status is validated by its own part of the schema, by Go's names. */
const ROOT_KEYWORDS: readonly (readonly [name: string, keyword: keyof JSONSchemaProps])[] = [
  ['Description', 'description'],
  ['Type', 'type'],
  ['Format', 'format'],
  ['Title', 'title'],
  ['Maximum', 'maximum'],
  ['ExclusiveMaximum', 'exclusiveMaximum'],
  ['Minimum', 'minimum'],
  ['ExclusiveMinimum', 'exclusiveMinimum'],
  ['MaxLength', 'maxLength'],
  ['MinLength', 'minLength'],
  ['Pattern', 'pattern'],
  ['MaxItems', 'maxItems'],
  ['MinItems', 'minItems'],
  ['UniqueItems', 'uniqueItems'],
  ['MultipleOf', 'multipleOf'],
  ['Required', 'required'],
  ['Items', 'items'],
  ['Properties', 'properties'],
  ['ExternalDocs', 'externalDocs'],
  ['Example', 'example'],
  ['XPreserveUnknownFields', 'x-kubernetes-preserve-unknown-fields'],
  ['XValidations', 'x-kubernetes-validations'],
]

function rootErrors(schema: JSONSchemaProps, path: FieldPath, hasStatus: boolean): readonly FieldError[] {
  const errors: FieldError[] = []
  if (hasStatus) {
    const known = new Set<string>(ROOT_KEYWORDS.map(([, keyword]) => keyword))
    const { type = '' } = schema
    const beside = Object.entries(schema).some(([keyword, value]) => value !== undefined && !known.has(keyword))
    if (beside) {
      const names = ROOT_KEYWORDS.map(([name]) => name).join(' ')
      const detail = `only [${names}] fields are allowed at the root of the schema if the status subresource is enabled`
      errors.push(invalidValue(path, schema, detail))
    } else if (type !== '' && type !== 'object') {
      const detail =
        'only "object" is allowed as the type at the root of the schema if the status subresource is enabled'
      errors.push(invalidValue(path.child('type'), type, detail))
    }
  }
  return schema.nullable
    ? [...errors, forbidden(path.child('nullable'), 'nullable cannot be true at the root')]
    : errors
}

/** Defaults and extensions mean something only in structural schemas. */
function saysExtensions(schema: JSONSchemaProps): boolean {
  return someSchema(schema, (one) =>
    Object.keys(one).some((keyword) => keyword === 'default' || keyword.startsWith('x-kubernetes-')),
  )
}
