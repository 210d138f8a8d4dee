/**
 * Somebody outside decides: a SubjectAccessReview is posted, its status is the decision. Answers are kept for a while;
 * what cannot be had counts as the failure policy says.
 */

import { createHash } from 'node:crypto'
import type { SubjectAccessReviewSpec, SubjectAccessReviewStatus } from '../../../apis/authorization/types.gen.ts'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/error-text.ts'
import { isRecord } from '../../../base/is-record.ts'
import type { Logger } from '../../../base/log.ts'
import { LruMap } from '../../../base/lru.ts'
import { type RemoteCaller, RemoteError } from '../../outbound/remote.ts'
import { type Attributes, type Authorizer, type Decision, NO_OPINION, type RuleResolver } from '../authorizer.ts'
import type { AuthorizationMetrics } from './authorization-metrics.ts'
import { createMatcher } from './match-conditions.ts'
import { reviewSpecOf } from './review-spec.ts'

export interface WebhookAuthorizerParts {
  readonly name: string
  readonly caller: RemoteCaller
  /** Of the SubjectAccessReview. */
  readonly version: 'v1' | 'v1beta1'
  readonly timeoutMs: number
  /** How long a yes and a no are kept; 0: not at all. */
  readonly authorizedMs: number
  readonly unauthorizedMs: number
  readonly failureVerdict: 'no-opinion' | 'deny'
  /** What must hold of a request for the webhook to be asked. */
  readonly expressions: readonly string[]
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: AuthorizationMetrics
}

/** Entries, of a digest and an answer each; upstream's. */
const CACHE_ENTRIES_MAX = 8_192
/** Characters of what a caller chose, and of a reason: what is longer is asked again rather than kept. As upstream. */
const CACHED_CHARACTERS_MAX = 10_000

interface Kept {
  readonly status: SubjectAccessReviewStatus
  readonly untilMs: number
}

export function webhookAuthorizer(parts: WebhookAuthorizerParts): Authorizer & RuleResolver {
  const { expressions, failureVerdict, clock } = parts
  const matches = createMatcher(expressions, parts)
  const cache = new LruMap<string, Kept>(CACHE_ENTRIES_MAX)
  const failed = (error: unknown): Decision => ({ verdict: failureVerdict, reason: '', error: messageOf(error) })

  const asked = async (spec: SubjectAccessReviewSpec, key: string | undefined, signal: AbortSignal | undefined) => {
    try {
      const status = await ask(parts, spec, signal)
      const keptMs = status.allowed ? parts.authorizedMs : parts.unauthorizedMs
      const isShort = (status.reason?.length ?? 0) <= CACHED_CHARACTERS_MAX
      if (key !== undefined && keptMs > 0 && isShort) cache.set(key, { status, untilMs: clock.monotonic() + keptMs })
      return decisionOf(status)
    } catch (error) {
      return failed(error)
    }
  }
  return {
    authorize(attributes, signal) {
      const spec = reviewSpecOf(attributes)
      const match = matches(spec)
      if (match === false) return NO_OPINION
      if (match !== true) return failed(match)
      const key = isCacheable(attributes) ? digestOf(spec) : undefined
      const kept = key === undefined ? undefined : cache.get(key)
      if (kept !== undefined && clock.monotonic() < kept.untilMs) return decisionOf(kept.status)
      return asked(spec, key, signal)
    },
    rulesOf: () => ({
      resourceRules: [],
      nonResourceRules: [],
      incomplete: true,
      error: 'webhook authorizer does not support user rule resolution',
    }),
  }
}

/** What the caller of the request chose is short: nobody fills the memory with names. */
function isCacheable({ namespace, verb, group, version, resource, subresource, name, path }: Attributes): boolean {
  const chosen = [namespace, verb, group, version ?? '', resource, subresource, name, path]
  return chosen.reduce((total, text) => total + text.length, 0) < CACHED_CHARACTERS_MAX
}

function digestOf(spec: SubjectAccessReviewSpec): string {
  return createHash('sha256').update(JSON.stringify(spec)).digest('base64')
}

function decisionOf({ allowed, denied = false, reason = '' }: SubjectAccessReviewStatus): Decision {
  if (denied && allowed)
    return {
      verdict: 'deny',
      reason,
      error: 'webhook subject access review returned both allow and deny response',
    }
  return { verdict: denied ? 'deny' : allowed ? 'allow' : 'no-opinion', reason }
}

async function ask(
  parts: WebhookAuthorizerParts,
  spec: SubjectAccessReviewSpec,
  signal: AbortSignal | undefined,
): Promise<SubjectAccessReviewStatus> {
  const { name, caller, timeoutMs, clock, log, metrics, version, failureVerdict } = parts
  const startMs = clock.monotonic()
  const record = (result: CallResult) => {
    metrics.webhookEvaluations({ name, result })
    metrics.webhookSeconds({ name, result }, (clock.monotonic() - startMs) / 1_000)
  }
  try {
    const status = statusOf(await caller.post(reviewOf(spec, version), { timeoutMs, signal }), version)
    record('success')
    return status
  } catch (error) {
    const result = resultOf(error, signal)
    record(result)
    log.error('an authorization webhook has not answered', { webhook: name, error: messageOf(error) })
    if (failureVerdict === 'no-opinion' && !signal?.aborted) metrics.webhookFailOpen({ name, result })
    throw error
  }
}

type CallResult = 'success' | 'canceled' | 'timeout' | 'error'

function resultOf(error: unknown, signal: AbortSignal | undefined): CallResult {
  if (signal?.aborted) return 'canceled'
  const isLate = error instanceof RemoteError && (error.isLate || error.status === 504)
  return isLate ? 'timeout' : 'error'
}

/** As the version writes it: the older one calls the list of groups `group`. */
function reviewOf({ groups, ...rest }: SubjectAccessReviewSpec, version: 'v1' | 'v1beta1'): object {
  return {
    kind: 'SubjectAccessReview',
    apiVersion: apiVersionOf(version),
    metadata: {},
    spec: version === 'v1' ? { ...rest, groups } : { ...rest, group: groups },
    status: { allowed: false },
  }
}

function apiVersionOf(version: 'v1' | 'v1beta1'): string {
  return `authorization.k8s.io/${version}`
}

/** Throws when the answer is none. What it leaves out is no. */
function statusOf(answer: unknown, version: 'v1' | 'v1beta1'): SubjectAccessReviewStatus {
  const expected = apiVersionOf(version)
  const { kind = 'SubjectAccessReview', apiVersion = expected, status = {} } = isRecord(answer) ? answer : {}
  const { allowed = false, denied = false, reason = '' } = isRecord(status) ? status : {}
  const isAnswer =
    isRecord(answer) &&
    isRecord(status) &&
    kind === 'SubjectAccessReview' &&
    apiVersion === expected &&
    typeof allowed === 'boolean' &&
    typeof denied === 'boolean' &&
    typeof reason === 'string'
  if (!isAnswer) throw new RemoteError(`the answer is no SubjectAccessReview of ${expected}`)
  return { allowed, denied, reason }
}
