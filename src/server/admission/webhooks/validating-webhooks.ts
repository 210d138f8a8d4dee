/** ValidatingAdmissionWebhook: webhooks that say whether a request may pass, all asked at the same time. */

import type { ValidatingWebhookConfiguration } from '../../../apis/admissionregistration/types.gen.ts'
import { validatingWebhookConfigurations } from '../../../apis/admissionregistration/validating-webhook-configuration.ts'
import { whenThere } from '../../../base/awaitable.ts'
import { oncePer } from '../../../base/lru.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { AdmissionPlugin } from '../plugin.ts'
import { askWebhook, type Hook, hooksOf, orPolicy, subjectFor, type WebhookParts } from './ask-webhook.ts'
import { isExempt } from './matching.ts'
import { type ReviewSubject, rejection } from './review.ts'

/** Webhooks that are asked at the same time about one request. */
const ASKED_AT_ONCE_MAX = 32

export function validatingWebhooks(parts: WebhookParts): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    operations: ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'],
    validate(attributes) {
      if (isExempt(attributes)) return undefined
      return whenThere(parts.view.list(validatingWebhookConfigurations), (configurations) => {
        const hooks = hooksIn(configurations)
        return hooks.length === 0 ? undefined : check(hooks, attributes, parts)
      })
    },
  }
}

const hooksIn = oncePer((configurations: readonly ValidatingWebhookConfiguration[]) => hooksOf(configurations))

async function check(hooks: readonly Hook[], attributes: AdmissionAttributes, parts: WebhookParts): Promise<void> {
  const questions = await questionsFor(hooks, attributes, parts)
  if (questions.length === 0) return
  const review = () => askAll(questions, parts)
  await (attributes.audit?.timed('validating-webhook', review) ?? review())
}

/** Whoever refuses first is heard, and all others too: they may have something to do for what they were asked. */
async function askAll(questions: readonly Question[], parts: WebhookParts): Promise<void> {
  const refusals: unknown[] = []
  for (let next = 0; next < questions.length; next += ASKED_AT_ONCE_MAX) {
    const batch = questions.slice(next, next + ASKED_AT_ONCE_MAX)
    await Promise.all(
      batch.map((question, index) =>
        ask(question, next + index, parts).catch((error: unknown) => refusals.push(error)),
      ),
    )
  }
  if (refusals.length > 0) throw refusals[0]
}

interface Question {
  readonly hook: Hook
  readonly subject: ReviewSubject
}

async function questionsFor(
  hooks: readonly Hook[],
  attributes: AdmissionAttributes,
  parts: WebhookParts,
): Promise<readonly Question[]> {
  const questions: Question[] = []
  for (const hook of hooks) {
    const subject = await subjectFor(hook.webhook, attributes, parts)
    if (subject !== undefined) questions.push({ hook, subject })
  }
  return questions
}

/** Throws `ApiError` to refuse. */
async function ask({ hook: { webhook }, subject }: Question, index: number, parts: WebhookParts): Promise<void> {
  const key = `failed-open.validating.webhook.admission.k8s.io/round_0_index_${index}`
  await orPolicy(webhook, subject.attributes, { log: parts.log, key }, async () => {
    const { allowed, result } = await askWebhook(webhook, subject, false, parts)
    if (!allowed) throw rejection(webhook.name, result)
  })
}
