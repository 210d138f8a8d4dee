/** kubectl's `last-applied-configuration` annotation: what a client-side apply set, and keeping it up to date. */

import { byCodeUnit } from '../../base/group-by.ts'
import { isRecord } from '../../base/is-record.ts'
import type { KubeObject } from '../meta/object.ts'
import { ANNOTATIONS_BYTES_MAX } from '../meta/validate-meta.ts'
import type { Schema } from '../schema/schema.ts'
import { difference, emptyFieldSet, type FieldSet } from './field-set.ts'
import { compareValues, fieldSetOf } from './typed-value.ts'

export const LAST_APPLIED_ANNOTATION = 'kubectl.kubernetes.io/last-applied-configuration'

function lastAppliedText(object: KubeObject): string {
  const annotations = object.metadata.annotations ?? {}
  return Object.hasOwn(annotations, LAST_APPLIED_ANNOTATION) ? (annotations[LAST_APPLIED_ANNOTATION] ?? '') : ''
}

/** The fields that the last client-side apply set and that still have those values. */
export function lastAppliedFields(live: KubeObject, apiVersion: string, schema: Schema): FieldSet {
  const lastApplied = parsed(lastAppliedText(live))
  if (!isRecord(lastApplied) || lastApplied.apiVersion !== apiVersion) return emptyFieldSet
  const { changed, removed } = compareValues(lastApplied, live, schema)
  return difference(difference(fieldSetOf(lastApplied, schema), changed), removed)
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** An object that has the annotation gets it anew from what was applied, so that client-side apply may go on. */
export function withLastApplied<T extends KubeObject>(object: T, applied: T): T {
  if (lastAppliedText(object) === '') return object
  const { [LAST_APPLIED_ANNOTATION]: _previous, ...others } = object.metadata.annotations ?? {}
  const text = configurationText(applied)
  const annotations = { ...others, [LAST_APPLIED_ANNOTATION]: text }
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + Buffer.byteLength(key + value), 0)
  return {
    ...object,
    metadata: { ...object.metadata, annotations: bytes > ANNOTATIONS_BYTES_MAX ? others : annotations },
  }
}

/** JSON with sorted keys and a final newline, without the annotation itself. */
function configurationText(applied: KubeObject): string {
  const { [LAST_APPLIED_ANNOTATION]: _previous, ...annotations } = applied.metadata.annotations ?? {}
  const metadata = applied.metadata.annotations === undefined ? applied.metadata : { ...applied.metadata, annotations }
  return `${JSON.stringify(sorted({ ...applied, metadata }))}\n`
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (!isRecord(value)) return value
  const entries = Object.entries(value).sort(([left], [right]) => byCodeUnit(left, right))
  return Object.fromEntries(entries.map(([key, item]) => [key, sorted(item)]))
}
