/** Where a pod wants to run: node selectors, (anti)affinity to other pods, tolerations, spreading. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  notSupported,
  required,
} from '../../../machinery/meta/field-error.ts'
import { validateLabelKey, validateLabelSelector } from '../../../machinery/meta/labels.ts'
import { isDns1123Label, isDns1123Subdomain, isValidLabelValue } from '../../../machinery/meta/names.ts'
import { findingErrors } from '../../field-rules.ts'
import type { LabelSelector } from '../../meta/types.gen.ts'
import type {
  Affinity,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  Toleration,
  TopologySpreadConstraint,
} from '../types.gen.ts'
import { validateChoice } from './findings.ts'

const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const UNSATISFIABLE = ['DoNotSchedule', 'ScheduleAnyway']
const INCLUSION = ['Honor', 'Ignore']

export function validateAffinity(affinity: Affinity | undefined, path: FieldPath): FieldError[] {
  if (!affinity) return []
  const errors: FieldError[] = []
  const { nodeAffinity } = affinity
  const at = path.child('nodeAffinity')
  if (nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution) {
    const selector = nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution
    const place = at.child('requiredDuringSchedulingIgnoredDuringExecution')
    errors.push(...validateNodeSelector(selector.nodeSelectorTerms, place))
  }
  for (const [index, { weight, preference }] of (
    nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  ).entries()) {
    const place = at.child('preferredDuringSchedulingIgnoredDuringExecution').index(index)
    errors.push(...validateWeight(weight, place), ...validateNodeTerm(preference ?? {}, place.child('preference')))
  }
  for (const side of ['podAffinity', 'podAntiAffinity'] as const) {
    errors.push(...validatePodTerms(affinity[side], path.child(side)))
  }
  return errors
}

export function validateNodeSelector(terms: readonly NodeSelectorTerm[] | undefined, path: FieldPath): FieldError[] {
  const at = path.child('nodeSelectorTerms')
  if ((terms ?? []).length === 0) return [required(at, 'must have at least one node selector term')]
  return (terms ?? []).flatMap((term, index) => validateNodeTerm(term, at.index(index)))
}

function validateNodeTerm(term: NodeSelectorTerm, path: FieldPath): FieldError[] {
  const expressions = (term.matchExpressions ?? []).flatMap((requirement, index) =>
    validateNodeRequirement(requirement, path.child('matchExpressions').index(index)),
  )
  const fields = (term.matchFields ?? []).flatMap((requirement, index) =>
    validateNodeField(requirement, path.child('matchFields').index(index)),
  )
  return [...expressions, ...fields]
}

function validateNodeRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  path: FieldPath,
): FieldError[] {
  const errors: FieldError[] = []
  const at = path.child('values')
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) errors.push(required(at, "must be specified when `operator` is 'In' or 'NotIn'"))
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) {
        errors.push(forbidden(at, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
      }
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) {
        errors.push(required(at, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
      }
      break
    default:
      errors.push(invalidValue(path.child('operator'), operator ?? '', 'not a valid selector operator'))
  }
  return [...errors, ...validateLabelKey(key ?? '', path.child('key'))]
}

function validateNodeField({ key, operator, values = [] }: NodeSelectorRequirement, path: FieldPath): FieldError[] {
  const errors: FieldError[] = []
  if (operator !== 'In' && operator !== 'NotIn') {
    errors.push(invalidValue(path.child('operator'), operator ?? '', 'not a valid selector operator'))
  } else if (values.length !== 1) {
    const detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
    errors.push(required(path.child('values'), detail))
  }
  if (key !== 'metadata.name') {
    return [...errors, invalidValue(path.child('key'), key, 'not a valid field selector key')]
  }
  const names = values.flatMap((value, index) =>
    findingErrors(path.child('values').index(index), value, isDns1123Subdomain(value)),
  )
  return [...errors, ...names]
}

function validateWeight(weight: number, path: FieldPath): FieldError[] {
  return weight >= 1 && weight <= 100 ? [] : [invalidValue(path.child('weight'), weight, 'must be in the range 1-100')]
}

function validatePodTerms(affinity: Affinity['podAffinity'], path: FieldPath): FieldError[] {
  const hard = path.child('requiredDuringSchedulingIgnoredDuringExecution')
  const soft = path.child('preferredDuringSchedulingIgnoredDuringExecution')
  return [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, index) =>
      validatePodTerm(term, hard.index(index)),
    ),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(
      ({ weight, podAffinityTerm }, index) => [
        ...validateWeight(weight, soft.index(index)),
        ...validatePodTerm(podAffinityTerm, soft.index(index).child('podAffinityTerm')),
      ],
    ),
  ]
}

function validatePodTerm(term: PodAffinityTerm, path: FieldPath): FieldError[] {
  const { labelSelector, namespaceSelector, namespaces, topologyKey } = term
  const errors = validateLabelSelector(labelSelector, path.child('labelSelector'))
  errors.push(...validateLabelSelector(namespaceSelector, path.child('namespaceSelector')))
  for (const name of namespaces ?? [])
    errors.push(...findingErrors(path.child('namespace'), name, isDns1123Label(name)))
  const { matchLabelKeys, mismatchLabelKeys } = term
  errors.push(...validateSelectorKeys(matchLabelKeys, labelSelector, 'matchLabelKeys', 'In', path))
  errors.push(...validateSelectorKeys(mismatchLabelKeys, labelSelector, 'mismatchLabelKeys', 'NotIn', path))
  for (const [index, key] of (matchLabelKeys ?? []).entries()) {
    if (!mismatchLabelKeys?.includes(key)) continue
    const detail = 'exists in both matchLabelKeys and mismatchLabelKeys'
    errors.push(invalidValue(path.child('matchLabelKeys').index(index), key, detail))
  }
  return [...errors, ...validateTopologyKey(topologyKey, path)]
}

/** The keys become expressions of the selector when the pod is made: other expressions on them are refused. */
function validateSelectorKeys(
  keys: readonly string[] | undefined,
  selector: LabelSelector | undefined,
  field: string,
  operator: 'In' | 'NotIn',
  path: FieldPath,
): FieldError[] {
  const at = path.child(field)
  if ((keys ?? []).length === 0) return []
  if (!selector) return [forbidden(at, 'must not be specified when labelSelector is not set')]
  return (keys ?? []).flatMap((key, index) => {
    const errors = validateLabelKey(key, at.index(index))
    const expressions = (selector.matchExpressions ?? []).filter((expression) => expression.key === key)
    const merged = expressions.filter((entry) => entry.operator === operator && entry.values?.length === 1).length
    const clash = expressions.length > Math.min(merged, 1) || Object.hasOwn(selector.matchLabels ?? {}, key)
    return clash ? [...errors, invalidValue(at.index(index), key, `exists in both ${field} and labelSelector`)] : errors
  })
}

