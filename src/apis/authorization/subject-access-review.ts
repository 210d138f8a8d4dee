/**
 * Access reviews: may somebody, or the caller, do this? Three resources that differ in who and where.
 * The answers are the server's; nothing is stored.
 */

import { type FieldError, FieldPath, forbidden, invalidValue, required } from '../../machinery/meta/field-error.ts'
import { validateLabelKey } from '../../machinery/meta/labels.ts'
import { isValidLabelValue } from '../../machinery/meta/names.ts'
import type { ObjectMeta } from '../../machinery/meta/object.ts'
import { builtinSchema } from '../builtin-schema.ts'
import { defineResource } from '../define-resource.ts'
import { withoutStatus } from '../strategy-parts.ts'
import type {
  LocalSubjectAccessReview,
  SelfSubjectAccessReview,
  SelfSubjectAccessReviewSpec,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from './types.gen.ts'

export const subjectAccessReviews = defineResource<SubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  resource: 'subjectaccessreviews',
  scope: 'Cluster',
  schema: builtinSchema('authorization.v1.SubjectAccessReview'),
  verbs: ['create'],
  prepareForCreate: withoutStatus,
  validate: ({ metadata, spec }) => [...subjectErrors(spec ?? {}), ...metadataErrors(metadata, 'must be empty')],
})

export const selfSubjectAccessReviews = defineResource<SelfSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectAccessReview',
  resource: 'selfsubjectaccessreviews',
  scope: 'Cluster',
  schema: builtinSchema('authorization.v1.SelfSubjectAccessReview'),
  verbs: ['create'],
  prepareForCreate: withoutStatus,
  validate: ({ metadata, spec }) => [...attributeErrors(spec ?? {}), ...metadataErrors(metadata, 'must be empty')],
})

export const localSubjectAccessReviews = defineResource<LocalSubjectAccessReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'LocalSubjectAccessReview',
  resource: 'localsubjectaccessreviews',
  scope: 'Namespaced',
  schema: builtinSchema('authorization.v1.LocalSubjectAccessReview'),
  verbs: ['create'],
  prepareForCreate: withoutStatus,
  validate: validateLocalReview,
})

const specPath = new FieldPath('spec')

function subjectErrors(spec: SubjectAccessReviewSpec): readonly FieldError[] {
  const errors = attributeErrors(spec)
  if (spec.user || (spec.groups ?? []).length > 0) return errors
  return [
    ...errors,
    invalidValue(specPath.child('user'), spec.user ?? '', 'at least one of user or group must be specified'),
  ]
}

/** Exactly one of the two forms of request. */
function attributeErrors(spec: SelfSubjectAccessReviewSpec): readonly FieldError[] {
  const { resourceAttributes, nonResourceAttributes } = spec
  const errors: FieldError[] = []
  if (resourceAttributes && nonResourceAttributes) {
    const detail = 'cannot be specified in combination with resourceAttributes'
    errors.push(invalidValue(specPath.child('nonResourceAttributes'), nonResourceAttributes, detail))
  }
  if (!resourceAttributes && !nonResourceAttributes) {
    const detail = 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
    errors.push(invalidValue(specPath.child('resourceAttributes'), null, detail))
  }
  const path = specPath.child('resourceAttributes')
  return [
    ...errors,
    ...selectorErrors(resourceAttributes?.fieldSelector, path.child('fieldSelector'), fieldErrors),
    ...selectorErrors(resourceAttributes?.labelSelector, path.child('labelSelector'), labelErrors),
  ]
}

interface Condition {
  readonly key?: string | undefined
  readonly operator?: string | undefined
  readonly values?: readonly string[] | undefined
}

interface SelectorAttributes {
  readonly rawSelector?: string | undefined
  readonly requirements?: readonly Condition[] | undefined
}

function selectorErrors(
  selector: SelectorAttributes | undefined,
  path: FieldPath,
  conditionErrors: (condition: Condition, path: FieldPath) => readonly FieldError[],
): readonly FieldError[] {
  if (!selector) return []
  const { rawSelector = '', requirements = [] } = selector
  const errors: FieldError[] = []
  if (rawSelector !== '' && requirements.length > 0) {
    const detail = 'may not specified at the same time as requirements'
    errors.push(invalidValue(path.child('rawSelector'), rawSelector, detail))
  }
  if (rawSelector === '' && requirements.length === 0) {
    const detail = `when ${path.text} is specified, requirements or rawSelector is required`
    errors.push(required(path.child('requirements'), detail))
  }
  const places = path.child('requirements')
  return [...errors, ...requirements.flatMap((one, index) => conditionErrors(one ?? {}, places.index(index)))]
}

function fieldErrors(condition: Condition, path: FieldPath): readonly FieldError[] {
  const key = condition.key ? [] : [required(path.child('key'), 'must be specified')]
  return [...key, ...valuesErrors(condition, path)]
}

function labelErrors(condition: Condition, path: FieldPath): readonly FieldError[] {
  const { key = '', values = [] } = condition
  return [
    ...valuesErrors(condition, path),
    ...validateLabelKey(key, path.child('key')),
    ...values.flatMap((value, index) =>
      isValidLabelValue(value).map((finding) => invalidValue(path.child('values').index(index), value, finding)),
    ),
  ]
}

/** Operators that are not known pass: newer clients may ask older servers. */
function valuesErrors({ operator, values = [] }: Condition, path: FieldPath): readonly FieldError[] {
  const place = path.child('values')
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
    return [required(place, "must be specified when `operator` is 'In' or 'NotIn'")]
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
    return [forbidden(place, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
  return []
}

function validateLocalReview({ metadata, spec }: LocalSubjectAccessReview): readonly FieldError[] {
  const { namespace, ...rest } = metadata
  const errors = [...subjectErrors(spec ?? {}), ...metadataErrors(rest, 'must be empty except for namespace')]
  const { resourceAttributes, nonResourceAttributes } = spec ?? {}
  if (resourceAttributes && resourceAttributes.namespace !== namespace) {
    const path = specPath.child('resourceAttributes', 'namespace')
    errors.push(invalidValue(path, resourceAttributes.namespace ?? '', 'must match metadata.namespace'))
  }
  if (nonResourceAttributes) {
    const path = specPath.child('nonResourceAttributes')
    errors.push(invalidValue(path, nonResourceAttributes, 'disallowed on this kind of request'))
  }
  return errors
}

/** What the server adds to every write does not count as set. */
const SERVER_FIELDS = ['managedFields']

function metadataErrors(metadata: ObjectMeta, detail: string): readonly FieldError[] {
  const set = Object.entries(metadata).filter(([field, value]) => {
    return !SERVER_FIELDS.includes(field) && value !== undefined && value !== null && value !== ''
  })
  return set.length === 0 ? [] : [invalidValue(new FieldPath('metadata'), Object.fromEntries(set), detail)]
}
