/**
 * The schema of a custom resource as the schema engine takes it: what the user wrote, and what every object, also an
 * embedded one, has besides.
 */

import type { Schema } from '../../machinery/schema/schema.ts'
import { builtinSchema } from '../builtin-schema.ts'
import type { CustomResourceDefinitionVersion, JSONSchemaProps } from './types.gen.ts'

/** Structural schemas have the shape of the engine's: they were checked for it when they were accepted. */
export function structuralSchema(schema: JSONSchemaProps): Schema {
  return schema as Schema
}

/** The schema of whole objects of a version: it knows the fields that objects are made of. */
export function rootSchema(version: CustomResourceDefinitionVersion, preservesUnknown: boolean): Schema {
  const written = validationSchema(version)
  return {
    ...withEmbeddedMeta(written),
    type: 'object',
    ...(preservesUnknown ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
    properties: { ...withEmbeddedMeta(written).properties, ...META_PROPERTIES },
  }
}

/** The schema of a version as it was written: what it says about names holds for validation. */
export function validationSchema({ schema }: CustomResourceDefinitionVersion): Schema {
  if (schema?.openAPIV3Schema === undefined) return { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return structuralSchema(schema.openAPIV3Schema)
}

const META_PROPERTIES: Readonly<Record<string, Schema>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  get metadata() {
    return builtinSchema('meta.v1.ObjectMeta')
  },
}

/** The same node where nothing in it is an embedded resource. */
function withEmbeddedMeta(schema: Schema): Schema {
  const { properties, items, additionalProperties } = schema
  let changed = false
  const inside = <T extends Schema | boolean | undefined>(child: T): T | Schema => {
    if (typeof child !== 'object') return child
    const next = withEmbeddedMeta(child)
    changed ||= next !== child
    return next
  }
  const nextProperties =
    properties && Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, inside(one)]))
  const nextItems = inside(items)
  const nextAdditional = inside(additionalProperties)
  const embedded = schema['x-kubernetes-embedded-resource'] === true
  if (!changed && !embedded) return schema
  return {
    ...schema,
    ...(nextItems === undefined ? {} : { items: nextItems }),
    ...(nextAdditional === undefined ? {} : { additionalProperties: nextAdditional }),
    ...(embedded || nextProperties ? { properties: { ...nextProperties, ...(embedded ? META_PROPERTIES : {}) } } : {}),
  }
}
