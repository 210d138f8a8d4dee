/**
 * Reviews: questions to the server about callers and rights, asked by creating an object that is answered and not
 * stored. TokenReview, SelfSubjectReview, the three access reviews and SelfSubjectRulesReview.
 */

import { selfSubjectReviews } from '../apis/authentication/self-subject-review.ts'
import { tokenReviews } from '../apis/authentication/token-review.ts'
import type { TokenReview } from '../apis/authentication/types.gen.ts'
import { selfSubjectRulesReviews } from '../apis/authorization/self-subject-rules-review.ts'
import {
  localSubjectAccessReviews,
  selfSubjectAccessReviews,
  subjectAccessReviews,
} from '../apis/authorization/subject-access-review.ts'
import type {
  ResourceAttributes,
  SelfSubjectRulesReview,
  SubjectAccessReview,
  SubjectAccessReviewSpec,
} from '../apis/authorization/types.gen.ts'
import type { ResourceDefinition } from '../apis/definition.ts'
import { assert } from '../base/assert.ts'
import { badRequest, invalid } from '../machinery/meta/api-error.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import { formatTime } from '../machinery/meta/time.ts'
import type { UserInfo } from '../machinery/wire/message.ts'
import { type Attributes, type Authorizer, isAdministrator } from './auth/authorizer.ts'
import type { ServiceAccountTokens } from './auth/service-account-token.ts'
import { messageOfBody } from './handlers/body.ts'
import type { Exchange } from './handlers/exchange.ts'
import { writeParameters } from './handlers/options.ts'
import { valueResponse } from './handlers/respond.ts'
import type { SubresourceHandler } from './handlers/routes.ts'

export interface ReviewParts {
  readonly authorizer: Authorizer
  readonly tokens: Pick<ServiceAccountTokens, 'review'>
}

type Answer = (review: KubeObject, user: UserInfo, exchange: Exchange) => object | Promise<object>

export function reviews({ authorizer, tokens }: ReviewParts): readonly (readonly [string, SubresourceHandler])[] {
  const access: Answer = (review, user) => ({ status: mayDo(authorizer, review as SubjectAccessReview, user) })
  const kinds: readonly (readonly [ResourceDefinition, Answer])[] = [
    [
      selfSubjectReviews,
      (_, user, { clock }) => ({
        metadata: { creationTimestamp: formatTime(clock.now()) },
        status: { userInfo: shown(user) },
      }),
    ],
    [tokenReviews, async (review) => ({ status: await whose(tokens, review as TokenReview) })],
    [subjectAccessReviews, access],
    [localSubjectAccessReviews, access],
    [selfSubjectAccessReviews, access],
    [selfSubjectRulesReviews, (review, user) => ({ status: rulesOf(review as SelfSubjectRulesReview, user) })],
  ]
  return kinds.map(([definition, answer]) => [
    `${definition.group}/${definition.resource}/`,
    { handle: (exchange) => review(definition, answer, exchange) },
  ])
}

async function review(definition: ResourceDefinition, answer: Answer, exchange: Exchange) {
  const { request, target } = exchange
  if (target.verb !== 'create') throw badRequest('reviews can only be created')
  const { user } = request
  assert(user, 'the request has been authenticated')
  const sent = definition.default(
    messageOfBody(request, { kind: definition, ...writeParameters(exchange, 'CreateOptions') }),
  )
  const errors = definition.validate(sent)
  if (errors.length > 0) throw invalid(definition, sent.metadata.name ?? '', errors)
  return valueResponse(request, 201, { ...sent, ...(await answer(sent, user, exchange)) })
}

function shown({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, uid, groups, extra }
}

/** Who a review asks about: the caller, or whom it names. */
function subjectOf(spec: SubjectAccessReviewSpec, caller: UserInfo): UserInfo {
  const { user, groups, uid, extra } = spec
  if (user === undefined && groups === undefined) return caller
  return { name: user ?? '', groups: groups ?? [], uid, extra }
}

function mayDo(authorizer: Authorizer, { spec }: SubjectAccessReview, caller: UserInfo): object {
  const user = subjectOf(spec, caller)
  const { allowed, reason } = authorizer.authorize(attributesOf(spec, user))
  return { allowed, ...(reason === '' ? {} : { reason }) }
}

function attributesOf(
  { resourceAttributes, nonResourceAttributes }: SubjectAccessReviewSpec,
  user: UserInfo,
): Attributes {
  const none = { group: '', resource: '', subresource: '', namespace: '', name: '', path: '' }
  if (nonResourceAttributes)
    return { ...none, user, verb: nonResourceAttributes.verb ?? '', path: nonResourceAttributes.path ?? '' }
  const {
    group = '',
    resource = '',
    subresource = '',
    namespace = '',
    name = '',
    verb = '',
  }: ResourceAttributes = resourceAttributes ?? {}
  return { user, verb, group, resource, subresource, namespace, name, path: '' }
}

async function whose(tokens: ReviewParts['tokens'], { spec }: TokenReview): Promise<object> {
  if (!spec.token) throw badRequest('token is required for TokenReview in authentication')
  try {
    const verified = await tokens.review(spec.token, spec.audiences ?? [])
    if (!verified) return { authenticated: false, user: {} }
    return { authenticated: true, user: shown(verified.user), audiences: verified.audiences }
  } catch (error) {
    return { authenticated: false, user: {}, error: error instanceof Error ? error.message : 'the token is not valid' }
  }
}

const EVERYTHING = ['*']

/** Until there are role objects: an administrator may do everything, others what every caller may. */
function rulesOf(_review: SelfSubjectRulesReview, user: UserInfo): object {
  const own = [
    {
      verbs: ['create'],
      apiGroups: ['authorization.k8s.io'],
      resources: ['selfsubjectaccessreviews', 'selfsubjectrulesreviews'],
    },
    { verbs: ['create'], apiGroups: ['authentication.k8s.io'], resources: ['selfsubjectreviews'] },
  ]
  const paths = [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/livez', '/readyz', '/version', '/version/'] }]
  const all = isAdministrator(user)
  return {
    resourceRules: all ? [{ verbs: EVERYTHING, apiGroups: EVERYTHING, resources: EVERYTHING }, ...own] : own,
    nonResourceRules: all ? [{ verbs: EVERYTHING, nonResourceURLs: EVERYTHING }, ...paths] : paths,
    incomplete: false,
  }
}
