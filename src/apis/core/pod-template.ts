/** PodTemplates: a template for pods as an object of its own. */

import { FieldPath } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { containerColumns, labelsText, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField } from '../field-defaults.ts'
import { bumpGeneration, startGeneration } from '../strategy-parts.ts'
import { defaultPodTemplateSpec } from './pod/defaults.ts'
import { withoutDisabledFields } from './pod/disabled-fields.ts'
import { validatePodTemplateSpec } from './pod/validate-spec.ts'
import { podTemplateWarnings } from './pod/warnings.ts'
import type { PodTemplate } from './types.gen.ts'

export const podTemplates = defineResource<PodTemplate>({
  group: '',
  version: 'v1',
  kind: 'PodTemplate',
  resource: 'podtemplates',
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.PodTemplate'),
  default: (object) => mapField(object, 'template', defaultPodTemplateSpec),
  prepareForCreate: (object) => startGeneration(mapField(object, 'template', withoutDisabledFields)),
  prepareForUpdate: (object, previous) =>
    bumpGeneration(mapField(object, 'template', withoutDisabledFields), previous, ['template']),
  warnings: ({ template }) => podTemplateWarnings(template ?? {}, new FieldPath('template')),
  validate: ({ template }) => validatePodTemplateSpec(template ?? {}, new FieldPath('template')),
  deletion: { returns: 'object' },
  columns: [
    nameColumn,
    ...containerColumns(({ template }: PodTemplate) => template).map((column) => ({ ...column, priority: 0 })),
    textColumn('Pod Labels', ({ template }: PodTemplate) => labelsText(template?.metadata?.labels)),
  ],
})
