/**
 * Subresources that write one part of an object and leave the rest as it is: a pod's ephemeral containers, a pod's
 * resources (resize), a namespace's finalizers. Definitions may have more of their own.
 */

import { validateNamespaceFinalize } from '../../../apis/core/namespace.ts'
import { validateEphemeralContainersUpdate, validatePodResize } from '../../../apis/core/pod/validate-update.ts'
import type { Namespace, Pod } from '../../../apis/core/types.gen.ts'
import type { ResourceDefinition } from '../../../apis/definition.ts'
import { bumpGeneration, fieldOf, withField } from '../../../apis/strategy-parts.ts'
import type { FieldError } from '../../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { Endpoint } from '../endpoint.ts'

interface Part {
  /** The previous object with the part of the one that was sent. */
  merge(object: KubeObject, previous: KubeObject): KubeObject
  /** Instead of the rules of the whole object. */
  validate?(object: KubeObject, previous: KubeObject): readonly FieldError[]
}

// Parts are found by the name of their resource, so the objects are of its kind.
const PARTS: ReadonlyMap<string, Part> = new Map<string, Part>([
  [
    '/pods/ephemeralcontainers',
    {
      merge: (object, previous) => bumpGeneration(withEphemeralContainers(object, previous), previous),
      validate: (object, previous) => validateEphemeralContainersUpdate(object as Pod, previous as Pod),
    },
  ],
  [
    '/pods/resize',
    {
      merge: (object, previous) => bumpGeneration(withResources(object, previous), previous),
      validate: (object, previous) => validatePodResize(object as Pod, previous as Pod),
    },
  ],
  [
    '/namespaces/finalize',
    {
      merge: (object, previous) => withField(previous, 'spec', fieldOf(object, 'spec')),
      validate: (object) => validateNamespaceFinalize(object as Namespace),
    },
  ],
])

/** Undefined when the resource has no such part. */
export function partEndpoint<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  subresource: string,
): Endpoint<T> | undefined {
  const own = definition.parts?.[subresource]
  if (own) {
    return {
      subresource,
      prepareForUpdate: (object, previous, context) => own.prepareForUpdate(object, previous, context),
      validate: (object, previous) => own.validateUpdate(object, previous),
      resetFields: definition.resetFields[subresource] ?? [],
    }
  }
  const part = PARTS.get(`${definition.group}/${definition.resource}/${subresource}`)
  if (!part || !definition.subresources.includes(subresource)) return undefined
  return {
    subresource,
    prepareForUpdate: (object, previous) => withOwnMeta(part.merge(object, previous) as T, object),
    validate: (object, previous) => part.validate?.(object, previous) ?? definition.validate(object),
    resetFields: definition.resetFields[subresource] ?? [],
  }
}

/** Who tracked the change stands in the managedFields of what was sent. */
function withOwnMeta<T extends KubeObject>(merged: T, { metadata: { managedFields, resourceVersion } }: T): T {
  return { ...merged, metadata: { ...merged.metadata, managedFields, resourceVersion } }
}

function withEphemeralContainers(object: KubeObject, previous: KubeObject): KubeObject {
  const ephemeralContainers = partOf(fieldOf(object, 'spec'), 'ephemeralContainers')
  return withField(previous, 'spec', { ...recordOf(fieldOf(previous, 'spec')), ephemeralContainers })
}

function withResources(object: KubeObject, previous: KubeObject): KubeObject {
  const wanted = recordOf(fieldOf(object, 'spec'))
  const spec = recordOf(fieldOf(previous, 'spec'))
  const resized = (list: string): Readonly<Record<string, unknown>> => {
    const containers = spec[list]
    if (!Array.isArray(containers)) return {}
    return { [list]: containers.map((container) => withResourcesOf(container, wanted[list])) }
  }
  return withField(previous, 'spec', { ...spec, ...resized('containers'), ...resized('initContainers') })
}

function withResourcesOf(container: unknown, wanted: unknown): unknown {
  const name = partOf(container, 'name')
  const source = Array.isArray(wanted) ? wanted.find((candidate) => partOf(candidate, 'name') === name) : undefined
  if (source === undefined) return container
  const { resources, resizePolicy } = recordOf(source)
  return { ...recordOf(container), resources, ...(resizePolicy === undefined ? {} : { resizePolicy }) }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function partOf(value: unknown, name: string): unknown {
  return recordOf(value)[name]
}
