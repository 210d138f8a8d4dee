/** One webhook asked about one request: the review sent, the answer read, failures told in upstream's words. */

import type { MutatingWebhook, ValidatingWebhook } from '../../../apis/admissionregistration/types.gen.ts'
import { messageOf } from '../../../base/error-text.ts'
import type { Logger } from '../../../base/log.ts'
import { type Random, randomUuid } from '../../../base/random.ts'
import { badRequest, internalError, timeout } from '../../../machinery/meta/api-error.ts'
import { isQualifiedName } from '../../../machinery/meta/names.ts'
import type { KubeObject } from '../../../machinery/meta/object.ts'
import type { Authorization } from '../../auth/authorization.ts'
import type { AdmissionAttributes } from '../../registry/admission-hooks.ts'
import type { Convert } from '../converted.ts'
import type { AdmissionView } from '../plugin.ts'
import { subjectAs } from '../policies/subject.ts'
import { conditionsHold } from './conditions.ts'
import { type Equivalents, invokedAs } from './invocation.ts'
import {
  admissionReview,
  type ReviewAnswer,
  type ReviewSubject,
  readReview,
  reviewVersion,
  UndecodablePatch,
  UnsupportedPatch,
} from './review.ts'
import { WebhookCallError, type WebhookClient } from './webhook-client.ts'

export interface WebhookParts {
  readonly view: AdmissionView
  readonly webhooks: WebhookClient
  readonly equivalents: Equivalents
  readonly convert: Convert
  readonly random: Random
  readonly log: Logger
  /** Asked by match conditions. */
  readonly authorization: Authorization
}

/** A webhook of a configuration. */
export interface Hook<Webhook extends ValidatingWebhook = ValidatingWebhook> {
  /** Tells it from all others, as long as nothing is changed in its configuration's list. */
  readonly id: string
  /** The name of its configuration. */
  readonly configuration: string
  readonly webhook: Webhook
}

/** The webhooks of all configurations: those by name, and each one's in the order in which it has them. */
export function hooksOf<Webhook extends ValidatingWebhook>(
  configurations: readonly (KubeObject & { readonly webhooks?: readonly Webhook[] | undefined })[],
): readonly Hook<Webhook>[] {
  const named = configurations.map(({ metadata: { name = '' }, webhooks = [] }) => ({ name, webhooks }))
  return named
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap(({ name, webhooks }) =>
      webhooks.map((webhook) => ({ id: `${name}/${webhook.name}`, configuration: name, webhook })),
    )
}

/** The webhook could not be asked. Its failure policy says what follows from that. */
class CallingFailed extends Error {
  override readonly name = 'CallingFailed'
}

/** What the webhook is asked about; undefined: it is not concerned. Throws `ApiError`. */
export async function subjectFor(
  webhook: ValidatingWebhook,
  attributes: AdmissionAttributes,
  parts: WebhookParts,
): Promise<ReviewSubject | undefined> {
  const definition = await invokedAs(webhook, attributes, parts)
  if (definition === undefined) return undefined
  const subject = await subjectAs(definition, attributes, parts.convert)
  return (await conditionsHold(webhook, subject, parts.authorization)) ? subject : undefined
}

const WITHOUT_EFFECTS: readonly (string | undefined)[] = ['None', 'NoneOnDryRun']
const VERSIONLESS =
  'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)'

/** Throws `ApiError` where no failure policy applies, and `CallingFailed` where it does: see `orPolicy`. */
export async function askWebhook(
  webhook: ValidatingWebhook,
  subject: ReviewSubject,
  mutating: boolean,
  { webhooks, random }: WebhookParts,
): Promise<ReviewAnswer> {
  const { attributes } = subject
  const name = JSON.stringify(webhook.name)
  if (attributes.dryRun && !WITHOUT_EFFECTS.includes(webhook.sideEffects))
    throw badRequest(`admission webhook ${name} does not support dry run`)
  const version = reviewVersion(webhook.admissionReviewVersions)
  if (version === undefined) throw calling(webhook, VERSIONLESS)
  const uid = randomUuid(random)
  const timeoutMs = (webhook.timeoutSeconds ?? TIMEOUT_SECONDS) * 1000
  const review = await webhooks
    .call(webhook.clientConfig, admissionReview(version, uid, subject), { timeoutMs, signal: attributes.signal })
    .catch((error: unknown) => {
      if (!(error instanceof WebhookCallError)) throw error
      throw calling(webhook, `failed to call webhook: ${error.message}`)
    })
  const answer = readAnswer(webhook, () => readReview(version, uid, mutating, review))
  for (const warning of answer.warnings) attributes.warn(warning)
  auditAnnotations(webhook, answer, attributes)
  return answer
}

/** The webhook's own facts for the audit log, under its name. What makes no key is left out. */
function auditAnnotations(
  { name = '' }: ValidatingWebhook,
  answer: ReviewAnswer,
  { audit }: AdmissionAttributes,
): void {
  for (const [key, value] of answer.annotations) {
    const qualified = `${name}/${key}`
    if (isQualifiedName(qualified).length === 0) audit?.annotate(qualified, value)
  }
}

/** What webhooks have when their configuration does not say. */
const TIMEOUT_SECONDS = 10

function calling({ name }: ValidatingWebhook, reason: string): CallingFailed {
  return new CallingFailed(`failed calling webhook ${JSON.stringify(name)}: ${reason}`)
}

function readAnswer(webhook: ValidatingWebhook, read: () => ReviewAnswer): ReviewAnswer {
  try {
    return read()
  } catch (error) {
    if (error instanceof UnsupportedPatch) throw calling(webhook, error.message)
    if (error instanceof UndecodablePatch)
      throw calling(webhook, `received undecodable patch in webhook response: ${error.message}`)
    throw calling(webhook, `received invalid webhook response: ${messageOf(error)}`)
  }
}

/** How a webhook that was left out is told of. */
export interface LeftOut {
  readonly log: Logger
  /** Of the audit log. */
  readonly key: string
}

/** What `ask` answers, or undefined when it failed and the webhook's policy is to go on without it. Throws `ApiError`. */
export async function orPolicy<Answer>(
  { name = '', failurePolicy }: Pick<MutatingWebhook, 'name' | 'failurePolicy'>,
  { signal, audit }: AdmissionAttributes,
  { log, key }: LeftOut,
  ask: () => Promise<Answer>,
): Promise<Answer | undefined> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof CallingFailed)) throw error
    if (failurePolicy !== 'Ignore') throw internalError(error.message)
    log.warn('a webhook was left out', { error: error.message })
    audit?.annotate(key, name)
    if (signal?.aborted) throw timeout('request did not complete within requested timeout')
    return undefined
  }
}
