/** ReplicaSets: so many pods of one template, no more and no less. */

import { type FieldError, FieldPath } from '../../machinery/meta/field-error.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, containerColumns, integerColumn, nameColumn, selectorText, wideColumn } from '../columns.ts'
import { defaultPodTemplateSpec } from '../core/pod/defaults.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { nonNegative } from '../field-rules.ts'
import { changedSpec, immutable, keepSpec, newSpec } from '../strategy-parts.ts'
import type { ReplicaSet } from './types.gen.ts'
import {
  countErrors,
  NOT_ABOVE_REPLICAS,
  notGreaterErrors,
  replicaScale,
  requiredSelectorErrors,
  templateErrors,
  withEnabledTemplate,
} from './workload-rules.ts'
import { workloadWarnings } from './workload-warnings.ts'

export const replicaSets = defineResource<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  resource: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: builtinSchema('apps.v1.ReplicaSet'),
  default: (object) => ({
    ...object,
    spec: mapField(withAbsent(object.spec ?? {}, { replicas: 1 }), 'template', defaultPodTemplateSpec),
  }),
  prepareForCreate: (object) => newSpec(withEnabledTemplate(object)),
  prepareForUpdate: (object, previous) => changedSpec(withEnabledTemplate(object), previous),
  validate: validateReplicaSet,
  validateUpdate: ({ spec }, previous) => immutable('spec.selector', spec.selector, previous.spec.selector),
  warnings: workloadWarnings,
  status: { prepareForUpdate: keepSpec, validateUpdate: ({ status }) => replicaStatusErrors(status) },
  scale: replicaScale(),
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    integerColumn('Desired', ({ spec }: ReplicaSet) => spec.replicas ?? 0),
    integerColumn('Current', ({ status }: ReplicaSet) => status?.replicas ?? 0),
    integerColumn('Ready', ({ status }: ReplicaSet) => status?.readyReplicas ?? 0),
    ageColumn,
    ...containerColumns(({ spec }: ReplicaSet) => spec.template),
    wideColumn('Selector', ({ spec }: ReplicaSet) => selectorText(spec.selector)),
  ],
})

const specPath = new FieldPath('spec')
const statusPath = new FieldPath('status')

function validateReplicaSet({ spec }: ReplicaSet): readonly FieldError[] {
  return [
    ...nonNegative(specPath.child('replicas'), spec.replicas),
    ...nonNegative(specPath.child('minReadySeconds'), spec.minReadySeconds),
    // Upstream says deployment here, too.
    ...requiredSelectorErrors(spec.selector, specPath.child('selector'), 'empty selector is invalid for deployment'),
    ...templateErrors(spec.template ?? {}, spec.selector, specPath.child('template'), 'ReplicaSet'),
  ]
}

export interface ReplicaCounts {
  readonly replicas?: number | undefined
  readonly fullyLabeledReplicas?: number | undefined
  readonly readyReplicas?: number | undefined
  readonly availableReplicas?: number | undefined
  readonly observedGeneration?: number | undefined
  readonly terminatingReplicas?: number | undefined
}

/** The counts that ReplicaSets and ReplicationControllers report. */
export function replicaStatusErrors(status: ReplicaCounts | undefined): readonly FieldError[] {
  return [
    ...countErrors(status, statusPath, [
      'replicas',
      'fullyLabeledReplicas',
      'readyReplicas',
      'availableReplicas',
      'observedGeneration',
      'terminatingReplicas',
    ]),
    ...notGreaterErrors(status, statusPath, [
      ['fullyLabeledReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['readyReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['availableReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['availableReplicas', 'readyReplicas', 'cannot be greater than readyReplicas'],
    ]),
  ]
}
