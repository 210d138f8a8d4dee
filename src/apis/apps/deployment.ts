/** Deployments: a template and how many pods of it, rolled out through ReplicaSets. */

import { deepEqual } from '../../base/deep-equal.ts'
import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { validateAtMostHundredPercent, validateNonNegativeIntOrPercent } from '../../machinery/meta/int-or-string.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, containerColumns, nameColumn, selectorText, textColumn, wideColumn } from '../columns.ts'
import { defaultPodTemplateSpec } from '../core/pod/defaults.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { nonNegative } from '../field-rules.ts'
import { changedSpec, immutable, keepLabels, keepSpec, newSpec, nextGeneration } from '../strategy-parts.ts'
import { rollsToNothing } from './rolling-update.ts'
import type { Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment } from './types.gen.ts'
import {
  collisionCountErrors,
  countErrors,
  NOT_ABOVE_REPLICAS,
  notGreaterErrors,
  replicaScale,
  requiredSelectorErrors,
  templateErrors,
  withEnabledTemplate,
} from './workload-rules.ts'
import { workloadWarnings } from './workload-warnings.ts'

export const deployments = defineResource<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  resource: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: builtinSchema('apps.v1.Deployment'),
  default: (object) => ({ ...object, spec: defaultSpec(object.spec ?? {}) }),
  prepareForCreate: (object) => newSpec(withEnabledTemplate(object)),
  prepareForUpdate: (object, previous) =>
    withAnnotationGeneration(changedSpec(withEnabledTemplate(object), previous), previous),
  validate: validateDeployment,
  validateUpdate: ({ spec }, previous) => immutable('spec.selector', spec.selector, previous.spec.selector),
  warnings: workloadWarnings,
  status: {
    prepareForUpdate: (object, previous) => keepLabels(keepSpec(object, previous), previous),
    validateUpdate: validateStatus,
  },
  scale: replicaScale(),
  resetFields: { '': [['status']], status: [['spec'], ['metadata', 'labels']] },
  columns: [
    nameColumn,
    textColumn('Ready', ({ spec, status }: Deployment) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
    textColumn('Up-to-date', ({ status }: Deployment) => status?.updatedReplicas ?? 0),
    textColumn('Available', ({ status }: Deployment) => status?.availableReplicas ?? 0),
    ageColumn,
    ...containerColumns(({ spec }: Deployment) => spec.template),
    wideColumn('Selector', ({ spec }: Deployment) => selectorText(spec.selector)),
  ],
})

function defaultSpec(spec: DeploymentSpec): DeploymentSpec {
  const filled = withAbsent(spec, { replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600 })
  return {
    ...mapField(filled, 'template', defaultPodTemplateSpec),
    strategy: defaultStrategy(spec.strategy ?? {}),
  }
}

function defaultStrategy(strategy: DeploymentStrategy): DeploymentStrategy {
  const type = strategy.type || 'RollingUpdate'
  if (type !== 'RollingUpdate') return strategy
  return { type, rollingUpdate: withAbsent(strategy.rollingUpdate ?? {}, { maxUnavailable: '25%', maxSurge: '25%' }) }
}

/** Annotations are copied to the ReplicaSets, so their changes are a new generation too. */
function withAnnotationGeneration(object: Deployment, previous: Deployment): Deployment {
  const same = deepEqual(object.metadata.annotations ?? {}, previous.metadata.annotations ?? {})
  return same ? object : nextGeneration(object, previous)
}

const specPath = new FieldPath('spec')
const statusPath = new FieldPath('status')

function validateDeployment({ spec }: Deployment): readonly FieldError[] {
  return [
    ...nonNegative(specPath.child('replicas'), spec.replicas),
    ...requiredSelectorErrors(spec.selector, specPath.child('selector'), 'empty selector is invalid for deployment'),
    ...templateErrors(spec.template ?? {}, spec.selector, specPath.child('template'), 'ReplicaSet'),
    ...strategyErrors(spec.strategy ?? {}, specPath.child('strategy')),
    ...nonNegative(specPath.child('minReadySeconds'), spec.minReadySeconds),
    ...nonNegative(specPath.child('revisionHistoryLimit'), spec.revisionHistoryLimit),
    ...progressDeadlineErrors(spec),
  ]
}

function progressDeadlineErrors({
  progressDeadlineSeconds: deadline,
  minReadySeconds = 0,
}: DeploymentSpec): FieldError[] {
  if (deadline === undefined) return []
  const path = specPath.child('progressDeadlineSeconds')
  const errors = nonNegative(path, deadline)
  return deadline <= minReadySeconds
    ? [...errors, invalidValue(path, deadline, 'must be greater than minReadySeconds')]
    : errors
}

function strategyErrors(strategy: DeploymentStrategy, path: FieldPath): readonly FieldError[] {
  const { type, rollingUpdate } = strategy
  const rollingPath = path.child('rollingUpdate')
  switch (type) {
    case 'Recreate':
      if (rollingUpdate === undefined) return []
      return [forbidden(rollingPath, "may not be specified when strategy `type` is 'Recreate'")]
    case 'RollingUpdate':
      if (rollingUpdate !== undefined) return rollingUpdateErrors(rollingUpdate, rollingPath)
      return [required(rollingPath, 'this should be defaulted and never be nil')]
    default:
      return [notSupported(path, strategy, ['Recreate', 'RollingUpdate'])]
  }
}

function rollingUpdateErrors(rolling: RollingUpdateDeployment, path: FieldPath): readonly FieldError[] {
  const { maxUnavailable = 0, maxSurge = 0 } = rolling
  const unavailablePath = path.child('maxUnavailable')
  return [
    ...validateNonNegativeIntOrPercent(maxUnavailable, unavailablePath),
    ...validateNonNegativeIntOrPercent(maxSurge, path.child('maxSurge')),
    ...(rollsToNothing(maxUnavailable) && rollsToNothing(maxSurge)
      ? [invalidValue(unavailablePath, maxUnavailable, 'may not be 0 when `maxSurge` is 0')]
      : []),
    ...validateAtMostHundredPercent(maxUnavailable, unavailablePath),
  ]
}

function validateStatus({ status }: Deployment, previous: Deployment): readonly FieldError[] {
  return [
    ...countErrors(status, statusPath, [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
      'terminatingReplicas',
      'collisionCount',
    ]),
    ...notGreaterErrors(status, statusPath, [
      ['updatedReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['readyReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['availableReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['availableReplicas', 'readyReplicas', 'cannot be greater than readyReplicas'],
    ]),
    ...collisionCountErrors(statusPath, status?.collisionCount, previous.status?.collisionCount),
  ]
}
