/** Match conditions of webhooks: expressions about a request that must all hold before a webhook is asked. */

import type { ValidatingWebhook } from '../../../apis/admissionregistration/types.gen.ts'
import { oncePer } from '../../../base/lru.ts'
import type { Authorization } from '../../auth/authorization.ts'
import { AdmissionBindings, AuthorizerAnswers } from '../policies/expressions.ts'
import { compileMatchConditions, evaluateMatchConditions } from '../policies/match-conditions.ts'
import { requestOf } from '../policies/subject.ts'
import { refused } from '../refusal.ts'
import type { ReviewSubject } from './review.ts'

/** Webhooks are values: a changed one is another. */
const conditionsOf = oncePer(({ matchConditions }: ValidatingWebhook) => compileMatchConditions(matchConditions))

/** Throws 403 where they cannot be evaluated and the webhook may not be left out. */
export async function conditionsHold(
  webhook: ValidatingWebhook,
  subject: ReviewSubject,
  { authorizer }: Authorization,
): Promise<boolean> {
  if ((webhook.matchConditions ?? []).length === 0) return true
  const { attributes, object, previous } = subject
  const inputs = { request: requestOf(subject), object, previous }
  const answers = new AuthorizerAnswers(authorizer, attributes)
  const verdict = await answers.run((ask) => {
    const names = new AdmissionBindings(inputs, attributes, ask)
    return evaluateMatchConditions(conditionsOf(webhook), names, webhook.failurePolicy)
  })
  if (typeof verdict === 'object') throw refused(attributes, verdict.failure)
  return verdict === 'matches'
}
