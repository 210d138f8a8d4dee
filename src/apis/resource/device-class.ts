/** DeviceClasses: kinds of devices that claims ask for by name. */

import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { isQualifiedName } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { isExtendedResource } from '../core/pod/resource-list.ts'
import { defineResource } from '../define-resource.ts'
import { bumpGeneration, startGeneration } from '../strategy-parts.ts'
import { boundedList } from './bounded-lists.ts'
import { CONFIGURATIONS_MAX, selectorsErrors } from './claim-rules.ts'
import { configurationErrors } from './configuration-rules.ts'
import type { DeviceClass } from './types.gen.ts'

export const deviceClasses = defineResource<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  resource: 'deviceclasses',
  scope: 'Cluster',
  schema: builtinSchema('resource.v1.DeviceClass'),
  default: (object) => ({ ...object, spec: object.spec ?? {} }),
  prepareForCreate: startGeneration,
  prepareForUpdate: (object, previous) => bumpGeneration(object, previous),
  validate: validateClass,
  deletion: { returns: 'object' },
  columns: [nameColumn, ageColumn],
})

function validateClass({ spec }: DeviceClass): readonly FieldError[] {
  const path = new FieldPath('spec')
  const { selectors, config, extendedResourceName: extended } = spec
  const extendedPath = path.child('extendedResourceName')
  return [
    ...selectorsErrors(path.child('selectors'), selectors),
    ...boundedList(path.child('config'), config, CONFIGURATIONS_MAX, configurationErrors),
    ...(extended === undefined || isExtendedResourceName(extended)
      ? []
      : [invalidValue(extendedPath, extended, 'must be a valid extended resource name')]),
  ]
}

/** A name that quotas can count by, too. */
function isExtendedResourceName(name: string): boolean {
  return isExtendedResource(name) && isQualifiedName(`requests.${name}`).length === 0
}
