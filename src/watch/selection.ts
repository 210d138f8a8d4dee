/**
 * Which objects a list or a watch is about, and what a change means to someone who sees only those: an object that
 * starts to match was added, one that stops to match was deleted.
 */

import type { FieldSelector } from '../machinery/meta/fields.ts'
import type { Selector } from '../machinery/meta/labels.ts'
import type { CachedObject } from './cached-object.ts'
import type { CacheEvent, ObjectDelivery } from './event.ts'

export interface Selection {
  /** Absent or empty: all namespaces. */
  readonly namespace?: string | undefined
  readonly labels?: Selector | undefined
  readonly fields?: FieldSelector | undefined
}

/** Selections with the same name select the same. */
export function selectionName({ namespace = '', labels, fields }: Selection): string {
  return JSON.stringify([namespace, labels?.nothing ?? false, labels?.requirements ?? [], fields?.requirements ?? []])
}

/** Whether labels or fields leave anything out. */
export function isFiltered({ labels, fields }: Selection): boolean {
  const byLabels = labels !== undefined && (labels.nothing || labels.requirements.length > 0)
  return byLabels || (fields !== undefined && fields.requirements.length > 0)
}

export function selects(selection: Selection, object: CachedObject): boolean {
  if (selection.namespace && object.namespace !== selection.namespace) return false
  if (selection.labels && !selection.labels.matches(object.labels)) return false
  return !selection.fields || selection.fields.matches(object.fields)
}

/** What the change looks like through the selection; undefined when it cannot be seen. */
export function select(selection: Selection, event: CacheEvent): ObjectDelivery | undefined {
  const before = event.previous !== undefined && selects(selection, event.previous)
  const after = event.type !== 'DELETED' && selects(selection, event.object)
  if (before && after) return event.plain()
  if (after) return event.entered()
  return before ? event.left() : undefined
}

export type Equality = readonly [key: string, value: string]

/** `key = value` pairs without which no object is selected: what indexes are asked for. */
export function labelEqualities({ labels }: Selection): readonly Equality[] {
  return (labels?.requirements ?? []).flatMap(({ key, operator, values: [value, ...others] }) => {
    const exact = operator === '=' || operator === '==' || operator === 'in'
    return exact && value !== undefined && others.length === 0 ? [[key, value] as const] : []
  })
}

export function fieldEqualities({ fields }: Selection): readonly Equality[] {
  return (fields?.requirements ?? []).flatMap(({ field, operator, value }) =>
    operator === '=' ? [[field, value] as const] : [],
  )
}
