/**
 * Custom resources in the OpenAPI documents: the schema that the user wrote, and what objects, also embedded ones,
 * have besides. Version 2 says less, because its readers take what it cannot say for a refusal:
 *
 *   schema                                   v3                     v2
 *   allOf, anyOf, oneOf, not, default        as written             left out
 *   nullable                                 as written             any value: no type, no properties, never required
 *   x-kubernetes-preserve-unknown-fields     as written             any value; at the root only the kind is said
 *   x-kubernetes-int-or-string               with its two types     as written
 */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { Schema } from '../../machinery/schema/schema.ts'
import { customName, fullName, type Json, withoutAbsent } from './schemas.ts'

export type Form = 'v2' | 'v3'

/** Texts of the fields that all objects, and all lists, have. */
export interface CommonTexts {
  readonly object: Readonly<Record<string, string>>
  readonly list: Readonly<Record<string, string>>
}

const META = {
  object: 'meta.v1.ObjectMeta',
  list: 'meta.v1.ListMeta',
} as const

/** The schemas that a custom resource adds to a document, by name. */
export function customSchemas(
  definition: ResourceDefinition,
  form: Form,
  texts: CommonTexts,
): readonly (readonly [string, Json])[] {
  const { listKind: kind } = definition
  return [
    [customName(definition), objectSchema(definition, form, texts.object)],
    [customName({ ...definition, kind }), listSchema(definition, form, texts.list)],
  ]
}

function objectSchema(definition: ResourceDefinition, form: Form, texts: CommonTexts['object']): Json {
  const { schema, kind } = definition
  const free = form === 'v2' && schema['x-kubernetes-preserve-unknown-fields'] === true
  const plain = free ? { type: 'object' } : plainSchema(schema, form)
  return { ...plain, ...(free ? {} : withCommon(plain, META.object, form, texts)), ...extensions(definition, kind) }
}

function listSchema(definition: ResourceDefinition, form: Form, texts: CommonTexts['list']): Json {
  const { kind, listKind } = definition
  const items = { type: 'array', items: reference(customName(definition), form) }
  const list = { description: `${listKind} is a list of ${kind}`, type: 'object', required: ['items'] }
  return {
    ...list,
    ...withCommon({ properties: { items } }, META.list, form, texts),
    ...extensions(definition, listKind),
  }
}

/** apiVersion, kind and metadata, as every object has them. */
function withCommon(
  { properties }: { readonly properties?: object },
  metadata: string,
  form: Form,
  texts: Readonly<Record<string, string>>,
): Json {
  const described = (name: string, schema: Json): Json => withoutAbsent({ description: texts[name], ...schema })
  return {
    properties: {
      ...properties,
      apiVersion: described('apiVersion', { type: 'string' }),
      kind: described('kind', { type: 'string' }),
      metadata: described('metadata', wrapped(reference(fullName(metadata), form), form)),
    },
  }
}

function extensions({ group, version, fieldLabels }: ResourceDefinition, kind: string): Json {
  const selectable = fieldLabels.filter((label) => label !== 'metadata.name' && label !== 'metadata.namespace')
  return {
    'x-kubernetes-group-version-kind': [{ group, kind, version }],
    ...(selectable.length === 0
      ? {}
      : { 'x-kubernetes-selectable-fields': selectable.map((fieldPath) => ({ fieldPath })) }),
  }
}

function reference(name: string, form: Form): Json {
  return { $ref: `${form === 'v2' ? '#/definitions/' : '#/components/schemas/'}${name}` }
}

/** Version 3 has references beside other keywords in an `allOf`. */
function wrapped(target: Json, form: Form): Json {
  return form === 'v2' ? target : { allOf: [target] }
}

/** What `plainSchema` writes itself, or not at all. */
const OWN_KEYWORDS: ReadonlySet<string> = new Set([
  'definition',
  'presence',
  'properties',
  'items',
  'additionalProperties',
  'required',
  'type',
  'allOf',
  'anyOf',
  'oneOf',
  'not',
  'nullable',
  'default',
])

function plainSchema(schema: Schema, form: Form): Json {
  if (schema.definition !== undefined) return wrapped(reference(fullName(schema.definition), form), form)
  const others = Object.fromEntries(
    Object.entries(schema).filter(([keyword, value]) => value !== undefined && !OWN_KEYWORDS.has(keyword)),
  )
  return withoutAbsent({ ...others, ...(form === 'v2' ? structureV2(schema) : structureV3(schema)) })
}

function structureV3(schema: Schema): Json {
  const { type, required, nullable, default: value } = schema
  const { properties, items, additionalProperties, not } = schema
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  return {
    type,
    required: embedded ? [...new Set([...(required ?? []), 'kind', 'apiVersion'])] : required,
    nullable,
    default: value,
    properties: properties && plainProperties(properties, 'v3'),
    items: items && plainSchema(items, 'v3'),
    additionalProperties:
      typeof additionalProperties === 'object' ? plainSchema(additionalProperties, 'v3') : additionalProperties,
    ...logicV3(schema),
    not: not && plainSchema(not, 'v3'),
  }
}

const INT_OR_STRING = [{ type: 'integer' }, { type: 'string' }]

/** Integer-or-string says its types, also where the user did not. */
function logicV3(schema: Schema): Json {
  const [allOf, anyOf, oneOf] = [schema.allOf, schema.anyOf, schema.oneOf].map((parts) =>
    parts?.map((part) => plainSchema(part, 'v3')),
  )
  const says = (parts: readonly Json[] | undefined): boolean =>
    parts?.length === 2 && parts[0]?.type === 'integer' && parts[1]?.type === 'string'
  const said = says(anyOf) || says(schema.allOf?.[0]?.anyOf as readonly Json[] | undefined)
  if (!schema['x-kubernetes-int-or-string'] || said) return { allOf, anyOf, oneOf }
  if (anyOf === undefined) return { allOf, anyOf: INT_OR_STRING, oneOf }
  return { allOf: [{ anyOf: INT_OR_STRING }, ...(allOf ?? [])], anyOf, oneOf }
}

function structureV2(schema: Schema): Json {
  const { type, required, properties, items, additionalProperties } = schema
  const free = schema['x-kubernetes-preserve-unknown-fields'] === true
  const untyped = schema.nullable === true || (free && (type === 'object' || type === 'array'))
  if (schema.nullable || free) {
    return { type: untyped ? undefined : type, required, additionalProperties: additionalV2(additionalProperties) }
  }
  const nullableValues = typeof additionalProperties === 'object' && additionalProperties.nullable === true
  const kept = nullableValues ? [] : (required ?? []).filter((name) => !properties?.[name]?.nullable)
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  const all = embedded ? [...new Set([...kept, 'kind', 'apiVersion'])] : kept
  return {
    type,
    required: all.length === 0 ? undefined : all,
    properties: properties && plainProperties(properties, 'v2'),
    items: items && plainSchema(items, 'v2'),
    additionalProperties: additionalV2(additionalProperties),
  }
}

function additionalV2(values: Schema['additionalProperties']): Json | boolean | undefined {
  return typeof values === 'object' ? plainSchema(values, 'v2') : values
}

function plainProperties(properties: NonNullable<Schema['properties']>, form: Form): Json {
  return Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, plainSchema(schema, form)]))
}
