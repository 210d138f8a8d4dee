/** The endpoints that a definition describes itself: the main resource and its status. */

import type { ResourceDefinition } from '../../apis/definition.ts'
import type { KubeObject } from '../../machinery/meta/object.ts'
import type { Endpoint } from './endpoint.ts'

/** Whoever updates the main resource leaves its generation to the strategy. */
export function mainEndpoint<T extends KubeObject>(definition: ResourceDefinition<T>): Endpoint<T> {
  return {
    subresource: '',
    prepareForUpdate: (object, previous, context) =>
      definition.prepareForUpdate(withGenerationOf(object, previous), previous, context),
    validate: (object, previous) => [
      ...(definition.ratchets ? [] : definition.validate(object)),
      ...definition.validateUpdate(object, previous),
    ],
    resetFields: definition.resetFields[''] ?? [],
  }
}

/** Undefined for resources without a status. */
export function statusEndpoint<T extends KubeObject>(definition: ResourceDefinition<T>): Endpoint<T> | undefined {
  const { status } = definition
  return (
    status && {
      subresource: 'status',
      prepareForUpdate: (object, previous, context) =>
        status.prepareForUpdate(withGenerationOf(object, previous), previous, context),
      validate: (object, previous) => status.validateUpdate(object, previous),
      resetFields: definition.resetFields.status ?? [],
    }
  )
}

function withGenerationOf<T extends KubeObject>(object: T, previous: T): T {
  const { generation } = previous.metadata
  if (object.metadata.generation === generation) return object
  const { generation: _, ...metadata } = object.metadata
  return { ...object, metadata: generation === undefined ? metadata : { ...metadata, generation } }
}
