/** Tables: what `kubectl get` prints, one row per object, cells by the columns of the definition. */

import { cellAt } from '../../apis/columns.ts'
import type { Column, ResourceDefinition } from '../../apis/definition.ts'
import { badRequest } from '../../machinery/meta/api-error.ts'
import { FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import type { KubeObject, ListMeta } from '../../machinery/meta/object.ts'
import { partialMetadata } from './partial-metadata.ts'

export type IncludeObject = 'None' | 'Metadata' | 'Object'

export interface TableOptions {
  /** In a watch only the first event says what the columns are. Default: yes. */
  readonly describesColumns?: boolean | undefined
  readonly include: IncludeObject
  readonly metaVersion: string
  readonly nowMs: number
}

/** For resources without columns of their own. */
const DEFAULT_COLUMNS: readonly Column[] = [
  { name: 'Name', type: 'string', format: 'name', value: ({ metadata }) => metadata.name ?? '' },
  { name: 'Created At', type: 'date', value: ({ metadata }) => metadata.creationTimestamp ?? null },
]

/** What a table is made by. */
export type Printed<T extends KubeObject> = Pick<ResourceDefinition<T>, 'columns' | 'tableOrder'>

export function tableOf<T extends KubeObject>(
  printed: Printed<T>,
  objects: readonly T[],
  metadata: ListMeta,
  options: TableOptions,
): object {
  const columns = columnsOf(printed)
  const { tableOrder } = printed
  const ordered = tableOrder ? objects.toSorted(tableOrder) : objects
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.metaVersion}`,
    metadata,
    columnDefinitions: (options.describesColumns ?? true) ? columns.map(described) : null,
    rows: ordered.map((object) => ({
      cells: columns.map((column) => cellAt(column, object, options.nowMs)),
      object: rowObject(object, options),
    })),
  }
}

export function columnsOf<T extends KubeObject>({ columns }: Printed<T>): readonly Column<T>[] {
  return columns.length > 0 ? columns : DEFAULT_COLUMNS
}

function described({ name, type, format = '', description = '', priority = 0 }: Omit<Column, 'value'>): object {
  return { name, type, format, description, priority }
}

function rowObject(object: KubeObject, { include, metaVersion }: TableOptions): object | null {
  if (include === 'None') return null
  return include === 'Object' ? object : partialMetadata(object, metaVersion)
}

/** `?includeObject=`: Metadata unless said otherwise. */
export function includeObject(query: URLSearchParams): IncludeObject {
  const asked = query.get('includeObject') ?? ''
  if (asked === '') return 'Metadata'
  if (asked === 'None' || asked === 'Metadata' || asked === 'Object') return asked
  const detail = "must be 'Metadata', 'Object', 'None', or empty"
  const { path, message } = invalidValue(new FieldPath('includeObject'), asked, detail)
  throw badRequest(`Unable to convert to Table as requested: ${path}: ${message}`)
}
