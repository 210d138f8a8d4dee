/**
 * Schemas of the built-in types, from the generated facts. A definition is expanded when somebody first looks
 * at its properties, so that a start pays for nothing it does not use; recursive types are cycles.
 */

import type { Presence, Schema } from '../machinery/schema/schema.ts'
import { type AttributeFacts, type DefinitionFacts, parseProperty, type TypeFacts } from './definition-facts.ts'
import { definitionTexts } from './schema-facts.gen.ts'

const schemas = new Map<string, Schema>()

/** The schema of a definition such as `core.v1.Pod` or `meta.v1.ObjectMeta`. Throws for a name the facts do not have. */
export function builtinSchema(definition: string): Schema {
  const known = schemas.get(definition)
  if (known !== undefined) return known
  const schema = specialSchema(definition) ?? structSchema(definition, definitionFacts(definition))
  schemas.set(definition, schema)
  return schema
}

/** The facts about a definition, parsed anew at each call. */
export function definitionFacts(definition: string): DefinitionFacts {
  if (!Object.hasOwn(definitionTexts, definition)) throw new Error(`there is no definition ${definition}`)
  return JSON.parse(definitionTexts[definition] ?? '') as DefinitionFacts
}

export function definitionNames(): readonly string[] {
  return Object.keys(definitionTexts)
}

/** Types whose JSON form is not that of their struct. */
function specialSchema(definition: string): Schema | undefined {
  switch (definition) {
    case 'meta.v1.Time':
    case 'meta.v1.MicroTime':
      return { definition, type: 'string', format: 'date-time' }
    case 'resource#.Quantity':
      return { definition, type: 'string' }
    case 'intstr#.IntOrString':
      return { definition, 'x-kubernetes-int-or-string': true }
    case 'runtime#.RawExtension':
      return { definition, type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    case 'meta.v1.FieldsV1':
    case 'meta.v1.Patch':
      return {
        definition,
        type: 'object',
        'x-kubernetes-preserve-unknown-fields': true,
        'x-kubernetes-map-type': 'atomic',
      }
    case 'apiextensions.v1.JSON':
      return { definition, 'x-kubernetes-preserve-unknown-fields': true, 'x-kubernetes-map-type': 'atomic' }
    case 'apiextensions.v1.JSONSchemaPropsOrBool':
    case 'apiextensions.v1.JSONSchemaPropsOrArray':
    case 'apiextensions.v1.JSONSchemaPropsOrStringArray':
      return schemaOrOther(definition)
    default:
      return undefined
  }
}

/** A JSON schema, or something else, or a list: `items` is what every object in it is. */
function schemaOrOther(definition: string): Schema {
  return {
    definition,
    'x-kubernetes-preserve-unknown-fields': true,
    'x-kubernetes-map-type': 'atomic',
    get items() {
      return builtinSchema('apiextensions.v1.JSONSchemaProps')
    },
  }
}

function structSchema(definition: string, facts: DefinitionFacts): Schema {
  let properties: Readonly<Record<string, Schema>> | undefined
  const required = Object.keys(facts.p ?? {}).flatMap((key) => (key.endsWith('!') ? [key.slice(0, -1)] : []))
  return {
    definition,
    type: 'object',
    'x-kubernetes-map-type': facts.map,
    required: required.length === 0 ? undefined : (facts.reqOrder ?? required.sort()),
    get properties() {
      properties ??= expandProperties(facts)
      return properties
    },
  }
}

function expandProperties(facts: DefinitionFacts): Readonly<Record<string, Schema>> {
  const properties: Record<string, Schema> = {}
  for (const [key, text] of Object.entries(facts.p ?? {})) {
    const { name, type } = parseProperty(key, text)
    properties[name] = typeSchema(type, presenceOf(type.attributes))
  }
  return properties
}

function presenceOf({ always, pointer }: AttributeFacts): Presence {
  if (pointer) return always ? 'setOrNull' : 'set'
  return always ? 'always' : 'nonZero'
}

function typeSchema(type: TypeFacts, presence?: Presence): Schema {
  const attributes = { ...attributeSchema(type.attributes), presence }
  switch (type.kind) {
    case 'reference':
      return referenceSchema(builtinSchema(type.definition), attributes)
    case 'list':
      return { type: 'array', items: typeSchema(type.element), ...attributes }
    case 'map':
      return { type: 'object', additionalProperties: typeSchema(type.element), ...attributes }
    case 'scalar':
      return { ...scalarSchema(type.name), ...attributes }
  }
}

function attributeSchema(facts: AttributeFacts): Schema {
  return {
    enum: facts.enum,
    ...(isDefaultingInstruction(facts.default) ? { default: facts.default } : {}),
    'x-kubernetes-list-type': facts.listType,
    'x-kubernetes-list-map-keys': facts.listMapKeys,
    ...(facts.mapType === undefined ? {} : { 'x-kubernetes-map-type': facts.mapType }),
    'x-kubernetes-patch-strategy': facts.patchStrategy,
    'x-kubernetes-patch-merge-key': facts.patchMergeKey,
  }
}

/** Zero defaults say that a field is written, not that it is filled in. */
function isDefaultingInstruction(value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === false || value === null) return false
  return typeof value !== 'object' || Object.keys(value).length > 0
}

/** A field of a referenced type: the type with the field's own attributes, still expanded only when looked at. */
function referenceSchema(target: Schema, attributes: Schema): Schema {
  return {
    definition: target.definition,
    type: target.type,
    format: target.format,
    required: target.required,
    'x-kubernetes-map-type': target['x-kubernetes-map-type'],
    'x-kubernetes-int-or-string': target['x-kubernetes-int-or-string'],
    'x-kubernetes-preserve-unknown-fields': target['x-kubernetes-preserve-unknown-fields'],
    ...attributes,
    get properties() {
      return target.properties
    },
    get items() {
      return target.items
    },
  }
}

function scalarSchema(name: (TypeFacts & { readonly kind: 'scalar' })['name']): Schema {
  switch (name) {
    case 'string':
    case 'boolean':
    case 'integer':
    case 'number':
      return { type: name }
    case 'int32':
    case 'int64':
      return { type: 'integer', format: name }
    case 'double':
      return { type: 'number', format: name }
    case 'byte':
      return { type: 'string', format: 'byte' }
    case 'datetime':
      return { type: 'string', format: 'date-time' }
    case 'object':
      return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
    case 'any':
      return { 'x-kubernetes-preserve-unknown-fields': true }
  }
}
