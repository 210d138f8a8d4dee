import { expect, test } from 'vitest'
import { findings } from '../../../test/support/findings.ts'
import type { ResourceDefinition } from '../definition.ts'
import { localSubjectAccessReviews, selfSubjectAccessReviews, subjectAccessReviews } from './subject-access-review.ts'

const resourceAttributes = { verb: 'get', resource: 'pods', namespace: 'default' }

const rules: readonly (readonly [string, ResourceDefinition, object, readonly string[]])[] = [
  ['the caller asks about one resource', selfSubjectAccessReviews, { spec: { resourceAttributes } }, []],
  [
    'a review asks something',
    selfSubjectAccessReviews,
    { spec: {} },
    [
      'FieldValueInvalid spec.resourceAttributes: Invalid value: null: ' +
        'exactly one of nonResourceAttributes or resourceAttributes must be specified',
    ],
  ],
  [
    'a review asks about somebody',
    subjectAccessReviews,
    { spec: { resourceAttributes } },
    ['FieldValueInvalid spec.user: Invalid value: "": at least one of user or group must be specified'],
  ],
  [
    'a review has no name',
    subjectAccessReviews,
    { metadata: { name: 'a' }, spec: { user: 'jane', resourceAttributes } },
    ['FieldValueInvalid metadata: Invalid value: {"name":"a"}: must be empty'],
  ],
  [
    'a local review asks about its own namespace',
    localSubjectAccessReviews,
    { metadata: { namespace: 'other' }, spec: { user: 'jane', resourceAttributes } },
    ['FieldValueInvalid spec.resourceAttributes.namespace: Invalid value: "default": must match metadata.namespace'],
  ],
]

for (const [behaviour, definition, object, expected] of rules)
  test(behaviour, () => expect(findings(definition, { metadata: {}, ...object })).toEqual(expected))
