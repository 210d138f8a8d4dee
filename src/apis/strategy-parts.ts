/**
 * Pieces of strategies that many resources share. All are pure: they take frozen objects and return new
 * ones (or the same one, when there is nothing to change).
 */

import { deepEqual } from '../base/deep-equal.ts'
import { type FieldError, FieldPath, invalidValue } from '../machinery/meta/field-error.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import type { UpdateStrategy } from './definition.ts'

/** A top-level field by name; undefined when absent. */
export function fieldOf(object: KubeObject, field: string): unknown {
  return Reflect.get(object, field)
}

/** The object with a top-level field set, or removed when `value` is undefined. */
export function withField<T extends KubeObject>(object: T, field: string, value: unknown): T {
  if (fieldOf(object, field) === value) return object
  if (value !== undefined) return { ...object, [field]: value }
  const { [field]: _, ...kept } = object as T & Readonly<Record<string, unknown>>
  // The field is an optional one: without it the object is of its type still.
  return kept as unknown as T
}

/** The object with a top-level field as it was in `previous`: what an endpoint may not change. */
function keepField<T extends KubeObject>(object: T, previous: T, field: string): T {
  return withField(object, field, fieldOf(previous, field))
}

/** For `prepareForCreate`: clients do not set the status. */
export function withoutStatus<T extends KubeObject>(object: T): T {
  return withField(object, 'status', undefined)
}

/** For `prepareForUpdate`: the main resource does not change the status. */
export function keepStatus<T extends KubeObject>(object: T, previous: T): T {
  return keepField(object, previous, 'status')
}

/** For a status endpoint: it does not change the spec. */
export function keepSpec<T extends KubeObject>(object: T, previous: T): T {
  return keepField(object, previous, 'spec')
}

/** For a status endpoint: it does not change the labels. */
export function keepLabels<T extends KubeObject>(object: T, previous: T): T {
  return { ...object, metadata: { ...object.metadata, labels: previous.metadata.labels } }
}

/** For a status endpoint that changes neither the spec nor what people write into the metadata. */
export function statusOnly<T extends KubeObject>(object: T, previous: T): T {
  const { generation, labels, annotations, finalizers, ownerReferences } = previous.metadata
  const metadata = { ...object.metadata, generation, labels, annotations, finalizers, ownerReferences }
  return keepSpec({ ...object, metadata }, previous)
}

/** For a status endpoint: it does not change the metadata, but for who is known to have changed what. */
export function keepMetadata<T extends KubeObject>(object: T, previous: T): T {
  const { managedFields } = object.metadata
  return { ...object, metadata: { ...previous.metadata, managedFields } }
}

/** For `prepareForCreate` of resources that count their generations. */
export function startGeneration<T extends KubeObject>(object: T): T {
  return { ...object, metadata: { ...object.metadata, generation: 1 } }
}

/** For `prepareForUpdate`: the next generation when one of the top-level `fields` differs. */
export function bumpGeneration<T extends KubeObject>(object: T, previous: T, fields: readonly string[] = ['spec']): T {
  const changed = fields.some((field) => !deepEqual(fieldOf(object, field), fieldOf(previous, field)))
  return changed ? nextGeneration(object, previous) : object
}

/** The object as the generation after `previous`, whatever changed. */
export function nextGeneration<T extends KubeObject>(object: T, previous: T): T {
  return { ...object, metadata: { ...object.metadata, generation: (previous.metadata.generation ?? 0) + 1 } }
}

/** `prepareForCreate` of the usual resource with spec, status and generation. */
export function newSpec<T extends KubeObject>(object: T): T {
  return startGeneration(withoutStatus(object))
}

/** `prepareForUpdate` of the usual resource with spec, status and generation. */
export function changedSpec<T extends KubeObject>(object: T, previous: T): T {
  return bumpGeneration(keepStatus(object, previous), previous)
}

/** The status endpoint of the usual resource: everything but the spec may change, as upstream allows. */
export const statusEndpoint = {
  prepareForUpdate: keepSpec,
  validateUpdate: (): readonly FieldError[] => [],
} satisfies UpdateStrategy

/** A finding when the value at `path` changed. */
export function immutable(path: FieldPath | string, value: unknown, previous: unknown): readonly FieldError[] {
  if (deepEqual(value, previous)) return []
  const place = typeof path === 'string' ? new FieldPath(path) : path
  return [invalidValue(place, value, 'field is immutable')]
}
