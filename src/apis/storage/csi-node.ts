/** CSINodes: the storage drivers that run on a node, and how each of them calls the node. */

import { duplicate, type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, integerColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { nonNegative, qualifiedNameErrors } from '../field-rules.ts'
import { immutable } from '../strategy-parts.ts'
import { driverNameErrors } from './class-rules.ts'
import type { CSINode, CSINodeDriver } from './types.gen.ts'

const NODE_ID_BYTES_MAX = 256

export const csiNodes = defineResource<CSINode>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSINode',
  resource: 'csinodes',
  scope: 'Cluster',
  schema: builtinSchema('storage.v1.CSINode'),
  validate: (object) => driversOf(object).flatMap(driverErrors),
  validateUpdate,
  unconditionalUpdate: false,
  deletion: { returns: 'object' },
  columns: [nameColumn, integerColumn('Drivers', (object: CSINode) => driversOf(object).length), ageColumn],
})

const driversPath = new FieldPath('spec.drivers')

function driversOf({ spec }: CSINode): readonly CSINodeDriver[] {
  return spec?.drivers ?? []
}

function driverErrors(driver: CSINodeDriver, index: number, drivers: readonly CSINodeDriver[]): readonly FieldError[] {
  const { name = '', nodeID = '', allocatable, topologyKeys } = driver
  const path = driversPath.index(index)
  const errors = [...driverNameErrors(path.child('name'), name)]
  const idPath = path.child('nodeID')
  if (nodeID === '') errors.push(required(idPath))
  if (byteLength(nodeID) > NODE_ID_BYTES_MAX)
    errors.push(invalidValue(idPath, nodeID, `must be ${NODE_ID_BYTES_MAX} characters or less`))
  errors.push(...nonNegative(path.child('allocatable', 'count'), allocatable?.count))
  if (drivers.findIndex((other) => other.name === name) < index) errors.push(duplicate(path.child('name'), name))
  return [...errors, ...topologyKeyErrors(topologyKeys ?? [], path)]
}

function topologyKeyErrors(keys: readonly string[], path: FieldPath): readonly FieldError[] {
  return keys.flatMap((key, index) => [
    ...(key === '' ? [required(path)] : []),
    ...(keys.indexOf(key) < index ? [duplicate(path, key)] : []),
    ...qualifiedNameErrors(path, key),
  ])
}

/** A driver comes and goes as a whole; how many volumes it can attach is what may change. */
function validateUpdate(object: CSINode, previous: CSINode): readonly FieldError[] {
  return driversOf(previous).flatMap(({ allocatable: _, ...before }) =>
    driversOf(object).flatMap(({ allocatable: __, ...driver }) =>
      driver.name === before.name ? immutable(driversPath, driver, before) : [],
    ),
  )
}
