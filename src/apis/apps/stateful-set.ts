/** StatefulSets: numbered pods with names and volumes of their own. Most of the spec is fixed once it is written. */

import { deepEqual } from '../../base/deep-equal.ts'
import {
  type FieldError,
  FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../machinery/meta/field-error.ts'
import { validateLabels } from '../../machinery/meta/labels.ts'
import { nameIsDns1123Label } from '../../machinery/meta/names.ts'
import { validateAnnotations } from '../../machinery/meta/validate-meta.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { ageColumn, containerColumns, nameColumn, textColumn } from '../columns.ts'
import { defaultClaim, validateClaimSpec } from '../core/persistent-volume-claim.ts'
import { defaultPodTemplateSpec } from '../core/pod/defaults.ts'
import { templateSpec } from '../core/pod/pod-status.ts'
import { validatePodTemplateSpec } from '../core/pod/validate-spec.ts'
import type { PersistentVolumeClaim } from '../core/types.gen.ts'
import { defineResource } from '../define-resource.ts'
import { mapField, mapItems, withAbsent, withZero } from '../field-defaults.ts'
import { dnsLabelErrors, nonNegative } from '../field-rules.ts'
import { changedSpec, keepSpec, newSpec } from '../strategy-parts.ts'
import type { StatefulSet, StatefulSetSpec, StatefulSetUpdateStrategy } from './types.gen.ts'
import {
  collisionCountErrors,
  countErrors,
  NOT_ABOVE_REPLICAS,
  notGreaterErrors,
  replicaScale,
  requiredSelectorErrors,
  runsForeverErrors,
  selectorIsUnreadable,
  selectorMatchErrors,
  withEnabledTemplate,
} from './workload-rules.ts'
import { templateWarnings } from './workload-warnings.ts'

export const statefulSets = defineResource<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  resource: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  scope: 'Namespaced',
  schema: builtinSchema('apps.v1.StatefulSet'),
  nameRule: nameIsDns1123Label,
  default: (object) => ({ ...object, spec: defaultSpec(object.spec ?? {}) }),
  prepareForCreate: (object) => newSpec(prepared(object)),
  prepareForUpdate: (object, previous) => changedSpec(prepared(object), previous),
  validate: (object) => validateSpec(object, 'create'),
  ratchets: true,
  validateUpdate,
  warnings: (object, previous) => [...templateWarnings(object, previous), ...historyWarnings(object)],
  status: { prepareForUpdate: keepSpec, validateUpdate: validateStatus },
  scale: replicaScale(),
  resetFields: { '': [['status']], status: [['spec']] },
  columns: [
    nameColumn,
    textColumn('Ready', ({ spec, status }: StatefulSet) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`),
    ageColumn,
    ...containerColumns(({ spec }: StatefulSet) => spec.template),
  ],
})

function historyWarnings({ spec }: StatefulSet): readonly string[] {
  if ((spec?.revisionHistoryLimit ?? 0) >= 0) return []
  const advice = 'a negative value retains all historical revisions; a value >= 0 is recommended'
  return [`spec.revisionHistoryLimit: ${advice}`]
}

function defaultSpec(spec: StatefulSetSpec): StatefulSetSpec {
  const typed = withZero(spec, { podManagementPolicy: 'OrderedReady' })
  const filled = withAbsent(typed, { replicas: 1, revisionHistoryLimit: 10 })
  const templated = mapField(filled, 'template', defaultPodTemplateSpec)
  return {
    ...mapField(templated, 'volumeClaimTemplates', (claims) => mapItems(claims, claimTemplate)),
    updateStrategy: defaultStrategy(spec.updateStrategy ?? {}),
    persistentVolumeClaimRetentionPolicy: withZero(spec.persistentVolumeClaimRetentionPolicy ?? {}, {
      whenDeleted: 'Retain',
      whenScaled: 'Retain',
    }),
  }
}

/** Claim templates are whole objects, kind and all. */
function claimTemplate(claim: PersistentVolumeClaim): PersistentVolumeClaim {
  return { ...defaultClaim(claim), apiVersion: 'v1', kind: 'PersistentVolumeClaim' }
}

function prepared(object: StatefulSet): StatefulSet {
  const { spec, ...rest } = withEnabledTemplate(object)
  return { ...rest, spec: mapField(spec, 'updateStrategy', withoutMaxUnavailable) }
}

/** It belongs to a feature that is off. */
function withoutMaxUnavailable(strategy: StatefulSetUpdateStrategy): StatefulSetUpdateStrategy {
  return mapField(strategy, 'rollingUpdate', ({ maxUnavailable: _, ...kept }) => kept)
}

/** A rolling update is spelled out only where the type was, too, left to us or the client began to. */
function defaultStrategy({ type, rollingUpdate }: StatefulSetUpdateStrategy): StatefulSetUpdateStrategy {
  if (!type) return { type: 'RollingUpdate', rollingUpdate: withAbsent(rollingUpdate ?? {}, { partition: 0 }) }
  if (type !== 'RollingUpdate' || rollingUpdate === undefined)
    return { type, ...(rollingUpdate === undefined ? {} : { rollingUpdate }) }
  return { type, rollingUpdate: withAbsent(rollingUpdate, { partition: 0 }) }
}

const specPath = new FieldPath('spec')
const statusPath = new FieldPath('status')

/** What is fixed once it is written, is not judged again. */
function validateSpec({ spec }: StatefulSet, verb: 'create' | 'update'): readonly FieldError[] {
  const { serviceName, volumeClaimTemplates = [] } = spec
  const claimsPath = specPath.child('volumeClaimTemplates')
  const isNew = verb === 'create'
  return [
    ...managementPolicyErrors(spec),
    ...strategyErrors(spec.updateStrategy ?? {}, specPath.child('updateStrategy')),
    ...retentionErrors(spec),
    ...(isNew
      ? volumeClaimTemplates.flatMap((claim, index) =>
          validateClaimSpec(claim.spec ?? {}, claimsPath.index(index).child('spec')),
        )
      : []),
    ...nonNegative(specPath.child('replicas'), spec.replicas),
    ...nonNegative(specPath.child('minReadySeconds'), spec.minReadySeconds),
    ...nonNegative(specPath.child('ordinals', 'start'), spec.ordinals?.start),
    ...(isNew && serviceName ? dnsLabelErrors(specPath.child('serviceName'), serviceName) : []),
    ...requiredSelectorErrors(spec.selector, specPath.child('selector'), EMPTY_SELECTOR, ''),
    ...ownTemplateErrors(spec, specPath.child('template')),
    ...runsForeverErrors(spec.template ?? {}, specPath.child('template'), 'StatefulSet'),
  ]
}

const EMPTY_SELECTOR = 'empty selector is invalid for statefulset'

/** The template as pods are made of it: with the claims of its own, and named by the controller. */
function ownTemplateErrors({ selector, template = {}, volumeClaimTemplates = [] }: StatefulSetSpec, path: FieldPath) {
  if (selectorIsUnreadable(selector, path)) return []
  const { hostname: _, subdomain: _subdomain, ...spec } = templateSpec(template)
  const claims = [...new Set(volumeClaimTemplates.map(({ metadata: { name = '' } }) => name))]
  const volumes = [
    ...claims.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })),
    ...(spec.volumes ?? []).filter(({ name }) => !claims.includes(name)),
  ]
  return [
    ...selectorMatchErrors(template, selector, path),
    ...validatePodTemplateSpec({ ...template, spec: { ...spec, volumes } }, path),
    ...validateLabels(template.metadata?.labels, path.child('labels')),
    ...validateAnnotations(template.metadata?.annotations ?? {}, path.child('annotations')),
  ]
}

function managementPolicyErrors({ podManagementPolicy: policy }: StatefulSetSpec): readonly FieldError[] {
  const path = specPath.child('podManagementPolicy')
  if (!policy) return [required(path)]
  if (policy === 'OrderedReady' || policy === 'Parallel') return []
  return [invalidValue(path, policy, "must be 'OrderedReady' or 'Parallel'")]
}

function strategyErrors(strategy: StatefulSetUpdateStrategy, path: FieldPath): readonly FieldError[] {
  const { type, rollingUpdate } = strategy
  const rollingPath = path.child('rollingUpdate')
  switch (type) {
    case undefined:
      return [required(path)]
    case 'OnDelete':
      if (rollingUpdate === undefined) return []
      return [invalidValue(rollingPath, rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'")]
    case 'RollingUpdate':
      return nonNegative(rollingPath.child('partition'), rollingUpdate?.partition)
    default:
      return [invalidValue(path, strategy, "must be 'RollingUpdate' or 'OnDelete'")]
  }
}

const RETENTION_POLICIES = ['Retain', 'Delete']

function retentionErrors({ persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec): readonly FieldError[] {
  const path = specPath.child('persistentVolumeClaimRetentionPolicy')
  return (['whenDeleted', 'whenScaled'] as const).flatMap((field) => {
    const value = policy?.[field] ?? ''
    return RETENTION_POLICIES.includes(value) ? [] : [notSupported(path.child(field), value, RETENTION_POLICIES)]
  })
}

const MUTABLE_FIELDS = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const

function validateUpdate({ spec }: StatefulSet, previous: StatefulSet): readonly FieldError[] {
  const fixed = Object.keys({ ...spec, ...previous.spec }).filter(
    (field) => !MUTABLE_FIELDS.some((name) => name === field),
  )
  const changed = fixed.some((field) => !deepEqual(Reflect.get(spec, field), Reflect.get(previous.spec, field)))
  const errors = validateSpec({ metadata: {}, spec }, 'update')
  if (!changed) return errors
  const names = MUTABLE_FIELDS.map((field) => `'${field}'`)
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
  return [...errors, forbidden(specPath, `updates to statefulset spec for fields other than ${list} are forbidden`)]
}

function validateStatus({ status }: StatefulSet, previous: StatefulSet): readonly FieldError[] {
  return [
    ...countErrors(status, statusPath, [
      'replicas',
      'readyReplicas',
      'currentReplicas',
      'updatedReplicas',
      'availableReplicas',
      'observedGeneration',
      'collisionCount',
    ]),
    ...notGreaterErrors(status, statusPath, [
      ['readyReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['currentReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['updatedReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['availableReplicas', 'replicas', NOT_ABOVE_REPLICAS],
      ['availableReplicas', 'readyReplicas', 'cannot be greater than status.readyReplicas'],
    ]),
    ...collisionCountErrors(statusPath, status?.collisionCount, previous.status?.collisionCount),
  ]
}
