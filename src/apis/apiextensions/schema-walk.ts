/** Walks over the schemas of a CustomResourceDefinition as they were written, unsupported keywords included. */

import type { CustomResourceDefinitionSpec, JSONSchemaProps } from './types.gen.ts'

/** Levels of nested schemas that are looked at: bodies are no deeper. */
const DEPTH_MAX = 1_000

/** Whether the predicate holds for the schema or for one somewhere in it. */
export function someSchema(schema: JSONSchemaProps, holds: (schema: JSONSchemaProps) => boolean, depth = 0): boolean {
  if (holds(schema)) return true
  return depth < DEPTH_MAX && childSchemas(schema).some((child) => someSchema(child, holds, depth + 1))
}

/** Whether the predicate holds for a schema of one of the versions. */
export function someSchemaOf(
  { versions }: Pick<CustomResourceDefinitionSpec, 'versions'>,
  holds: (schema: JSONSchemaProps) => boolean,
): boolean {
  return (versions ?? []).some(({ schema }) => schema?.openAPIV3Schema && someSchema(schema.openAPIV3Schema, holds))
}

function childSchemas(schema: JSONSchemaProps): readonly JSONSchemaProps[] {
  const { items, additionalProperties, additionalItems, not } = schema
  return [
    ...(items === undefined ? [] : itemSchemas(items)),
    ...(schema.allOf ?? []),
    ...(schema.anyOf ?? []),
    ...(schema.oneOf ?? []),
    ...(not === undefined ? [] : [not]),
    ...Object.values(schema.properties ?? {}),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...Object.values(schema.patternProperties ?? {}),
    ...(typeof additionalItems === 'object' ? [additionalItems] : []),
    ...Object.values(schema.definitions ?? {}),
    ...Object.values(schema.dependencies ?? {}).flatMap((one) => (isSchema(one) ? [one] : [])),
  ]
}

/** `items` is one schema or, where that is refused, a list of them. */
export function itemSchemas(items: NonNullable<JSONSchemaProps['items']>): readonly JSONSchemaProps[] {
  return isList(items) ? items.filter((item) => item !== null) : [items]
}

/** The schema of all items; undefined for a list of schemas. */
export function itemSchema({ items }: JSONSchemaProps): JSONSchemaProps | undefined {
  return items === undefined || isList(items) ? undefined : items
}

export function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value)
}

export function isSchema(value: JSONSchemaProps | readonly string[] | boolean): value is JSONSchemaProps {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
