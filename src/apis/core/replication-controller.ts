/** ReplicationControllers: the forerunner of ReplicaSets, with a plain map as selector. */

import { type FieldError, FieldPath, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { selectorFromLabels } from '../../machinery/meta/labels.ts'
import { replicaStatusErrors } from '../apps/replica-set.ts'
import { lastingTemplateErrors, withEnabledTemplate } from '../apps/workload-rules.ts'
import { workloadWarnings } from '../apps/workload-warnings.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, containerColumns, integerColumn, labelsText, nameColumn, wideColumn } from '../columns.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { nonNegative } from '../field-rules.ts'
import { changedSpec, keepSpec, newSpec } from '../strategy-parts.ts'
import { defaultPodTemplateSpec } from './pod/defaults.ts'
import type { PodTemplateSpec, ReplicationController, ReplicationControllerSpec } from './types.gen.ts'

export const replicationControllers = defineResource<ReplicationController>({
  group: '',
  version: 'v1',
  kind: 'ReplicationController',
  resource: 'replicationcontrollers',
  shortNames: ['rc'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: builtinSchema('core.v1.ReplicationController'),
  default: withDefaults,
  prepareForCreate: (object) => newSpec(withEnabledTemplate(object)),
  prepareForUpdate: (object, previous) => changedSpec(withEnabledTemplate(object), previous),
  validate: ({ spec }) => validateSpec(spec ?? {}),
  deletion: { propagation: 'Orphan' },
  warnings: workloadWarnings,
  status: { prepareForUpdate: keepSpec, validateUpdate: ({ status }) => replicaStatusErrors(status) },
  scale: {
    replicas: ({ spec }) => spec?.replicas ?? 0,
    statusReplicas: ({ status }) => status?.replicas ?? 0,
    selector: ({ spec }) => selectorFromLabels(spec?.selector).toString(),
    withReplicas: (object, replicas) => ({ ...object, spec: { ...object.spec, replicas } }),
  },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    integerColumn('Desired', ({ spec }: ReplicationController) => spec?.replicas ?? 0),
    integerColumn('Current', ({ status }: ReplicationController) => status?.replicas ?? 0),
    integerColumn('Ready', ({ status }: ReplicationController) => status?.readyReplicas ?? 0),
    ageColumn,
    ...containerColumns(({ spec }: ReplicationController) => spec?.template),
    wideColumn('Selector', ({ spec }: ReplicationController) => labelsText(spec?.selector)),
  ],
  fields: ({ status }) => ({ 'status.replicas': String(status?.replicas ?? 0) }),
  fieldLabels: ['metadata.name', 'metadata.namespace', 'status.replicas'],
})

/** Selector and labels come from the template where the client gave none. */
function withDefaults(object: ReplicationController): ReplicationController {
  const filled = withAbsent<ReplicationControllerSpec>(object.spec ?? {}, { replicas: 1 })
  const spec = mapField(filled, 'template', defaultPodTemplateSpec)
  const labels = spec.template?.metadata?.labels
  if (!labels || Object.keys(labels).length === 0) return { ...object, spec }
  const isEmpty = (record: object | undefined): boolean => Object.keys(record ?? {}).length === 0
  return {
    ...object,
    metadata: isEmpty(object.metadata.labels) ? { ...object.metadata, labels } : object.metadata,
    spec: isEmpty(spec.selector) ? { ...spec, selector: labels } : spec,
  }
}

const specPath = new FieldPath('spec')

function ownTemplateErrors(
  template: PodTemplateSpec | undefined,
  selector: Readonly<Record<string, string>>,
  path: FieldPath,
): readonly FieldError[] {
  if (!template) return [required(path)]
  const labels = template.metadata?.labels ?? {}
  const matches = Object.entries(selector).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value)
  const detail = '`selector` does not match template `labels`'
  const mismatch = matches
    ? []
    : [invalidValue(path.child('metadata', 'labels'), template.metadata?.labels ?? null, detail)]
  return [...mismatch, ...lastingTemplateErrors(template, path, 'ReplicationController')]
}

function validateSpec(spec: ReplicationControllerSpec): readonly FieldError[] {
  const { selector = {}, template } = spec
  return [
    ...nonNegative(specPath.child('minReadySeconds'), spec.minReadySeconds),
    ...(Object.keys(selector).length === 0 ? [required(specPath.child('selector'))] : []),
    ...nonNegative(specPath.child('replicas'), spec.replicas),
    ...ownTemplateErrors(template, selector, specPath.child('template')),
  ]
}
