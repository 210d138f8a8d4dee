/** The rules of a job's spec, alone or in the template of a CronJob, in upstream's order and words. */

import {
  type FieldError,
  type FieldPath,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from '../../machinery/meta/field-error.ts'
import { byteLength } from '../../machinery/meta/names.ts'
import { templateSpec } from '../core/pod/pod-status.ts'
import { validatePodTemplateSpec } from '../core/pod/validate-spec.ts'
import { domainPrefixedPathErrors, nonNegative } from '../field-rules.ts'
import { podFailurePolicyErrors } from './pod-failure-policy-rules.ts'
import { successPolicyErrors } from './success-policy-rules.ts'
import type { JobSpec } from './types.gen.ts'

const COMPLETION_MODES = ['NonIndexed', 'Indexed']
const REPLACEMENT_POLICIES = ['Failed', 'TerminatingOrFailed']
const MANAGED_BY_BYTES_MAX = 63
/** Bounds the text of the completed and failed indexes in the status. */
const INDEXED_PARALLELISM_MAX = 100_000
const FAILED_INDEXES_MAX = 100_000
/** Completions above this have tighter bounds on what can be open or failed at once. */
const COMPLETIONS_SOFT_MAX = 100_000
const HIGH_COMPLETIONS_PARALLELISM_MAX = 10_000
const HIGH_COMPLETIONS_FAILED_INDEXES_MAX = 10_000

const COUNTS = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const

export function isIndexed({ completionMode }: JobSpec): boolean {
  return completionMode === 'Indexed'
}

/** Everything but the selector, which a template of a job does not have. */
export function jobSpecErrors(spec: JobSpec, path: FieldPath): readonly FieldError[] {
  const replacementPath = path.child('podReplacementPolicy')
  return [
    ...COUNTS.flatMap((field) => nonNegative(path.child(field), spec[field])),
    ...limitPerIndexErrors(spec, path),
    ...managedByErrors(spec, path.child('managedBy')),
    ...(isIndexed(spec) ? indexedErrors(spec, path) : nonIndexedErrors(spec, path)),
    ...(spec.podFailurePolicy
      ? podFailurePolicyErrors(spec, spec.podFailurePolicy, path.child('podFailurePolicy'))
      : []),
    ...(spec.successPolicy ? successErrors(spec, path.child('successPolicy')) : []),
    ...replacementErrors(spec, replacementPath),
    ...validatePodTemplateSpec(spec.template ?? {}, path.child('template')),
    ...restartPolicyErrors(spec, path.child('template', 'spec', 'restartPolicy')),
  ]
}

function limitPerIndexErrors(spec: JobSpec, path: FieldPath): readonly FieldError[] {
  if (spec.maxFailedIndexes === undefined || spec.backoffLimitPerIndex !== undefined) return []
  return [required(path.child('backoffLimitPerIndex'), 'when maxFailedIndexes is specified')]
}

function managedByErrors({ managedBy }: JobSpec, path: FieldPath): readonly FieldError[] {
  if (managedBy === undefined) return []
  const errors = domainPrefixedPathErrors(path, managedBy)
  return byteLength(managedBy) > MANAGED_BY_BYTES_MAX ? [...errors, tooLong(path, MANAGED_BY_BYTES_MAX)] : errors
}

function nonIndexedErrors(spec: JobSpec, path: FieldPath): readonly FieldError[] {
  const { completionMode, backoffLimitPerIndex, maxFailedIndexes } = spec
  if (completionMode !== undefined && completionMode !== 'NonIndexed')
    return [notSupported(path.child('completionMode'), completionMode, COMPLETION_MODES)]
  const detail = 'requires indexed completion mode'
  const errors: FieldError[] = []
  if (backoffLimitPerIndex !== undefined)
    errors.push(invalidValue(path.child('backoffLimitPerIndex'), backoffLimitPerIndex, detail))
  if (maxFailedIndexes !== undefined)
    errors.push(invalidValue(path.child('maxFailedIndexes'), maxFailedIndexes, detail))
  return errors
}

function indexedErrors(spec: JobSpec, path: FieldPath): readonly FieldError[] {
  const { completions, parallelism = 0, maxFailedIndexes } = spec
  const errors: FieldError[] = []
  if (completions === undefined) errors.push(required(path.child('completions'), 'when completion mode is Indexed'))
  if (parallelism > INDEXED_PARALLELISM_MAX) {
    const detail = `must be less than or equal to ${INDEXED_PARALLELISM_MAX} when completion mode is Indexed`
    errors.push(invalidValue(path.child('parallelism'), parallelism, detail))
  }
  const failedPath = path.child('maxFailedIndexes')
  if (maxFailedIndexes !== undefined && completions !== undefined && maxFailedIndexes > completions)
    errors.push(invalidValue(failedPath, maxFailedIndexes, 'must be less than or equal to completions'))
  if (maxFailedIndexes !== undefined && maxFailedIndexes > FAILED_INDEXES_MAX) {
    const detail = `must be less than or equal to ${FAILED_INDEXES_MAX}`
    errors.push(invalidValue(failedPath, maxFailedIndexes, detail))
  }
  const isHigh = completions !== undefined && completions > COMPLETIONS_SOFT_MAX
  return isHigh && spec.backoffLimitPerIndex !== undefined ? [...errors, ...highCompletionsErrors(spec, path)] : errors
}

function highCompletionsErrors(spec: JobSpec, path: FieldPath): readonly FieldError[] {
  const { parallelism = 0, maxFailedIndexes } = spec
  const failedPath = path.child('maxFailedIndexes')
  const bound = (limit: number): string =>
    `must be less than or equal to ${limit} when completions are above ${COMPLETIONS_SOFT_MAX} ` +
    'and used with backoff limit per index'
  const errors: FieldError[] = []
  if (maxFailedIndexes === undefined)
    errors.push(required(failedPath, `must be specified when completions is above ${COMPLETIONS_SOFT_MAX}`))
  if (parallelism > HIGH_COMPLETIONS_PARALLELISM_MAX)
    errors.push(invalidValue(path.child('parallelism'), parallelism, bound(HIGH_COMPLETIONS_PARALLELISM_MAX)))
  if (maxFailedIndexes !== undefined && maxFailedIndexes > HIGH_COMPLETIONS_FAILED_INDEXES_MAX)
    errors.push(invalidValue(failedPath, maxFailedIndexes, bound(HIGH_COMPLETIONS_FAILED_INDEXES_MAX)))
  return errors
}

function successErrors(spec: JobSpec, path: FieldPath): readonly FieldError[] {
  if (isIndexed(spec)) return successPolicyErrors(spec, path)
  return [invalidValue(path, spec.successPolicy, 'requires indexed completion mode')]
}

function replacementErrors(
  { podReplacementPolicy, podFailurePolicy }: JobSpec,
  path: FieldPath,
): readonly FieldError[] {
  if (podReplacementPolicy === undefined) return []
  const choices = podFailurePolicy ? ['Failed'] : REPLACEMENT_POLICIES
  return choices.includes(podReplacementPolicy) ? [] : [notSupported(path, podReplacementPolicy, choices)]
}

function restartPolicyErrors({ template, podFailurePolicy }: JobSpec, path: FieldPath): readonly FieldError[] {
  const policy = template ? (templateSpec(template).restartPolicy ?? '') : ''
  if (policy === '' || policy === 'Always') return [required(path, 'valid values: "OnFailure", "Never"')]
  if (policy !== 'OnFailure' && policy !== 'Never') return [notSupported(path, policy, ['OnFailure', 'Never'])]
  if (!podFailurePolicy || policy === 'Never') return []
  return [invalidValue(path, policy, 'only "Never" is supported when podFailurePolicy is specified')]
}
