/** SelfSubjectRulesReviews: all that the caller may do in a namespace. The server answers; nothing is stored. */

import { builtinSchema } from '../builtin-schema.ts'
import { defineResource } from '../define-resource.ts'
import { withoutStatus } from '../strategy-parts.ts'
import type { SelfSubjectRulesReview } from './types.gen.ts'

export const selfSubjectRulesReviews = defineResource<SelfSubjectRulesReview>({
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectRulesReview',
  resource: 'selfsubjectrulesreviews',
  scope: 'Cluster',
  schema: builtinSchema('authorization.v1.SelfSubjectRulesReview'),
  verbs: ['create'],
  prepareForCreate: withoutStatus,
})
