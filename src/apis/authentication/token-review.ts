/** TokenReviews: whose bearer token this is. The answer is the server's; nothing is stored. */

import { builtinSchema } from '../builtin-schema.ts'
import { defineResource } from '../define-resource.ts'
import { withoutStatus } from '../strategy-parts.ts'
import type { TokenReview } from './types.gen.ts'

export const tokenReviews = defineResource<TokenReview>({
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  resource: 'tokenreviews',
  scope: 'Cluster',
  schema: builtinSchema('authentication.v1.TokenReview'),
  verbs: ['create'],
  prepareForCreate: withoutStatus,
})
