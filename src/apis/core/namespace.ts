/** Namespaces. A namespace stays until its `kubernetes` finalizer is removed through the `finalize` subresource. */

import { type FieldError, FieldPath, invalidValue } from '../../machinery/meta/field-error.ts'
import { nameIsDns1123Label } from '../../machinery/meta/names.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, nameColumn, textColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { finalizerNameErrors } from '../field-rules.ts'
import { keepSpec, keepStatus } from '../strategy-parts.ts'
import type { Namespace } from './types.gen.ts'

export const namespaces = defineResource<Namespace>({
  group: '',
  version: 'v1',
  kind: 'Namespace',
  resource: 'namespaces',
  shortNames: ['ns'],
  scope: 'Cluster',
  schema: builtinSchema('core.v1.Namespace'),
  verbs: ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch'],
  nameRule: nameIsDns1123Label,
  default: withNameLabel,
  prepareForCreate: (object) => ({
    ...object,
    spec: { ...object.spec, finalizers: withKubernetesFinalizer(object.spec?.finalizers) },
    status: { phase: 'Active' },
  }),
  prepareForUpdate: (object, previous) => keepSpec(keepStatus(object, previous), previous),
  validate: validateFinalizers,
  status: {
    prepareForUpdate: keepSpec,
    validateUpdate: validatePhase,
  },
  deletion: {
    isHeld: ({ spec }) => (spec?.finalizers ?? []).length > 0,
    // How long a namespace takes is nobody's wish.
    markDeleting: ({ metadata: { deletionGracePeriodSeconds: _, ...metadata }, ...object }) => ({
      ...object,
      metadata,
      status: { ...object.status, phase: 'Terminating' },
    }),
  },
  subresources: ['finalize'],
  resetFields: { '': [['status']], status: [['spec']], finalize: [['status']] },
  columns: [nameColumn, textColumn('Status', ({ status }: Namespace) => status?.phase ?? ''), ageColumn],
  fields: ({ status }) => ({ 'status.phase': status?.phase ?? '' }),
  fieldLabels: ['metadata.name', 'status.phase'],
})

/** Every namespace carries its name as a label, so that selectors can pick it. */
function withNameLabel(object: Namespace): Namespace {
  const { name } = object.metadata
  const status = object.status?.phase ? object.status : { ...object.status, phase: 'Active' as const }
  const labels = name ? { ...object.metadata.labels, 'kubernetes.io/metadata.name': name } : object.metadata.labels
  return { ...object, metadata: { ...object.metadata, labels }, status }
}

function withKubernetesFinalizer(finalizers: readonly string[] = []): readonly string[] {
  return finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes']
}

function validateFinalizers({ spec }: Namespace): readonly FieldError[] {
  const path = new FieldPath('spec.finalizers')
  return (spec?.finalizers ?? []).flatMap((name) => finalizerNameErrors(path, name))
}

/** Of the `finalize` subresource, which names each by its place. */
export function validateNamespaceFinalize({ spec }: Namespace): readonly FieldError[] {
  const path = new FieldPath('spec.finalizers')
  return (spec?.finalizers ?? []).flatMap((name, index) => finalizerNameErrors(path.index(index), name))
}

function validatePhase({ metadata, status }: Namespace): readonly FieldError[] {
  const path = new FieldPath('status.Phase')
  const phase = status?.phase ?? ''
  if (!metadata.deletionTimestamp) {
    return phase === 'Active' ? [] : [invalidValue(path, phase, "may only be 'Active' if `deletionTimestamp` is empty")]
  }
  if (phase === 'Terminating') return []
  return [invalidValue(path, phase, "may only be 'Terminating' if `deletionTimestamp` is not empty")]
}
