/** What a request asks for, as a SubjectAccessReview says it. */

import type {
  FieldSelectorAttributes,
  LabelSelectorAttributes,
  ResourceAttributes,
  SubjectAccessReviewSpec,
} from '../../../apis/authorization/types.gen.ts'
import type { FieldRequirement } from '../../../machinery/meta/fields.ts'
import type { Requirement } from '../../../machinery/meta/labels.ts'
import type { Attributes, Limits } from '../authorizer.ts'

/** Empty values are left out, as on the wire. */
export function reviewSpecOf(attributes: Attributes): SubjectAccessReviewSpec {
  const { user, verb, path, resource } = attributes
  return {
    ...(resource === ''
      ? { nonResourceAttributes: { path, verb } }
      : { resourceAttributes: resourceAttributesOf(attributes) }),
    user: given(user.name),
    groups: user.groups.length > 0 ? user.groups : undefined,
    extra: Object.keys(user.extra ?? {}).length > 0 ? user.extra : undefined,
    uid: given(user.uid),
  }
}

function resourceAttributesOf(attributes: Attributes): ResourceAttributes {
  const { verb, group, version, resource, subresource, namespace, name, fields, labels } = attributes
  return {
    namespace: given(namespace),
    verb: given(verb),
    group: given(group),
    version: version || '*',
    resource,
    subresource: given(subresource),
    name: given(name),
    fieldSelector: fieldSelectorOf(fields),
    labelSelector: labelSelectorOf(labels),
  }
}

const given = (text: string | undefined): string | undefined => (text === '' ? undefined : text)

/** What could not be read of a selector is left out: it could only have narrowed what is asked for. */
function fieldSelectorOf(fields: Limits<FieldRequirement> | undefined): FieldSelectorAttributes | undefined {
  const requirements = (fields?.requirements ?? []).map(({ field, operator, value }) => ({
    key: field,
    operator: operator === '=' ? 'In' : 'NotIn',
    values: [value],
  }))
  return requirements.length > 0 ? { requirements } : undefined
}

const OPERATORS: Readonly<Partial<Record<Requirement['operator'], string>>> = {
  '=': 'In',
  '==': 'In',
  in: 'In',
  '!=': 'NotIn',
  notin: 'NotIn',
  exists: 'Exists',
  '!': 'DoesNotExist',
}

function labelSelectorOf(labels: Limits<Requirement> | undefined): LabelSelectorAttributes | undefined {
  const requirements = (labels?.requirements ?? []).flatMap(({ key, operator: sign, values }) => {
    const operator = OPERATORS[sign]
    return operator === undefined ? [] : [{ key, operator, ...(values.length > 0 && { values }) }]
  })
  return requirements.length > 0 ? { requirements } : undefined
}
