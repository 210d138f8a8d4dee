/** SelfSubjectReviews: who the API takes the caller for. The answer is the server's; nothing is stored. */

import { builtinSchema } from '../builtin-schema.ts'
import { defineResource } from '../define-resource.ts'
import type { SelfSubjectReview } from './types.gen.ts'

export const selfSubjectReviews = defineResource<SelfSubjectReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'SelfSubjectReview',
  resource: 'selfsubjectreviews',
  scope: 'Cluster',
  schema: builtinSchema('authentication.v1.SelfSubjectReview'),
  verbs: ['create'],
})
