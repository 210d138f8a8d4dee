/**
 * Subresources that write one part of an object and leave the rest as it is: a pod's ephemeral containers, a pod's
 * resources (resize), a namespace's finalizers, a certificate request's approval.
 */

import type { ResourceDefinition } from '../../../apis/definition.ts'
import { bumpGeneration, fieldOf, withField } from '../../../apis/strategy-parts.ts'
import { deepEqual } from '../../../base/deep-equal.ts'
import { type FieldError, FieldPath, forbidden } from '../../../machinery/meta/field-error.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { Endpoint } from '../endpoint.ts'

type Merge = (object: KubeObject, previous: KubeObject) => KubeObject

const PARTS: ReadonlyMap<string, Merge> = new Map<string, Merge>([
  [
    '/pods/ephemeralcontainers',
    (object, previous) => bumpGeneration(withEphemeralContainers(object, previous), previous),
  ],
  ['/pods/resize', (object, previous) => bumpGeneration(withResources(object, previous), previous)],
  ['/namespaces/finalize', (object, previous) => withField(previous, 'spec', fieldOf(object, 'spec'))],
  ['certificates.k8s.io/certificatesigningrequests/approval', withConditions],
])

/** Undefined when the resource has no such part. */
export function partEndpoint<T extends KubeObject>(
  definition: ResourceDefinition<T>,
  subresource: string,
): Endpoint<T> | undefined {
  const merge = PARTS.get(`${definition.group}/${definition.resource}/${subresource}`)
  if (!merge || !definition.subresources.includes(subresource)) return undefined
  return {
    subresource,
    // The merged object is the previous one with a part of one of the same kind.
    prepareForUpdate: (object, previous) => withOwnMeta(merge(object, previous) as T, object),
    validate: (object, previous) => [...definition.validate(object), ...keptEphemeralContainers(object, previous)],
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

/** Ephemeral containers are added and never touched again. */
function keptEphemeralContainers(object: KubeObject, previous: KubeObject): readonly FieldError[] {
  const containersOf = (pod: KubeObject): readonly unknown[] => {
    const containers = partOf(fieldOf(pod, 'spec'), 'ephemeralContainers')
    return Array.isArray(containers) ? containers : []
  }
  const next = containersOf(object)
  return containersOf(previous).flatMap((container) => {
    const name = partOf(container, 'name')
    const same = next.find((candidate) => partOf(candidate, 'name') === name)
    if (same !== undefined && deepEqual(same, container)) return []
    const change = same === undefined ? 'removed' : 'changed'
    return [forbidden(EPHEMERAL_PATH, `existing ephemeral containers ${JSON.stringify(name)} may not be ${change}\n`)]
  })
}

const EPHEMERAL_PATH = new FieldPath('spec.ephemeralContainers')

function withConditions(object: KubeObject, previous: KubeObject): KubeObject {
  const conditions = partOf(fieldOf(object, 'status'), 'conditions')
  return withField(previous, 'status', { ...recordOf(fieldOf(previous, 'status')), conditions })
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