function validateTopologyKey(key: string | undefined, path: FieldPath): FieldError[] {
  const at = path.child('topologyKey')
  return [...(key ? [] : [required(at, 'can not be empty')]), ...validateLabelKey(key ?? '', at)]
}

export function validateTolerations(tolerations: readonly Toleration[] | undefined, path: FieldPath): FieldError[] {
  return (tolerations ?? []).flatMap((toleration, index) => validateToleration(toleration, path.index(index)))
}

const TOLERATION_OPERATORS: readonly string[] = ['Equal', 'Exists']
/** Belong to a feature that is off; whoever tries them is told of them all the same. */
const COMPARISONS: readonly string[] = ['Lt', 'Gt']

function validateToleration(toleration: Toleration, path: FieldPath): FieldError[] {
  const { key, value = '', effect, tolerationSeconds } = toleration
  const operator: string = toleration.operator ?? ''
  const errors = key ? validateLabelKey(key, path.child('key')) : []
  const at = path.child('operator')
  if (!key && operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
    errors.push(invalidValue(at, operator, detail))
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    const detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
    errors.push(invalidValue(path.child('effect'), effect ?? '', detail))
  }
  if (operator === 'Equal' || operator === '') {
    const findings = isValidLabelValue(value)
    if (findings.length > 0) errors.push(invalidValue(at, value, findings.join(';')))
  } else if (operator === 'Exists') {
    if (value !== '') errors.push(invalidValue(at, value, "value must be empty when `operator` is 'Exists'"))
  } else {
    const named = COMPARISONS.includes(operator) ? COMPARISONS : []
    errors.push(notSupported(at, operator, [...TOLERATION_OPERATORS, ...named]))
  }
  return effect ? [...errors, ...validateChoice(effect, EFFECTS, path.child('effect'))] : errors
}

export function validateSpreading(
  constraints: readonly TopologySpreadConstraint[] | undefined,
  path: FieldPath,
): FieldError[] {
  const identities = (constraints ?? []).map((one) => `{${one.topologyKey}, ${one.whenUnsatisfiable}}`)
  return (constraints ?? []).flatMap((constraint, index) => {
    const at = path.index(index)
    const errors = validateSpreadConstraint(constraint, at)
    const identity = identities[index] ?? ''
    // The last of several is right, as upstream sees it.
    if (identities.includes(identity, index + 1)) {
      const place = at.child('{topologyKey, whenUnsatisfiable}')
      errors.push({ type: 'FieldValueDuplicate', path: place.text, message: `Duplicate value: "${identity}"` })
    }
    return errors
  })
}

function validateSpreadConstraint(constraint: TopologySpreadConstraint, path: FieldPath): FieldError[] {
  const { maxSkew, minDomains, whenUnsatisfiable, labelSelector } = constraint
  const errors: FieldError[] = []
  if (!(maxSkew > 0)) errors.push(invalidValue(path.child('maxSkew'), maxSkew ?? 0, 'must be greater than zero'))
  if (!constraint.topologyKey) errors.push(required(path.child('topologyKey'), 'can not be empty'))
  errors.push(...validateChoice(whenUnsatisfiable ?? '', UNSATISFIABLE, path.child('whenUnsatisfiable')))
  if (minDomains !== undefined) {
    const at = path.child('minDomains')
    if (minDomains <= 0) errors.push(invalidValue(at, minDomains, 'must be greater than zero'))
    if (whenUnsatisfiable !== 'DoNotSchedule') {
      const detail = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable ?? ''}`
      errors.push(invalidValue(at, minDomains, detail))
    }
  }
  errors.push(...validateChoice(constraint.nodeAffinityPolicy, INCLUSION, path.child('nodeAffinityPolicy')))
  errors.push(...validateChoice(constraint.nodeTaintsPolicy, INCLUSION, path.child('nodeTaintsPolicy')))
  errors.push(...validateSelectorKeys(constraint.matchLabelKeys, labelSelector, 'matchLabelKeys', 'In', path))
  return [...errors, ...validateLabelSelector(labelSelector, path.child('labelSelector'))]
}
