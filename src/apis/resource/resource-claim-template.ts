/** ResourceClaimTemplates: claims that are made anew for each pod. */

import { type FieldError, FieldPath, forbidden } from '../../machinery/meta/field-error.ts'
import { validateLabels } from '../../machinery/meta/labels.ts'
import type { ObjectMeta } from '../../machinery/meta/object.ts'
import { validateAnnotations } from '../../machinery/meta/validate-meta.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { immutable } from '../strategy-parts.ts'
import { deviceClaimErrors } from './claim-rules.ts'
import { defaultClaimSpec } from './device-demands.ts'
import type { ResourceClaimTemplate, ResourceClaimTemplateSpec } from './types.gen.ts'

const TEMPLATE_META_FIELDS = ['annotations', 'labels']

export const resourceClaimTemplates = defineResource<ResourceClaimTemplate>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaimTemplate',
  resource: 'resourceclaimtemplates',
  scope: 'Namespaced',
  schema: builtinSchema('resource.v1.ResourceClaimTemplate'),
  default: (object) => ({ ...object, spec: defaultSpec(object.spec) }),
  validate: validateTemplate,
  validateUpdate: (object, previous) => immutable('spec', object.spec, previous.spec),
  deletion: { returns: 'object' },
  columns: [nameColumn, ageColumn],
})

function defaultSpec(spec: ResourceClaimTemplateSpec | undefined): ResourceClaimTemplateSpec {
  return { ...spec, spec: defaultClaimSpec(spec?.spec ?? {}) }
}

function validateTemplate({ spec: { metadata = {}, spec } }: ResourceClaimTemplate): readonly FieldError[] {
  const path = new FieldPath('spec')
  return [
    ...templateMetaErrors(path.child('metadata'), metadata),
    ...deviceClaimErrors(path.child('spec', 'devices'), spec.devices ?? {}),
  ]
}

/** Whatever else there is in the metadata of an object is not the template's to say. */
function templateMetaErrors(path: FieldPath, metadata: ObjectMeta): readonly FieldError[] {
  const others = Object.entries(metadata).filter(
    ([field, value]) => !TEMPLATE_META_FIELDS.includes(field) && !isZero(value),
  )
  return [
    ...validateAnnotations(metadata.annotations ?? {}, path.child('annotations')),
    ...validateLabels(metadata.labels, path.child('labels')),
    ...others.map(([field]) => forbidden(path.child(field), 'cannot be set')),
  ]
}

function isZero(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length === 0
  return value === undefined || value === null || value === '' || value === 0
}
