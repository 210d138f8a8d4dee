/** DaemonSets: one pod of the template on every node that it fits. */

import { deepEqual } from '../../base/deep-equal.ts'
import { type FieldError, FieldPath, invalidValue, notSupported, required } from '../../machinery/meta/field-error.ts'
import { validateAtMostHundredPercent, validateNonNegativeIntOrPercent } from '../../machinery/meta/int-or-string.ts'
import { validateLabelSelector } from '../../machinery/meta/labels.ts'
import { builtinSchema } from '../builtin-schema.ts'
import {
  ageColumn,
  containerColumns,
  integerColumn,
  labelsText,
  nameColumn,
  selectorText,
  textColumn,
  wideColumn,
} from '../columns.ts'
import { defaultPodTemplateSpec } from '../core/pod/defaults.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, withAbsent } from '../field-defaults.ts'
import { nonNegative } from '../field-rules.ts'
import { changedSpec, immutable, keepSpec, newSpec } from '../strategy-parts.ts'
import { rollsToNothing } from './rolling-update.ts'
import type { DaemonSet, DaemonSetSpec, DaemonSetStatus, DaemonSetUpdateStrategy } from './types.gen.ts'
import {
  collisionCountErrors,
  countErrors,
  lastingTemplateErrors,
  selectorIsEmpty,
  selectorMatchErrors,
  withEnabledTemplate,
} from './workload-rules.ts'

/** Counts the changes of the template; it once was a field of the spec. */
const TEMPLATE_GENERATION = 'deprecated.daemonset.template.generation'

import { templateWarnings } from './workload-warnings.ts'

export const daemonSets = defineResource<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  resource: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: builtinSchema('apps.v1.DaemonSet'),
  default: (object) => ({
    ...withTemplateGeneration(object, templateGeneration(object)),
    spec: defaultSpec(object.spec ?? {}),
  }),
  prepareForCreate: (object) =>
    withTemplateGeneration(newSpec(withEnabledTemplate(object)), Math.max(templateGeneration(object), 1)),
  prepareForUpdate: (object, previous) => {
    const enabled = withEnabledTemplate(object)
    const changed = deepEqual(enabled.spec.template, previous.spec.template) ? 0 : 1
    return withTemplateGeneration(changedSpec(enabled, previous), templateGeneration(previous) + changed)
  },
  validate: validateDaemonSet,
  ratchets: true,
  validateUpdate: (object, previous) => [
    ...immutable('spec.selector', object.spec.selector, previous.spec.selector),
    ...validateDaemonSet(object),
  ],
  warnings: templateWarnings,
  status: { prepareForUpdate: keepSpec, validateUpdate: validateStatus },
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    statusColumn('Desired', 'desiredNumberScheduled'),
    statusColumn('Current', 'currentNumberScheduled'),
    statusColumn('Ready', 'numberReady'),
    statusColumn('Up-to-date', 'updatedNumberScheduled'),
    statusColumn('Available', 'numberAvailable'),
    textColumn('Node Selector', ({ spec }: DaemonSet) => labelsText(spec.template?.spec?.nodeSelector)),
    ageColumn,
    ...containerColumns(({ spec }: DaemonSet) => spec.template),
    wideColumn('Selector', ({ spec }: DaemonSet) => selectorText(spec.selector)),
  ],
})

function statusColumn(name: string, field: keyof DaemonSetStatus) {
  return integerColumn<DaemonSet>(name, ({ status }) => Number(status?.[field] ?? 0))
}

function defaultSpec(spec: DaemonSetSpec): DaemonSetSpec {
  return {
    ...mapField(withAbsent(spec, { revisionHistoryLimit: 10 }), 'template', defaultPodTemplateSpec),
    updateStrategy: defaultStrategy(spec.updateStrategy ?? {}),
  }
}

