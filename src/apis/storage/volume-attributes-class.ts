/** VolumeAttributesClasses: parameters that a driver can change on a volume that is in use. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, FieldPath, forbidden, required } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { parameterErrors, provisionerErrors } from './class-rules.ts'
import type { VolumeAttributesClass } from './types.gen.ts'

export const volumeAttributesClasses = defineResource<VolumeAttributesClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'VolumeAttributesClass',
  resource: 'volumeattributesclasses',
  shortNames: ['vac'],
  scope: 'Cluster',
  schema: builtinSchema('storage.v1.VolumeAttributesClass'),
  validate: validateClass,
  ratchets: true,
  validateUpdate: (object, previous) => [...changeErrors(object, previous), ...validateClass(object)],
  deletion: { returns: 'object' },
  columns: [
    nameColumn,
    textColumn('DriverName', ({ driverName }: VolumeAttributesClass) => driverName ?? ''),
    ageColumn,
  ],
})

const parametersPath = new FieldPath('parameters')
const driverPath = new FieldPath('driverName')

function validateClass({ driverName = '', parameters = {} }: VolumeAttributesClass): readonly FieldError[] {
  const isEmpty = Object.keys(parameters).length === 0
  return [
    ...provisionerErrors(driverPath, driverName),
    ...parameterErrors(parametersPath, parameters),
    ...(isEmpty ? [required(parametersPath, 'must contain at least one key/value pair')] : []),
  ]
}

function changeErrors(object: VolumeAttributesClass, previous: VolumeAttributesClass): readonly FieldError[] {
  const isSame = deepEqual(object.parameters, previous.parameters)
  return [
    ...(object.driverName === previous.driverName
      ? []
      : [forbidden(driverPath, 'updates to driverName are forbidden.')]),
    ...(isSame ? [] : [forbidden(parametersPath, 'updates to parameters are forbidden.')]),
  ]
}
