/** The columns of custom resources: the name, then what the definition asks for by JSONPath, or the age. */

import type { KubeObject } from '../../machinery/meta/object.ts'
import { humanDuration, parseTime } from '../../machinery/meta/time.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import type { Cell, Column, TimedCell } from '../definition.ts'
import { findByPath, parseJsonPath } from './json-path.ts'
import type { CustomResourceColumnDefinition } from './types.gen.ts'

export function customColumns(columns: readonly CustomResourceColumnDefinition[] = []): readonly Column[] {
  return [nameColumn, ...(columns.length === 0 ? [{ ...ageColumn, type: 'date' as const }] : columns.map(customColumn))]
}

function customColumn(column: CustomResourceColumnDefinition): Column {
  const { name, jsonPath, description = '', format, priority } = column
  const path = parseJsonPath(jsonPath)
  const type = columnTypeOf(column)
  return {
    name,
    type,
    format,
    priority,
    description:
      description === '' ? `Custom resource definition column (in JSONPath format): ${jsonPath}` : description,
    value: (object: KubeObject) => (path === undefined ? null : cellOf(findByPath(object, path)[0], type)),
  }
}

const TYPES = ['string', 'integer', 'number', 'boolean', 'date'] as const

function columnTypeOf({ type }: CustomResourceColumnDefinition): Column['type'] {
  return TYPES.find((known) => known === type) ?? 'string'
}

/** A value of another type than the column's is not shown. */
function cellOf(value: unknown, type: Column['type']): Cell | TimedCell {
  if (value === undefined || value === null) return null
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value)
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? dateCell(value) : null
  }
}

function dateCell(text: string): Cell | TimedCell {
  const ms = parseTime(text)
  return ms === undefined ? '<invalid>' : (nowMs) => humanDuration(nowMs - ms)
}
