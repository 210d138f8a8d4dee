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
import { ApiError, badRequest, invalid, methodNotAllowed } from '../machinery/meta/api-error.ts'
import type { FieldError } from '../machinery/meta/field-error.ts'
import type { KubeObject } from '../machinery/meta/object.ts'
import { formatTime } from '../machinery/meta/time.ts'
import type { UserInfo } from '../machinery/wire/message.ts'
import { authenticated } from './auth/authenticator.ts'
import type { Attributes, Authorizer, RuleResolver } from './auth/authorizer.ts'
import { INVALID_TOKEN } from './auth/bearer-token.ts'
import { reviewedFields, reviewedLabels } from './auth/review-selectors.ts'
import { aggregated } from './auth/texts.ts'
import type { TokenReviewer } from './auth/token-review.ts'
import { inNamespace, messageOfBody } from './handlers/body.ts'
import type { Exchange } from './handlers/exchange.ts'
import { negotiate } from './handlers/negotiate.ts'
import { writeParameters } from './handlers/options.ts'
import { valueResponse } from './handlers/respond.ts'
import type { SubresourceHandler } from './handlers/routes.ts'
import { trackedMessage } from './handlers/tracked-message.ts'

export interface ReviewParts {
  readonly authorizer: Authorizer
  readonly rules: RuleResolver
  readonly tokens: TokenReviewer
}

type Answer = (review: KubeObject, user: UserInfo, exchange: Exchange) => object | Promise<object>

export function reviews({
  authorizer,
  rules,
  tokens,
}: ReviewParts): readonly (readonly [string, SubresourceHandler])[] {
  const access: Answer = async (review, user, { request }) => {
    const attributes = reviewedAttributes(review as SubjectAccessReview, user)
    return { status: await mayDo(authorizer, attributes, request.signal) }
  }
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
    [selfSubjectRulesReviews, (review, user) => rulesOf(rules, review as SelfSubjectRulesReview, user)],
  ]
  return kinds.map(([definition, answer]) => [
    `${definition.group}/${definition.resource}/`,
    { handle: (exchange) => review(definition, answer, exchange) },
  ])
}

async function review(definition: ResourceDefinition, answer: Answer, exchange: Exchange) {
  const { request, target } = exchange
  if (target.verb !== 'create') throw methodNotAllowed()
  const { user } = request
  assert(user, 'the request has been authenticated')
  if (request.wants !== 'object') negotiate(request, { transformations: false })
  const parameters = writeParameters(exchange, 'CreateOptions')
  const body = messageOfBody(request, { kind: definition, ...parameters })
  request.audit?.sent(body, () => body)
  const sent = definition.default(inNamespace(body, definition.scope === 'Namespaced' ? target.namespace : ''))
  const errors = definition.validate(sent)
  if (errors.length > 0) throw namelessInvalid(definition, errors)
  const tracked = trackedMessage(exchange, definition, sent, parameters)
  return valueResponse(request, 201, { ...tracked, ...(await answer(tracked, user, exchange)) })
}

/** Upstream forgets what kind of object it looks at, and the object has no name. */
function namelessInvalid({ group }: ResourceDefinition, errors: readonly FieldError[]): ApiError {
  const { message, status } = invalid({ group, kind: '' }, '', errors)
  return new ApiError(422, 'Invalid', message, { group, causes: status.details?.causes })
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

async function mayDo(authorizer: Authorizer, attributes: Attributes, signal: AbortSignal): Promise<object> {
  const { verdict, reason, error } = await authorizer.authorize(attributes, signal)
  const problems = [error, unreadText('field', attributes.fields), unreadText('label', attributes.labels)]
  const evaluationError = problems.filter((text) => text !== undefined).join('; ')
  return {
    allowed: verdict === 'allow',
    ...(verdict === 'deny' && { denied: true }),
    ...(reason !== '' && { reason }),
    ...(evaluationError !== '' && { evaluationError }),
  }
}

function unreadText(kind: 'field' | 'label', limits: Attributes['fields' | 'labels']): string | undefined {
  if (!limits?.unread) return undefined
  const partly = limits.requirements.length > 0 ? 'partially ignored' : 'ignored'
  return `spec.resourceAttributes.${kind}Selector ${partly} due to parse error`
}

function reviewedAttributes({ spec }: SubjectAccessReview, caller: UserInfo): Attributes {
  const { resourceAttributes, nonResourceAttributes } = spec
  const user = subjectOf(spec, caller)
  const none = { group: '', resource: '', subresource: '', namespace: '', name: '', path: '' }
  if (nonResourceAttributes)
    return { ...none, user, verb: nonResourceAttributes.verb ?? '', path: nonResourceAttributes.path ?? '' }
  const {
    verb = '',
    group = '',
    version,
    resource = '',
    subresource = '',
    namespace = '',
    name = '',
    fieldSelector,
    labelSelector,
  }: ResourceAttributes = resourceAttributes ?? {}
  const asked = { user, verb, group, version, resource, subresource, namespace, name, path: '' }
  return { ...asked, fields: reviewedFields(fieldSelector), labels: reviewedLabels(labelSelector) }
}

async function whose(tokens: ReviewParts['tokens'], { spec }: TokenReview): Promise<object> {
  if (!spec.token) throw badRequest('token is required for TokenReview in authentication')
  try {
    const verified = await tokens.review(spec.token, spec.audiences ?? [])
    if (!verified) return { user: {}, error: INVALID_TOKEN }
    return { authenticated: true, user: shown(authenticated(verified.user)), audiences: verified.audiences }
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'the token is not valid'
    return { user: {}, error: aggregated([INVALID_TOKEN, reason]) }
  }
}

/** Upstream answers with the rules alone: neither metadata nor the question come back. */
async function rulesOf(resolver: RuleResolver, { spec }: SelfSubjectRulesReview, user: UserInfo): Promise<object> {
  const namespace = spec.namespace ?? ''
  if (namespace === '') throw badRequest('no namespace on request')
  const { error, ...rules } = await resolver.rulesOf(user, namespace)
  return { metadata: {}, spec: {}, status: { ...rules, ...(error !== '' && { evaluationError: error }) } }
}
