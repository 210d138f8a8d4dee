/** ControllerRevisions: snapshots of a template that StatefulSets and DaemonSets return to. Their data stays. */

import { type FieldError, FieldPath, required } from '../../machinery/meta/field-error.ts'
import { groupResource, parseApiVersion } from '../../machinery/meta/group-version.ts'
import { controllerOf } from '../../machinery/meta/owner.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, NONE, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { nonNegative } from '../field-rules.ts'
import { immutable } from '../strategy-parts.ts'
import type { ControllerRevision } from './types.gen.ts'

export const controllerRevisions = defineResource<ControllerRevision>({
  group: 'apps',
  version: 'v1',
  kind: 'ControllerRevision',
  resource: 'controllerrevisions',
  scope: 'Namespaced',
  schema: builtinSchema('apps.v1.ControllerRevision'),
  validate: ({ revision }) => nonNegative(new FieldPath('revision'), revision),
  validateCreate: dataErrors,
  validateUpdate: ({ data }, previous) => immutable('data', data, previous.data),
  columns: [
    nameColumn,
    textColumn('Controller', controllerText),
    textColumn('Revision', ({ revision }: ControllerRevision) => revision ?? 0),
    ageColumn,
  ],
})

function dataErrors({ data }: ControllerRevision): readonly FieldError[] {
  const path = new FieldPath('data')
  if (data === undefined || data === null) return [required(path, 'data is mandatory')]
  return typeof data === 'object' && !Array.isArray(data) ? [] : [required(path, 'data must be a valid JSON object')]
}

/** `statefulset.apps/web`. */
function controllerText(object: ControllerRevision): string {
  const controller = controllerOf(object)
  if (!controller) return NONE
  const { group = '' } = parseApiVersion(controller.apiVersion) ?? {}
  return `${groupResource(group, controller.kind).toLowerCase()}/${controller.name}`
}
