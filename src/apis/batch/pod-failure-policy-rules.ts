/** The rules of a pod failure policy: which failed pods count, are ignored, or fail their index or the whole job. */

import {
  duplicate,
  type FieldError,
  type FieldPath,
  invalidField,
  invalidValue,
  notSupported,
  required,
  tooMany,
} from '../../machinery/meta/field-error.ts'
import { templateSpec } from '../core/pod/pod-status.ts'
import { qualifiedNameErrors } from '../field-rules.ts'
import type {
  JobSpec,
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyOnPodConditionsPattern,
  PodFailurePolicyRule,
} from './types.gen.ts'

const ACTIONS = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const OPERATORS = ['In', 'NotIn']
const CONDITION_STATUSES = ['False', 'True', 'Unknown']
const RULES_MAX = 20
const EXIT_CODES_MAX = 255
const CONDITION_PATTERNS_MAX = 20

export function podFailurePolicyErrors(
  spec: JobSpec,
  policy: PodFailurePolicy,
  path: FieldPath,
): readonly FieldError[] {
  const rulesPath = path.child('rules')
  const rules = policy.rules ?? []
  const { containers, initContainers } = templateSpec(spec.template ?? {})
  const names = new Set([...(containers ?? []), ...(initContainers ?? [])].map(({ name }) => name))
  return [
    ...(rules.length > RULES_MAX ? [tooMany(rulesPath, rules.length, RULES_MAX)] : []),
    ...rules.flatMap((rule, index) => ruleErrors(spec, rule, rulesPath.index(index), names)),
  ]
}

function ruleErrors(
  spec: JobSpec,
  rule: PodFailurePolicyRule,
  path: FieldPath,
  containers: ReadonlySet<string>,
): readonly FieldError[] {
  const { onExitCodes, onPodConditions = [] } = rule
  const errors = [...actionErrors(spec, rule, path.child('action'))]
  if (onExitCodes) errors.push(...exitCodesErrors(onExitCodes, path.child('onExitCodes'), containers))
  errors.push(...conditionsErrors(onPodConditions, path.child('onPodConditions')))
  if (onExitCodes && onPodConditions.length > 0)
    errors.push(invalidField(path, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  if (!onExitCodes && onPodConditions.length === 0)
    errors.push(invalidField(path, 'specifying one of OnExitCodes and OnPodConditions is required'))
  return errors
}

function actionErrors(spec: JobSpec, { action }: PodFailurePolicyRule, path: FieldPath): readonly FieldError[] {
  if (!action) return [required(path, validValues(ACTIONS))]
  if (!ACTIONS.includes(action)) return [notSupported(path, action, ACTIONS)]
  if (action !== 'FailIndex' || spec.backoffLimitPerIndex !== undefined) return []
  return [invalidValue(path, action, 'requires the backoffLimitPerIndex to be set')]
}

function exitCodesErrors(
  requirement: PodFailurePolicyOnExitCodesRequirement,
  path: FieldPath,
  containers: ReadonlySet<string>,
): readonly FieldError[] {
  const { operator, containerName, values } = requirement
  const errors: FieldError[] = []
  const operatorPath = path.child('operator')
  if (!operator) errors.push(required(operatorPath, validValues(OPERATORS)))
  else if (!OPERATORS.includes(operator)) errors.push(notSupported(operatorPath, operator, OPERATORS))
  if (containerName !== undefined && !containers.has(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template'
    errors.push(invalidValue(path.child('containerName'), containerName, detail))
  }
  return [...errors, ...exitCodeValuesErrors(values, operator, path.child('values'))]
}

function exitCodeValuesErrors(
  listed: readonly number[] | null | undefined,
  operator: string,
  path: FieldPath,
): readonly FieldError[] {
  const values = listed ?? []
  const errors: FieldError[] = []
  if (values.length === 0) errors.push(invalidValue(path, listed, 'at least one value is required'))
  if (values.length > EXIT_CODES_MAX) errors.push(tooMany(path, values.length, EXIT_CODES_MAX))
  const seen = new Set<number>()
  for (const [index, value] of values.entries()) {
    if (operator === 'In' && value === 0)
      errors.push(invalidValue(path.index(index), value, 'must not be 0 for the In operator'))
    if (seen.has(value)) errors.push(duplicate(path.index(index), value))
    seen.add(value)
  }
  const isOrdered = values.every((value, index) => index === 0 || (values[index - 1] ?? 0) <= value)
  return isOrdered ? errors : [...errors, invalidValue(path, values, 'must be ordered')]
}

function conditionsErrors(
  patterns: readonly PodFailurePolicyOnPodConditionsPattern[],
  path: FieldPath,
): readonly FieldError[] {
  const many = patterns.length > CONDITION_PATTERNS_MAX ? [tooMany(path, patterns.length, CONDITION_PATTERNS_MAX)] : []
  const errors = patterns.flatMap(({ type, status }, index) => [
    ...qualifiedNameErrors(path.index(index).child('type'), type ?? ''),
    ...conditionStatusErrors(status, path.index(index).child('status')),
  ])
  return [...many, ...errors]
}

function conditionStatusErrors(status: string | undefined, path: FieldPath): readonly FieldError[] {
  if (!status) return [required(path, validValues(CONDITION_STATUSES))]
  return CONDITION_STATUSES.includes(status) ? [] : [notSupported(path, status, CONDITION_STATUSES)]
}

/** `valid values: ["a" "b"]` */
function validValues(values: readonly string[]): string {
  return `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`
}
