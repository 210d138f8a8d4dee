/** Table columns and cells that many resources share, with the texts that `kubectl get` shows. */

import { rootPath } from '../machinery/meta/field-error.ts'
import {
  type LabelSelector,
  labelSelectorText,
  selectorFromLabels,
  validateLabelSelector,
} from '../machinery/meta/labels.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import { humanDuration, parseTime } from '../machinery/meta/time.ts'
import type { Cell, Column, TimedCell } from './definition.ts'

/** What a cell without a value says. */
export const NONE = '<none>'

export const nameColumn: Column = {
  name: 'Name',
  type: 'string',
  format: 'name',
  value: (object) => object.metadata.name ?? '',
}

export const ageColumn: Column = {
  name: 'Age',
  type: 'string',
  value: ({ metadata }) => ageCell(metadata.creationTimestamp),
}

/** How long ago `timestamp` was; `<unknown>` where there is none. */
export function ageCell(timestamp: string | null | undefined): Cell | TimedCell {
  const ms = parseTime(timestamp)
  return ms === undefined ? '<unknown>' : (nowMs) => humanDuration(nowMs - ms)
}

/** What the column says of the object at a moment. */
export function cellAt<T extends KubeObject>(column: Column<T>, object: T, nowMs: number): Cell {
  const cell = column.value(object)
  return typeof cell === 'function' ? cell(nowMs) : cell
}

/** What tables without columns of their own show after the name. */
export const createdAtColumn: Column = {
  name: 'Created At',
  type: 'date',
  value: (object) => object.metadata.creationTimestamp ?? '',
}

/** A text column of the normal table. */
export function textColumn<T extends KubeObject>(name: string, value: Column<T>['value']): Column<T> {
  return { name, type: 'string', value }
}

export function integerColumn<T extends KubeObject>(name: string, value: Column<T>['value']): Column<T> {
  return { name, type: 'integer', value }
}

/** A text column that only `-o wide` shows. */
export function wideColumn<T extends KubeObject>(name: string, value: Column<T>['value']): Column<T> {
  return { name, type: 'string', priority: 1, value }
}

/** `a=b,c=d` in the order of the keys; `<none>` when empty. */
export function labelsText(labels: Readonly<Record<string, string>> | undefined): string {
  return selectorFromLabels(labels).toString() || NONE
}

/** A label selector in text form; `<none>` when it selects everything, `<error>` when it has no text. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (validateLabelSelector(selector, rootPath).length > 0) return '<error>'
  return labelSelectorText(selector) || NONE
}

/** What a template's containers are called and run: the wide columns of everything that makes pods. */
export function containerColumns<T extends KubeObject>(
  template: (object: T) => ContainersOf | undefined,
): readonly Column<T>[] {
  const list = (object: T) => template(object)?.spec?.containers ?? []
  return [
    wideColumn('Containers', (object) =>
      list(object)
        .map(({ name }) => name)
        .join(','),
    ),
    wideColumn('Images', (object) =>
      list(object)
        .map(({ image }) => image ?? '')
        .join(','),
    ),
  ]
}

interface ContainersOf {
  readonly spec?:
    | { readonly containers?: readonly { readonly name: string; readonly image?: string | undefined }[] | undefined }
    | undefined
}

/** The first `limit` items, then how many more there are. */
export function listWithMore(items: readonly string[], limit = 3): string {
  const text = items.slice(0, limit).join(',')
  return items.length > limit ? `${text} + ${items.length - limit} more...` : text
}

export const countKeys = (record: object | undefined): number => Object.keys(record ?? {}).length