function defaultStrategy(strategy: DaemonSetUpdateStrategy): DaemonSetUpdateStrategy {
  const type = strategy.type || 'RollingUpdate'
  const { rollingUpdate } = strategy
  if (type !== 'RollingUpdate')
    return rollingUpdate
      ? { type, rollingUpdate: withAbsent(rollingUpdate, { maxUnavailable: 0, maxSurge: 0 }) }
      : strategy
  return { type, rollingUpdate: withAbsent(rollingUpdate ?? {}, { maxUnavailable: 1, maxSurge: 0 }) }
}

function templateGeneration({ metadata }: DaemonSet): number {
  const text = metadata.annotations?.[TEMPLATE_GENERATION] ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : 0
}

function withTemplateGeneration(object: DaemonSet, generation: number): DaemonSet {
  const annotations = { ...object.metadata.annotations, [TEMPLATE_GENERATION]: String(generation) }
  return { ...object, metadata: { ...object.metadata, annotations } }
}

const specPath = new FieldPath('spec')
const statusPath = new FieldPath('status')

function validateDaemonSet({ spec }: DaemonSet): readonly FieldError[] {
  return [
    ...selectorErrors(spec, specPath.child('selector')),
    ...lastingTemplateErrors(spec.template ?? {}, specPath.child('template'), 'DaemonSet'),
    ...nonNegative(specPath.child('minReadySeconds'), spec.minReadySeconds),
    ...strategyErrors(spec.updateStrategy ?? {}, specPath.child('updateStrategy')),
    ...nonNegative(specPath.child('revisionHistoryLimit'), spec.revisionHistoryLimit),
  ]
}

/** Without a selector nothing is selected, so the template cannot match: that is what upstream says. */
function selectorErrors({ selector, template = {} }: DaemonSetSpec, path: FieldPath): readonly FieldError[] {
  const errors = selector ? validateLabelSelector(selector, path) : []
  if (errors.length > 0) return errors
  const mismatch = selectorMatchErrors(template, selector, specPath.child('template'))
  if (!selector || !selectorIsEmpty(selector)) return mismatch
  return [...mismatch, invalidValue(path, selector, 'empty selector is invalid for daemonset')]
}

function strategyErrors(strategy: DaemonSetUpdateStrategy, path: FieldPath): readonly FieldError[] {
  const { type, rollingUpdate } = strategy
  if (type === 'OnDelete') return []
  if (type !== 'RollingUpdate') return [notSupported(path, strategy, ['RollingUpdate', 'OnDelete'])]
  if (!rollingUpdate) return [required(path.child('rollingUpdate'))]
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate
  const unavailablePath = path.child('rollingUpdate', 'maxUnavailable')
  const surgePath = path.child('rollingUpdate', 'maxSurge')
  const errors = [
    ...validateNonNegativeIntOrPercent(maxUnavailable, unavailablePath),
    ...validateNonNegativeIntOrPercent(maxSurge, surgePath),
    ...validateAtMostHundredPercent(maxUnavailable, unavailablePath),
    ...validateAtMostHundredPercent(maxSurge, surgePath),
  ]
  const [stays, surges] = [rollsToNothing(maxUnavailable), !rollsToNothing(maxSurge)]
  if (!stays && surges) errors.push(invalidValue(surgePath, maxSurge, 'may not be set when maxUnavailable is non-zero'))
  if (stays && !surges) errors.push(required(unavailablePath, 'cannot be 0 when maxSurge is 0'))
  return errors
}

function validateStatus({ status }: DaemonSet, previous: DaemonSet): readonly FieldError[] {
  return [
    ...countErrors(status, statusPath, [
      'currentNumberScheduled',
      'numberMisscheduled',
      'desiredNumberScheduled',
      'numberReady',
      'observedGeneration',
      'updatedNumberScheduled',
      'numberAvailable',
      'numberUnavailable',
      'collisionCount',
    ]),
    ...collisionCountErrors(statusPath, status?.collisionCount, previous.status?.collisionCount),
  ]
}
