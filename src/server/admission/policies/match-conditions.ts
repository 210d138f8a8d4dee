/** Match conditions of webhooks and policies: expressions that must all hold for a request to be looked at. */

import type { MatchCondition } from '../../../apis/admissionregistration/types.gen.ts'
import type { Environment } from '../../../machinery/cel/environment.ts'
import {
  admissionEnvironment,
  compileExpression,
  MATCH_CONDITIONS_COST_MAX,
} from '../../../machinery/cel/kubernetes/admission.ts'
import { BOOL } from '../../../machinery/cel/types.ts'
import { reasonsText } from '../refusal.ts'
import { type AdmissionBindings, evaluateAll, type SourcedExpression } from './expressions.ts'

/** The names that match conditions of webhooks may use. */
const WEBHOOK_ENVIRONMENT = admissionEnvironment({ hasAuthorizer: true })

export type MatchConditions = readonly SourcedExpression[]

export function compileMatchConditions(
  conditions: readonly MatchCondition[] | undefined = [],
  environment: Environment = WEBHOOK_ENVIRONMENT,
): MatchConditions {
  return conditions.map(({ expression = '' }) => ({
    source: expression,
    compiled: compileExpression(expression, environment, [BOOL]),
  }))
}

export type MatchVerdict = 'matches' | 'matches-not' | { readonly failure: string }

/**
 * Whether all conditions hold. One that does not hold decides, whatever goes wrong elsewhere. A failure is what
 * `failurePolicy` decides about: `Ignore` makes it no match.
 */
export function evaluateMatchConditions(
  conditions: MatchConditions,
  names: AdmissionBindings,
  failurePolicy: string | undefined,
): MatchVerdict {
  if (conditions.length === 0) return 'matches'
  const evaluation = evaluateAll(conditions, names, MATCH_CONDITIONS_COST_MAX)
  const failed = (failure: string): MatchVerdict => (failurePolicy === 'Ignore' ? 'matches-not' : { failure })
  if ('failure' in evaluation) return failed(evaluation.failure)
  const failures: string[] = []
  for (const result of evaluation.results) {
    if (result === undefined) continue
    if ('failure' in result) failures.push(result.failure)
    else if (result.value === false) return 'matches-not'
  }
  return failures.length === 0 ? 'matches' : failed(reasonsText(failures))
}
