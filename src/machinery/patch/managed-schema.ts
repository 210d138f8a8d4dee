/**
 * The schema that ownership of fields goes by: the resource's own, with metadata that divides as it does for
 * built-in types. Custom resources' schemas leave metadata open.
 */

import type { Schema } from '../schema/schema.ts'

const text: Schema = { type: 'string' }
const flag: Schema = { type: 'boolean' }
const count: Schema = { type: 'integer', format: 'int64' }
const texts: Schema = { type: 'object', additionalProperties: text }

const objectMetaSchema: Schema = {
  type: 'object',
  properties: {
    name: text,
    generateName: text,
    namespace: text,
    selfLink: text,
    uid: text,
    resourceVersion: text,
    generation: count,
    creationTimestamp: text,
    deletionTimestamp: text,
    deletionGracePeriodSeconds: count,
    labels: texts,
    annotations: texts,
    finalizers: {
      type: 'array',
      items: text,
      'x-kubernetes-list-type': 'set',
      'x-kubernetes-patch-strategy': 'merge',
    },
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'uid',
      items: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        properties: {
          apiVersion: text,
          kind: text,
          name: text,
          uid: text,
          controller: flag,
          blockOwnerDeletion: flag,
        },
      },
    },
    managedFields: { type: 'array', 'x-kubernetes-list-type': 'atomic', items: { type: 'object' } },
  },
}

const completed = new WeakMap<Schema, Schema>()

export function managedSchema(schema: Schema): Schema {
  const known = completed.get(schema)
  if (known !== undefined) return known
  const result = hasOwnMetadata(schema) ? schema : withMetadata(schema)
  completed.set(schema, result)
  return result
}

function hasOwnMetadata({ properties }: Schema): boolean {
  return properties?.metadata?.properties !== undefined && Object.hasOwn(properties.metadata.properties, 'labels')
}

function withMetadata(schema: Schema): Schema {
  const properties = { ...schema.properties, apiVersion: text, kind: text, metadata: objectMetaSchema }
  return { ...schema, type: 'object', properties }
}
