/** What a definition makes of an object, in forms that tests compare at a glance. */

import { cellAt } from '../../src/apis/columns.ts'
import type { Cell, ResourceDefinition, UpdateStrategy, WriteContext } from '../../src/apis/definition.ts'
import { deepFreeze } from '../../src/base/deep-freeze.ts'
import type { FieldError } from '../../src/machinery/meta/field-error.ts'
import type { KubeObject } from '../../src/machinery/meta/object.ts'

/** An object that need not be what its type says: what clients may send. */
export type Sent = KubeObject & Readonly<Record<string, unknown>>

export const NOW_MS = Date.parse('2026-01-01T00:00:00Z')
export const writeContext: WriteContext = { user: { name: 'jane', groups: [] }, nowMs: NOW_MS }

/** `FieldValueInvalid spec.replicas: Invalid value: -1: …`, one line per finding on a new object. */
export function findings(definition: ResourceDefinition, object: Sent): readonly string[] {
  const defaulted = definition.default(deepFreeze(object))
  return [...definition.validate(defaulted), ...(definition.validateCreate?.(defaulted) ?? [])].map(line)
}

/** What an update from `previous` to `object` answers beyond `findings`. */
export function updateFindings(definition: ResourceDefinition, object: Sent, previous: Sent): readonly string[] {
  const before = definition.default(deepFreeze(previous))
  const prepared = definition.prepareForUpdate(definition.default(deepFreeze(object)), before, writeContext)
  return definition.validateUpdate(prepared, before).map(line)
}

export function statusFindings(status: UpdateStrategy | undefined, object: Sent, previous: Sent): readonly string[] {
  return (status?.validateUpdate(deepFreeze(object), deepFreeze(previous)) ?? []).map(line)
}

function line({ type, path, message }: FieldError): string {
  return `${type} ${path}: ${message}`
}

/** A row of the wide table, by column. */
export function row(definition: ResourceDefinition, object: Sent): Readonly<Record<string, Cell>> {
  const defaulted = definition.default(deepFreeze(object))
  return Object.fromEntries(definition.columns.map((column) => [column.name, cellAt(column, defaulted, NOW_MS)]))
}
