/** What authorizers count, under upstream's metric names. */

import type { Metrics } from '../../../base/metrics.ts'
import type { Authorizer, Decision } from '../authorizer.ts'

export type AuthorizationMetrics = ReturnType<typeof createAuthorizationMetrics>

/** Seconds; upstream's buckets. */
const CALL_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const CONDITION_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25]

export function createAuthorizationMetrics(metrics: Metrics) {
  const named = (name: string) => `apiserver_authorization_${name}`
  const counter = (name: string, help: string, labels: readonly string[]) => metrics.counter(named(name), help, labels)
  return {
    decisions: counter('decisions_total', 'Final decisions, by the authorizer that made them.', [
      'type',
      'name',
      'decision',
    ]),
    webhookEvaluations: counter('webhook_evaluations_total', 'Calls of authorization webhooks.', ['name', 'result']),
    webhookSeconds: metrics.histogram(
      named('webhook_duration_seconds'),
      'How long calls of authorization webhooks took.',
      CALL_BUCKETS,
      ['name', 'result'],
    ),
    webhookFailOpen: counter(
      'webhook_evaluations_fail_open_total',
      'Decisions left to others because an authorization webhook did not answer.',
      ['name', 'result'],
    ),
    matchConditionErrors: counter(
      'match_condition_evaluation_errors_total',
      'Match conditions of authorizers that could not be evaluated.',
      ['type', 'name'],
    ),
    matchConditionExclusions: counter(
      'match_condition_exclusions_total',
      'Requests that an authorizer was not asked about because of its match conditions.',
      ['type', 'name'],
    ),
    matchConditionSeconds: metrics.histogram(
      named('match_condition_evaluation_seconds'),
      'How long match conditions of authorizers took.',
      CONDITION_BUCKETS,
      ['type', 'name'],
    ),
  }
}

/** Counts what it decides under its type and name. */
export function counted(
  authorizer: Authorizer,
  { type, name }: { readonly type: string; readonly name: string },
  { decisions }: AuthorizationMetrics,
): Authorizer {
  const allowed = { type, name, decision: 'allowed' }
  const denied = { type, name, decision: 'denied' }
  const count = (decision: Decision): Decision => {
    if (decision.verdict !== 'no-opinion') decisions(decision.verdict === 'allow' ? allowed : denied)
    return decision
  }
  return {
    authorize(attributes, signal) {
      const decision = authorizer.authorize(attributes, signal)
      return decision instanceof Promise ? decision.then(count) : count(decision)
    },
  }
}
