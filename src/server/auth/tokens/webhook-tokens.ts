/**
 * Tokens that a service outside the cluster is asked about, with a TokenReview. What it answers is believed: that it is
 * the right service is what its kubeconfig is for.
 */

import type { Clock } from '../../../base/clock.ts'
import { deadline } from '../../../base/deadline.ts'
import { setOwn } from '../../../base/deep-freeze.ts'
import { messageOf } from '../../../base/error-text.ts'
import { isRecord } from '../../../base/is-record.ts'
import type { Logger } from '../../../base/log.ts'
import type { UserInfo } from '../../../machinery/wire/message.ts'
import type { RemoteCaller } from '../../outbound/remote.ts'
import type { TokenVerifier } from '../bearer-token.ts'

export interface WebhookTokenParts {
  readonly caller: RemoteCaller
  readonly version: 'v1' | 'v1beta1'
  /** Those of the API server: meant by a service that knows of no audiences. */
  readonly audiences: readonly string[]
  readonly clock: Clock
  readonly log: Logger
}

/** Of one attempt. */
const CALL_TIMEOUT_MS = 10_000
/** Of all attempts for one token; upstream's. */
const TOTAL_TIMEOUT_MS = 30_000

export function webhookTokens(parts: WebhookTokenParts): TokenVerifier {
  const { audiences: own } = parts
  return {
    async verify(token, asked) {
      const status = await review(parts, token, asked)
      const given = textsOf(status.audiences)
      const audiences = asked.filter((audience) => (given.length > 0 ? given : own).includes(audience))
      if (audiences.length === 0) return undefined
      if (status.authenticated === true) return { user: userOf(status.user), audiences }
      if (typeof status.error === 'string' && status.error !== '') throw new Error(status.error)
      return undefined
    },
  }
}

type Fields = Readonly<Record<string, unknown>>

async function review(parts: WebhookTokenParts, token: string, audiences: readonly string[]): Promise<Fields> {
  const { caller, version, clock, log } = parts
  const apiVersion = `authentication.k8s.io/${version}`
  const question = { kind: 'TokenReview', apiVersion, metadata: {}, spec: { token, audiences }, status: { user: {} } }
  using limit = deadline(clock, TOTAL_TIMEOUT_MS)
  try {
    const answer = await caller.post(question, { timeoutMs: CALL_TIMEOUT_MS, signal: limit.signal })
    if (!isRecord(answer) || answer.kind !== 'TokenReview' || answer.apiVersion !== apiVersion)
      throw new Error(`the answer is no TokenReview of ${apiVersion}`)
    return isRecord(answer.status) ? answer.status : {}
  } catch (error) {
    log.error('the webhook for tokens could not be asked', { reason: messageOf(error) })
    throw error
  }
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** Throws for an answer that names nobody: it would be everybody's name. */
function userOf(value: unknown): UserInfo {
  const { username, uid, groups, extra } = isRecord(value) ? value : {}
  if (typeof username !== 'string' || username === '') throw new Error('the webhook names no user')
  const extras: Record<string, readonly string[]> = {}
  for (const [key, values] of Object.entries(isRecord(extra) ? extra : {})) setOwn(extras, key, textsOf(values))
  return {
    name: username,
    ...(typeof uid === 'string' && uid !== '' && { uid }),
    groups: textsOf(groups),
    ...(Object.keys(extras).length > 0 && { extra: extras }),
  }
}
